"""Where a running step stands: which run, which step, and what it notes or reads on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from artvcs.vcs import Draft, Repository, canonical, hash_bytes

from ...errors import NoContext, PipelineError
from ...history.finding import lookup
from ...history.models import ModelVersion
from ...history.views import ArtifactVersion
from ...record.models import asked
from ...record.noted import Noted
from ...trace.owners import targets
from ...typing.encode import encode_metadata

if TYPE_CHECKING:
    from ...define.graph import Node
    from .task import StepTask
    from .workplace import ModelAtWork, Workplace


@dataclass
class RunningStep:
    """A step that runs.

    Attributes:
        task: What is executed.
        place: Where.
        parameters: The step's parameters, its own to change.
        model: The version of a model that what it makes belongs to.
        noted: What it has noted and asked for so far.
        left: Tells what it has left in files.
        log: Tells what it has printed.
    """

    task: StepTask
    place: Workplace
    parameters: Mapping[str, Any]
    model: ModelAtWork | None = None
    noted: Noted = field(default_factory=Noted)
    left: Callable[[], Mapping[str, str]] = dict[str, str]
    log: Callable[[], str] = str

    @property
    def repository(self) -> Repository:
        """Where it reads."""
        return self.place.repository

    @property
    def draft(self) -> Draft[Any]:
        """What it stores goes into it, and what is stored and meant so far can be read there."""
        return self.place.draft


class StepContext:
    """What `get_step_context()` gives: where the running step stands. What it asks of its run counts for the cache."""

    def __init__(self, here: RunningStep) -> None:
        self._here = here

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._asked("run_id")

    @property
    def run_name(self) -> str:
        """The run's name."""
        return self._asked("run_name")

    @property
    def pipeline_name(self) -> str:
        """The pipeline's name."""
        return self._asked("pipeline_name")

    @property
    def step_name(self) -> str:
        """The step's name."""
        return self._asked("step_name")

    @property
    def invocation_id(self) -> str:
        """Which use of the step this is."""
        return self._asked("invocation_id")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The step's parameters."""
        return self._here.parameters

    @property
    def extra(self) -> Mapping[str, Any]:
        """What the step, or else its pipeline, says in `extra`."""
        _note("extra", spelt(self._here.task.extra))
        return self._here.task.extra

    @property
    def metadata(self) -> dict[str, Any]:
        """What the step noted with `log_metadata` so far."""
        return self._here.noted.metadata

    @property
    def model(self) -> StepModel:
        """The version of a model that what it makes belongs to.

        Raises:
            PipelineError: Neither the step nor its pipeline has a model.
        """
        if self._here.model is None:
            raise PipelineError(
                f"The step {self._here.task.step_name!r} has no model; give it or its pipeline one: "
                '@pipeline(model=Model("NAME")).'
            )
        return StepModel(self._here, self._here.model)

    def _asked(self, name: str) -> str:
        answer = str(getattr(self._here.task, name))
        _note(name, answer)
        return answer

    def __repr__(self) -> str:
        return f"<step context of {self._here.task.invocation_id}>"


class StepModel:
    """The version of a model that a step works on. What the step asks of it counts for the cache."""

    def __init__(self, here: RunningStep, worked_on: ModelAtWork) -> None:
        self._here = here
        self._worked_on = worked_on

    @property
    def name(self) -> str:
        """The model's name."""
        _note("model", self._worked_on.name)
        return self._worked_on.model.name

    @property
    def version(self) -> str:
        """The explicit version, else the number, as text."""
        return self._version().version

    @property
    def number(self) -> int:
        """The number of the version."""
        return self._version().number

    def get_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersion:
        """A version of an artifact that belongs to it, also what an earlier step of this run made.

        Args:
            name: The artifact's name.
            version: Which of several; by default the one that was added last.

        Raises:
            UnknownName: None that belongs to it is called so.
        """
        found = self._worked_on.find(name, version)
        if version is None:
            _note(asked(name), found.artifact)
        record = lookup.find_value(self._here.draft, name, found.artifact)
        self._here.noted.reads[f"{name}@{record.number}"] = found
        return ArtifactVersion(self._here.repository, record)

    def load_artifact(self, name: str, version: str | int | None = None) -> Any:
        """The value of an artifact that belongs to it. Raises as `get_artifact` and `ArtifactVersion.load`."""
        return self.get_artifact(name, version).load()

    def log_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Notes facts about the version."""
        self._here.noted.of_model.update(metadata)

    def _version(self) -> ModelVersion:
        found = self._worked_on.version()
        _note("model version", self._worked_on.told()["model version"])
        return ModelVersion(self._here.repository, found)

    def __repr__(self) -> str:
        return f"<model {self._worked_on.model.name} of {self._here.task.invocation_id}>"


def _note(question: str, answer: str) -> None:
    """Notes that the step was told this of its run."""
    for recording in targets():
        recording.context.setdefault(question, answer)


_context: ContextVar[RunningStep | None] = ContextVar("artvcs_step", default=None)


def current() -> RunningStep | None:
    """The step that runs in this thread, if one does."""
    return _context.get()


def running() -> RunningStep:
    """The step that runs in this thread.

    Raises:
        NoContext: None does.
    """
    found = current()
    if found is None:
        raise NoContext("get_step_context() works only inside a running step; call it there.")
    return found


def get_step_context() -> StepContext:
    """Where the running step stands.

    Raises:
        NoContext: No step is running.
    """
    return StepContext(running())


def spelt(extra: Mapping[str, Any]) -> str:
    """What is said in `extra`, as one text."""
    return hash_bytes(canonical.dumps(encode_metadata(extra)), "answer")


def told(
    run_id: str, run_name: str, pipeline: str, node: Node, extra: Mapping[str, Any], model: ModelAtWork | None
) -> dict[str, str]:
    """What a step would be told of its run, should it ask."""
    more = {} if model is None else dict(model.told())
    if extra:
        more["extra"] = spelt(extra)
    return {
        "run_id": run_id, "run_name": run_name, "pipeline_name": pipeline, "step_name": node.step.name,
        "invocation_id": node.id, **more,
    }  # fmt: skip


def run_id() -> str:
    """The id of the run that is going on here; empty outside of steps."""
    here = _context.get()
    return here.task.run_id if here is not None else ""


@contextmanager
def writing(why: str, repository: Repository | None = None) -> Iterator[tuple[Repository, Draft[Any]]]:
    """A repository and a change of it: those of the running step, or fresh ones.

    Args:
        why: What is done, for the log.
        repository: Which one; by default that of the running step, or of the working directory.
    """
    here = current()
    if here is not None and repository in (None, here.repository):
        yield here.repository, here.draft
        return
    repository = repository or Repository.discover(create=True)
    with repository.transaction(why) as transaction:
        yield repository, transaction


@contextmanager
def entered(context: RunningStep) -> Iterator[None]:
    """While the block runs, `context` is the current one."""
    token = _context.set(context)
    try:
        yield
    finally:
        _context.reset(token)
