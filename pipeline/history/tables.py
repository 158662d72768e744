"""Lists and mappings of what users see of the past, which a notebook shows as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn, TypeVar

from ..errors import Missing, perhaps

if TYPE_CHECKING:
    from ..values.visualizations import Visualization
    from ..values.visualizations.shown import ShownCurve, ShownRun, ShownStep, ShownVersion

V = TypeVar("V", bound="ShownVersion")
R = TypeVar("R", bound="ShownRun")
S = TypeVar("S", bound="ShownStep")
C = TypeVar("C", bound="ShownCurve")
T = TypeVar("T")


class Versions(list[V]):
    """Versions of artifacts."""

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.versions_table(self)


class Runs(list[R]):
    """Runs of pipelines."""

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.runs_table(self)


class StepRuns(list[S]):
    """Steps in several runs."""

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.step_runs_table(self)


class _Known(dict[str, T]):
    """A mapping that says what it has, where it is asked for something else."""

    WHAT: ClassVar[str]

    def __missing__(self, name: object) -> NoReturn:
        hint = perhaps(name, self) if isinstance(name, str) else ""
        raise Missing(f"There is no {self.WHAT} {name!r}{hint}; there is {', '.join(self) or 'none'}.")


class Steps(_Known[S]):
    """Steps of a run, by name."""

    WHAT = "step"

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.steps_table(self)


class Named(_Known[T]):
    """Inputs or outputs of a step, by name."""

    WHAT = "input or output"

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.named_table(self)


class Curves(_Known[C]):
    """Curves of a step, by name."""

    WHAT = "curve"

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.curves_table(self)


class Pictures(list["Visualization"]):
    """Pictures of a value, which are named and not shown: `visualize()` shows them."""

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.pictures_table(self)
