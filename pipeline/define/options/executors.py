"""Where the steps of a run are executed, as it is said: `inline`, `threads`, `processes`, and how many side by side."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import DefinitionError, perhaps

INLINE, THREADS, PROCESSES = "inline", "threads", "processes"
KINDS = (INLINE, THREADS, PROCESSES)


@dataclass(frozen=True)
class Chosen:
    """Where steps are executed.

    Attributes:
        kind: `inline`, one after another where the run is; `threads` of its process; or `processes` of this machine.
        jobs: So many at most side by side.
    """

    kind: str
    jobs: int

    @property
    def shares_memory(self) -> bool:
        """Whether a step finds in memory what those before it left there."""
        return self.kind != PROCESSES


def check_executor(said: object) -> str:
    """An executor as it is said. Raises DefinitionError where there is none such."""
    if said not in KINDS:
        hint = perhaps(said, KINDS) if isinstance(said, str) else ""
        raise DefinitionError(f"There is no executor {said!r}{hint}; there is {', '.join(KINDS)}.")
    return str(said)


def check_jobs(said: object) -> int:
    """A number of steps side by side. Raises DefinitionError where it is none."""
    if isinstance(said, bool) or not isinstance(said, int) or said < 1:
        raise DefinitionError(f"jobs={said!r} is not possible; give a number of steps that run side by side, from 1.")
    return said


def chosen(*said: tuple[object, object], cores: int) -> Chosen:
    """What is chosen of what is said: an executor and a number of jobs, either None where it is not said.

    What is said first goes before. A number alone, more than one, asks for processes; an executor alone takes all
    cores.

    Raises:
        DefinitionError: It cannot be.
    """
    executor = next((check_executor(name) for name, _ in said if name is not None), None)
    jobs = next((check_jobs(number) for _, number in said if number is not None), None)
    if executor is None:
        executor = PROCESSES if jobs is not None and jobs > 1 else INLINE
    return Chosen(executor, 1 if executor == INLINE else jobs or cores)
