"""Where the steps of a run are executed, as it is said: here or on which engine, and how many side by side."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ...errors import DefinitionError, perhaps

INLINE, THREADS, PROCESSES, DASK, RAY = "inline", "threads", "processes", "dask", "ray"
HERE = (INLINE, THREADS, PROCESSES)
ENGINES = (DASK, RAY)
KINDS = (*HERE, *ENGINES)


@dataclass(frozen=True)
class Chosen:
    """Where steps are executed.

    Attributes:
        kind: `inline`, one after another where the run is; `threads` of its process; `processes` of this machine; or
            an engine, `dask` or `ray`.
        jobs: So many at most side by side; 0 where that is for an engine to say.
        address: Where the engine is, as it is said after `dask://` or `ray://`; empty where nothing is said.
    """

    kind: str
    jobs: int
    address: str = ""

    @property
    def is_here(self) -> bool:
        """Whether they are executed on this machine."""
        return self.kind in HERE

    @property
    def shares_memory(self) -> bool:
        """Whether a step finds in memory what those before it left there."""
        return self.kind in (INLINE, THREADS)


def check_executor(said: object) -> str:
    """An executor as it is said: `threads`, `dask://HOST:PORT`. Raises DefinitionError where there is none such."""
    engine, colon, address = said.partition(":") if isinstance(said, str) else ("", "", "")
    if engine in ENGINES and colon and not _is_address(address):
        raise DefinitionError(f"The executor {said!r} is no address; write {engine}://HOST:PORT.")
    if engine in ENGINES and colon:
        return str(said)
    if said not in KINDS:
        hint = perhaps(said, KINDS) if isinstance(said, str) else ""
        raise DefinitionError(f"There is no executor {said!r}{hint}; there is {', '.join(KINDS)}.")
    return str(said)


def _is_address(said: str) -> bool:
    """Whether what stands behind an engine's name and a colon is an address: `//HOST`, `//HOST:PORT`."""
    rest = said.removeprefix("//")
    try:
        parts = urlsplit(rest if "://" in rest else f"//{rest}")
        return said.startswith("//") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is none
        return False


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
    kind, _, address = executor.partition("://")
    if kind in ENGINES:
        return Chosen(kind, jobs or 0, address)
    return Chosen(kind, 1 if kind == INLINE else jobs or cores)
