"""What all that the Client gives has in common in ZenML, and the sentence for what is not here."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, Self

from artvcs.pipelines.errors import perhaps
from artvcs.vcs import Repository

from ..._names.absent import NotHere
from ..valued import Text


@functools.singledispatch
def response(found: Any) -> Any:
    """Something of ours as ZenML has it; None stays None."""
    if found is not None:
        raise TypeError(f"ZenML has no response for a {type(found).__name__}")


class Named_(Text):  # noqa: N801 (a name that has a name)
    """A name that is also what it names: ZenML has an object with a name where ours is text."""

    @property
    def name(self) -> str:
        """The name."""
        return str(self)

    id = name


class ImportPath(Text):
    """Where a class or function is imported from; ZenML has an object that says so where ours is text."""

    @property
    def import_path(self) -> str:
        """Module and name, with dots."""
        return str(self)

    @property
    def module(self) -> str:
        """The module."""
        return self.rpartition(".")[0]

    @property
    def attribute(self) -> str:
        """The name in the module."""
        return self.rpartition(".")[2]


class Configuration:
    """What a run or a step was configured with, as far as that is recorded; the rest is a sentence."""

    def __init__(self, of: str, **recorded: Any) -> None:
        self._of = of
        self.__dict__.update(recorded)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotHere(
            f"config.{name} of {self._of} is not recorded here; make it a parameter, or note it with log_metadata(…)."
        )

    def __repr__(self) -> str:
        said = {name: value for name, value in self.__dict__.items() if name != "_of"}
        return f"<configuration of {self._of}: {said}>"


class Response:
    """What the Client gives.

    Attributes:
        CALLED: What it is called in a sentence.
        SAID: Which of its attributes `model_dump()` gives.
        INSTEAD: What ZenML's has besides → what there is here instead.
    """

    CALLED: ClassVar[str]
    SAID: ClassVar[tuple[str, ...]] = ("id", "name", "created", "tags")
    INSTEAD: ClassVar[Mapping[str, str]] = {}
    permission_denied = False

    def _where(self) -> Repository:
        """The repository that it is in."""
        raise NotImplementedError

    def _author(self) -> str:
        """Who made it, as Git spells that."""
        return self._where().author()

    @property
    def user(self) -> Any:
        """Who made it."""
        return person(self._author())

    @property
    def user_id(self) -> str:
        """Who made it, by name."""
        return str(self.user.id)

    @property
    def project(self) -> Any:
        """The one project that there is."""
        name = self._where().project.name
        return SimpleNamespace(name=name, id=name, display_name=name)

    workspace = project

    @property
    def project_id(self) -> str:
        """The project's name."""
        return str(self.project.id)

    @property
    def updated(self) -> Any:
        """When it changed last, as far as that is recorded."""
        return self.created

    def get_hydrated_version(self) -> Self:
        """This: nothing is left out that would have to be asked for."""
        return self

    hydrate = get_body = get_metadata = get_resources = get_hydrated_version

    @property
    def body(self) -> Self:
        """This: ZenML has its facts in three parts."""
        return self

    resources = body

    def model_dump(self, **_: Any) -> dict[str, Any]:
        """What it is, in plain values."""
        return {name: getattr(self, name) for name in self.SAID}

    dict = model_dump

    def model_dump_json(self, **_: Any) -> str:
        """What it is, as JSON."""
        return json.dumps(self.model_dump(), default=str)

    json = yaml = model_dump_json

    def __getattr__(self, name: str) -> Any:
        if name in self.INSTEAD:
            raise NotHere(f"{self.CALLED} has no {name} here; {self.INSTEAD[name]}.")
        known = [each for each in (*dir(type(self)), *self.INSTEAD) if not each.startswith("_")]
        raise AttributeError(f"{self.CALLED} has no attribute {name!r}{perhaps(name, known)}.")


def person(author: str) -> Any:
    """Somebody, by the name and address that Git has."""
    name, _, address = author.partition(" <")
    return SimpleNamespace(
        name=name,
        id=name,
        full_name=name,
        email=address.rstrip(">") or None,
        active=True,
        is_admin=True,
        is_service_account=False,
    )
