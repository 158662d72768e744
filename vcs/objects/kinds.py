"""The kinds of object a repository keeps. Each is described in docs/format/objects.md.

blob (raw bytes) → tree (a folder) → artifact (a value) → commit (an executed step) → run (an executed
pipeline), whose steps and their order are objects of their own where they are many; a version is one number of one
artifact name; a promotion says which one is in which stage; an op is one change of the repository's refs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar, Self

from ..errors import DamagedError
from .oid import Oid
from .records import Duration, Moment, Record, Report, Size, later, record


@record
class Artifact(Record):
    """What a step returned. Holds no time and no host: the same value has the same id.

    Attributes:
        type: The value's type, as `module.qualname`.
        materializer: Name of the materializer that wrote the payload.
        materializer_version: Which of its formats.
        payload: The tree of files it wrote.
        size: Bytes of the payload.
        runs_code: Whether loading it may run code that it holds, as unpickling does.
    """

    KIND: ClassVar[str] = "artifact"
    type: str
    materializer: str
    materializer_version: int
    payload: Oid
    size: Size
    runs_code: bool


@record
class Input(Record):
    """Where one input of a step came from. `commit` and `output` are None for registered data."""

    artifact: Oid
    name: str
    commit: Oid | None
    output: str | None


@record
class Output(Record):
    """One output of a step: the artifact and the name it was given."""

    artifact: Oid
    name: str


@record
class GitState(Record):
    """What Git said when a step ran. `diff` is a blob of the uncommitted changes, if there were any."""

    commit: str | None
    branch: str | None
    remote: str | None
    diff: Oid | None


@record
class Code(Record):
    """The code of a step: its fingerprint, the blob with the code itself, and where it stands."""

    fingerprint: Oid
    source: Oid
    file: str
    line: int


@record
class Commit(Record):
    """One executed step. Times are milliseconds since 1970 UTC.

    Attributes:
        inputs: Input name → where it came from, in order where the input is a list.
        outputs: Output name (as declared) → artifact.
        reads: Artifact versions that the step asked for while it ran, as `NAME` or `NAME@VERSION` → what it got.
        parents: The commits that produced the inputs and what was read, sorted.
        params: Parameter name → value, in the encoding of `vcs.values`.
        config: What else went into the cache key: `outputs` (name → materializer asked for), `extras` (from the
            cache policy) and `ignored` (inputs that did not count); of a stage of DVC its `command`.
        cache_key: Under which its outputs can be used again; None where they cannot.
        trace: A blob that says what the execution was seen to use.
        log: A blob of what the step printed.
        curves: A blob of what it noted step by step of a training; None for nothing.
        of_model: What it noted about the model that it worked on, in the encoding of `vcs.values`; None for nothing.
    """

    KIND: ClassVar[str] = "commit"
    step: str
    pipeline: str
    code: Code
    params: Mapping[str, Any]
    config: Mapping[str, Any]
    inputs: Mapping[str, tuple[Input, ...]]
    reads: Mapping[str, Input]
    outputs: Mapping[str, Output]
    parents: tuple[Oid, ...]
    cache_key: Oid | None
    trace: Oid
    environment: Mapping[str, Any]
    git: GitState | None
    author: str
    started: Moment
    finished: Moment
    metadata: Mapping[str, Any]
    log: Oid | None
    of_model: Mapping[str, Any] | None = later(None)
    curves: Oid | None = later(None)

    @property
    def noted(self) -> dict[str, Any]:
        """All that it noted, about itself and about the model that it worked on."""
        return {**(self.of_model or {}), **self.metadata}

    def typed_values(self) -> Iterator[Any]:
        """See `Record.typed_values`."""
        for mapping in (self.params, self.metadata, self.of_model or {}):
            yield from mapping.values()


@record
class Failure(Record):
    """Why a step failed: the exception's type and text, and its traceback."""

    type: str
    message: Report
    traceback: Report


@record
class StepRun(Record):
    """One step in one run. Inputs and outputs are this run's own, also where the step was cached.

    A part of the run's record, or of a node of its steps; an object of its own where it is large.

    Attributes:
        status: `completed`, `cached`, `failed`, `skipped` or `interrupted`.
        commit: The execution whose outputs these are; None when there was none.
        left: What an execution without outputs left in files: path → what is there since.
        attempt: An execution that failed or was interrupted: it has no outputs.
        took: Where an earlier result was used: how long its execution took, in milliseconds.
    """

    KIND: ClassVar[str] = "step"
    step: str
    status: str
    commit: Oid | None
    inputs: Mapping[str, tuple[Input, ...]]
    outputs: Mapping[str, Output]
    cache_key: Oid | None
    started: Moment | None
    finished: Moment | None
    failure: Failure | None
    log: Oid | None
    metadata: Mapping[str, Any]
    left: Mapping[str, str] = field(default_factory=dict)
    attempt: Oid | None = later(None)
    took: Duration | None = later(None)

    @property
    def execution(self) -> Oid | None:
        """The execution whose outputs these are, or that gave none."""
        return self.commit or self.attempt

    def typed_values(self) -> Iterator[Any]:
        """See `Record.typed_values`."""
        yield from self.metadata.values()


@record
class Order(Record):
    """The order of a run's steps, where they are many: it stays while the run goes on.

    Attributes:
        names: Their invocation ids.
    """

    KIND: ClassVar[str] = "order"
    names: tuple[str, ...]


@record
class Parts(Record):
    """What of a run is kept in objects of its own.

    Attributes:
        steps: The root of the map of its steps, see `maps.steps`.
        order: Their order, an `Order`.
    """

    steps: Oid
    order: Oid


@record
class Run(Record):
    """One execution of a pipeline.

    Attributes:
        run: The run's own id, random: the record changes while the run goes on.
        status: `running`, `completed`, `failed` or `interrupted`.
        steps: Invocation id → step run, of those that have ended.
        order: The invocation ids of all, in the order in which they could run.
        previous: The run id of the pipeline's run before this one.
        models: The versions of models that it worked on.
        parts: Where `steps` and `order` are kept, where they are many. A record that was just read has none of them
            then; `maps.steps.opened` gives it those.
    """

    KIND: ClassVar[str] = "run"
    run: str
    name: str
    pipeline: str
    file: str | None
    status: str
    params: Mapping[str, Any]
    steps: Mapping[str, StepRun]
    order: Sequence[str]
    previous: str | None
    git: GitState | None
    author: str
    started: Moment
    finished: Moment | None
    metadata: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    models: tuple[Output, ...] = later(())
    parts: Parts | None = later(None)

    def to_json(self) -> Any:
        """The fields as JSON data."""
        # What is kept apart is not written here as well.
        return Record.to_json(self if self.parts is None else dataclasses.replace(self, steps={}, order=()))

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Reads JSON data. Raises DamagedError as `Record.from_json`."""
        found = super().from_json(data)
        if found.parts is not None and (found.steps or found.order):
            raise DamagedError("A stored run says twice which steps it has; run `art fsck`.")
        return found

    def typed_values(self) -> Iterator[Any]:
        """See `Record.typed_values`; without those of steps that are kept apart."""
        for mapping in (self.params, self.metadata):
            yield from mapping.values()
        if self.parts is None:
            for step in self.steps.values():
                yield from step.typed_values()


@record
class Version(Record):
    """One number of one artifact name.

    The pair of name and artifact decides the number: making the same value again is the same version.

    Attributes:
        label: An explicit version such as "1.0", unique under the name.
        commit: The execution that made it; None for data saved or registered by hand.
        output: Which output of that execution.
        run: The run in which it was first made or saved.
        origin: `step`, `saved`, `registered`, `external`, `file` or `model`.
        metadata: What the materializer found out about the value, and what people noted, in the encoding of
            `vcs.values`. Not part of the artifact: a mean may differ in its last digit from one machine to another,
            and the same value has the same id everywhere.
        deleted: True for what stays of a deleted version, so that its number is never used again.
        noted: What of the metadata people noted, by name, sorted; None where nobody did, or nobody wrote that down.
        links: What belongs to it, where it is a version of a model.
        author: Who stored it, where neither an execution nor a run says so.
        revision: The Git commit that was checked out then.
    """

    KIND: ClassVar[str] = "version"
    name: str
    number: int
    label: str | None
    artifact: Oid
    commit: Oid | None
    output: str | None
    run: str | None
    origin: str
    created: Moment
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    deleted: bool = False
    noted: tuple[str, ...] | None = later(None)
    links: tuple[Output, ...] = later(())
    author: str | None = later(None)
    revision: str | None = later(None)

    @property
    def called(self) -> str:
        """The explicit version, else the number, as text."""
        return self.label or str(self.number)

    @property
    def spelt(self) -> str:
        """It as people write it, `NAME@VERSION`."""
        return f"{self.name}@{self.called}"

    def typed_values(self) -> Iterator[Any]:
        """See `Record.typed_values`."""
        yield from self.metadata.values()


@record
class Promotion(Record):
    """A stage of an artifact name that moved: since then it is another version, or none.

    Attributes:
        name: The artifact's name.
        stage: Such as `production`.
        artifact: The value that it is since; None where the stage was taken from all. The value itself is kept by its
            version, not by this.
        author: Who moved it.
        created: When; later than the promotion before it, whatever the clocks said.
        reason: Why, as the author says.
        run: The run in which that happened, if it did in one.
    """

    KIND: ClassVar[str] = "promotion"
    name: str
    stage: str
    artifact: Oid | None
    author: str
    created: Moment
    reason: Report
    run: str | None


@record
class State(Record):
    """What a repository is at one moment: its refs, and the files that hold its objects.

    A reader that has a state has all it needs to find every object, whatever others publish or collect meanwhile.

    Attributes:
        refs: The root node of the refs map, None when there are no refs.
        segments: Index segments, the largest first.
        loose: Files of packs and ops that no segment lists; the op's own is among them.
        condemned: Files that count as absent and are about to be deleted → the op that condemned them.
        epoch: How often files were condemned: while it stands still, what was there is still there.
        recent: The nonces of the last ops, newest first, the op's own left out.
    """

    refs: Oid | None
    segments: tuple[Oid, ...]
    loose: tuple[str, ...]
    condemned: Mapping[str, int]
    epoch: int
    recent: tuple[str, ...]


@record
class Op(Record):
    """One change of the repository: the state after it, who did it and why.

    Attributes:
        seq: One more than its parent's.
        parent: The op before.
        nonce: Random, so that a transaction can tell its own op from another's.
        attempt: Random, so that no two attempts to commit have the same bytes.
        when: Milliseconds since 1970 UTC.
    """

    KIND: ClassVar[str] = "op"
    seq: int
    parent: Oid | None
    state: State
    nonce: str
    attempt: str
    who: str
    when: Moment
    why: str
