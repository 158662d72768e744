"""What users see of the past: pipeline runs, the steps in them, and versions of artifacts.

All are read-only and read what they show when it is asked for.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from artvcs.vcs import (
    Artifact,
    Commit,
    DamagedError,
    Failure,
    Input,
    Oid,
    Output,
    Repository,
    Run,
    StepRun,
    UnknownName,
    Version,
    damaged,
    has_steps,
    parts,
    runs,
    stages,
    uses,
    values,
    versions,
)
from artvcs.vcs.tracebacks import folded

from ..define.handles import Source
from ..escaping import printable
from ..trace.owners import note
from ..values import materializers, store, trust
from ..values.trust import Trust
from . import answers, curves
from .curves import Curve
from .finding import run_lookup
from .tables import Curves, Named, Pictures, StepRuns, Steps

if TYPE_CHECKING:
    from ..fingerprint import Fingerprint
    from ..values.visualizations import Visualization

T = TypeVar("T")


class ArtifactVersion(Source):
    """One version of an artifact.

    Attributes:
        record: The stored record.
        repository: Where it is stored.
    """

    def __init__(self, repository: Repository, record: Version, trust: Trust | None = None) -> None:
        self.record = record
        self.repository = repository
        self._trust = trust

    @property
    def id(self) -> Oid:
        """The artifact's id: the hash of what it is, the same everywhere."""
        return self.record.artifact

    @property
    def name(self) -> str:
        """The artifact's name."""
        return self.record.name

    @property
    def version(self) -> str:
        """The explicit version, else the number, as text."""
        return self.record.called

    @property
    def number(self) -> int:
        """The version's number under its name."""
        return self.record.number

    @property
    def tags(self) -> tuple[str, ...]:
        """Its labels."""
        self._ask_what_is_noted()
        return self.record.tags

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that it is in."""
        now = stages.current(self.repository.refs(), self.name)
        found = tuple(stage for stage, promotion in now.items() if promotion.artifact == self.id)
        question = {"name": self.name, "artifact": self.id}
        note(answers.STAGES, question, lambda: answers.of_stages(found))
        return found

    @property
    def created(self) -> datetime:
        """When it was first made or saved."""
        return from_ms(self.record.created)

    @cached_property
    def artifact(self) -> Artifact:
        """The artifact's record: type, materializer, payload."""
        return self.repository.store.record(self.id, Artifact)

    @property
    def type(self) -> str:
        """The value's type, as `module.qualname`."""
        return self.artifact.type

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return self.artifact.size

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What was extracted from the value, and what was noted with `log_metadata`."""
        self._ask_what_is_noted()
        return decode_all(self.record.metadata)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What conditions are asked about: `metadata`, else what its step noted, else the parameters of that step."""
        self._ask_what_is_noted()
        return decode_all(versions.noted(self.record, self.commit))

    def _ask_what_is_noted(self) -> None:
        """A step that asks depends on what is noted, which may change though the value does not."""
        note(answers.NOTED, {"name": self.name, "artifact": self.id}, lambda: answers.of_versions([self.record]))

    def __cache_identity__(self) -> tuple[str, Oid, int]:
        """What a step depends on that holds this version: see `values.identity`."""
        return self.name, self.id, self.number

    def load(self) -> Any:
        """The value, made anew at each call: changing it changes nothing stored.

        Raises:
            MaterializerError: The files cannot be turned into the value here.
            UntrustedData: That runs code which came from elsewhere; `art trust` lets it.
            UnknownName: Its data is not here.
            DamagedError: Its data is not what was stored.
        """
        return store.load(self.repository, self.id, self.trust)

    def open(self, path: str | None = None) -> BinaryIO:
        """One of its files, to be read and sought in; of what is elsewhere only those parts come that are read.

        Args:
            path: Which one, as in `a/b.csv`; by default the only one.

        Raises:
            UnknownName: There is no such file, or its data is nowhere.
            RemoteError: Its data is elsewhere, and cannot be reached.
            DamagedError: It is not what was stored.
        """
        return parts.open_file(self.repository, self.id, path)

    @property
    def trust(self) -> Trust:
        """Whether code that came with the value may run when it is loaded."""
        return self._trust or trust.of(self.repository, self.id, f"{self.name}@{self.version}")

    def without_code(self) -> ArtifactVersion:
        """This version, to be loaded only if that runs no code that came with it: for showing it unasked."""
        return type(self)(self.repository, self.record, Trust(False))

    @cached_property
    def data(self) -> Any:
        """The value, loaded once."""
        return self.load()

    @cached_property
    def commit(self) -> Commit | None:
        """The execution that made it; None for what was saved or registered by hand."""
        return self.repository.store.record(self.record.commit, Commit) if self.record.commit else None

    @property
    def run(self) -> PipelineRun | None:
        """The run in which it was first made or saved."""
        if self.record.run is None:
            return None
        found = runs.by_id(self.repository.refs(), self.record.run)
        if found is None:
            raise UnknownName(f"The run in which {self.name}@{self.version} was made has been deleted.")
        return PipelineRun(self.repository, found)

    @property
    def producer(self) -> StepView | None:
        """The step run that first made it."""
        steps = self.run.steps.values() if self.run else ()
        return next((step for step in steps if self._key in step.made), None)

    @property
    def consumers(self) -> list[StepView]:
        """All step runs that took it as an input or read it while they ran, newest run first."""
        refs = self.repository.refs()
        taken = self.repository.catalog(refs).runs.taken_by(self.name, self.id)
        found = runs.with_ids(refs, dict.fromkeys(run for run, _ in taken))
        steps = (step for run in damaged.whole(found) for step in PipelineRun(self.repository, run).steps.values())
        return StepRuns(step for step in steps if (step.run.id, step.name) in taken)

    def remarks(self, limit: int = -1) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """What steps noted that took it or read it, each with its step, those of the newest runs first.

        Args:
            limit: Look at so many things at most that were noted.
        """
        refs = self.repository.refs()
        said = self.repository.catalog(refs).runs.noted_by_takers(self.name, self.id, limit)
        for (run, step), group in itertools.groupby(said, key=lambda each: (each.run, each.step)):
            noted = {each.key: each.json for each in group}
            if None in noted.values():  # of what is long the catalog knows only that it is there
                record = runs.by_id(refs, run)
                if record is not None and step in record.steps:
                    yield step, PipelineRun(self.repository, record).steps[step].noted
            else:
                yield step, {key: values.decode(json.loads(text)) for key, text in noted.items() if text is not None}

    @property
    def _key(self) -> tuple[str, Oid]:
        return self.name, self.id  # a value alone is not enough: 1 has been made many times

    def visualizations(self) -> list[Visualization]:
        """Pictures of the value, made now by the materializer that wrote it.

        Raises:
            MaterializerError: The value cannot be loaded or drawn here.
            UntrustedData: Loading it runs code that came from elsewhere.
        """
        from ..values.visualizations import make

        value = self.load()
        return Pictures(make(value, materializers.by_name(self.artifact.materializer, self.trust)))

    def visualize(self, title: str | None = None) -> list[Visualization]:
        """Shows the value: as a page in a notebook, as text in a terminal.

        Args:
            title: What to write above; by default name and version.

        Returns:
            The pictures that were shown.
        """
        from ..values.visualizations import notebook
        from ..values.visualizations.model import Shown

        pictures = self.visualizations()
        notebook.show(pictures, title or f"{self.name}@{self.version}")
        return Shown(pictures)

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.artifact_card(self)

    def __repr__(self) -> str:
        return printable(f"<artifact {self.name}@{self.version} {self.type} {self.id[:12]}>")


class StepView:
    """One step in one run.

    Attributes:
        name: Its invocation id.
        run: The run.
    """

    def __init__(self, repository: Repository, run: PipelineRun, name: str) -> None:
        self.name = name
        self.run = run
        self._repository = repository

    @property
    def record(self) -> StepRun:
        """The stored record."""
        try:
            return self.run.read(lambda run: run.steps[self.name])
        except KeyError:
            raise DamagedError(
                f"The step {self.name!r} of run {self.run.name} cannot be read; run `art fsck --repair`."
            ) from None

    @property
    def status(self) -> str:
        """`completed`, `cached`, `failed`, `skipped` or `interrupted`."""
        return self.record.status

    @property
    def cached(self) -> bool:
        """Whether an earlier result was used."""
        return self.status == "cached"

    @property
    def duration(self) -> timedelta:
        """How long it took in this run."""
        return timedelta(milliseconds=(self.record.finished or 0) - (self.record.started or 0))

    @property
    def failure(self) -> Failure | None:
        """Why it failed."""
        return self.record.failure

    @property
    def traceback(self) -> str:
        """What it raised, if it failed: the frames of your own code, those of libraries folded."""
        return folded(self.failure.traceback, Path.cwd()) if self.failure else ""

    @property
    def inputs(self) -> dict[str, Any]:
        """Input name → the artifact version it took, or a list of them."""
        found = {
            name: [self._version(each.name, each.artifact) for each in group]
            for name, group in self.record.inputs.items()
        }
        return Named({name: group if len(group) != 1 else group[0] for name, group in found.items()})

    @property
    def outputs(self) -> dict[str, ArtifactVersion]:
        """Output name → the artifact version it made, or made again."""
        return Named({
            _shown(name, output): self._version(output.name, output.artifact)
            for name, output in self.record.outputs.items()
        })  # fmt: skip

    @property
    def output(self) -> ArtifactVersion:
        """The only output.

        Raises:
            UnknownName: There is none, or more than one.
        """
        outputs = list(self.outputs.values())
        if len(outputs) != 1:
            raise UnknownName(f"The step {self.name!r} has {len(outputs)} outputs; choose one from .outputs.")
        return outputs[0]

    @property
    def reads(self) -> dict[str, ArtifactVersion]:
        """`NAME` or `NAME@VERSION` → what it got when it asked the Client for that while it ran."""
        reads = self.execution.reads if self.execution else {}
        return Named({asked: self._version(got.name, got.artifact) for asked, got in reads.items()})

    @property
    def taken(self) -> set[tuple[str, Oid]]:
        """Name and id of the artifacts it took or read."""
        return uses.taken(self.record, self.execution)

    @property
    def made(self) -> set[tuple[str, Oid]]:
        """Name and id of the artifacts it made."""
        return uses.made(self.record)

    @cached_property
    def commit(self) -> Commit | None:
        """The execution whose outputs these are; None where there was none."""
        return self._repository.store.record(self.record.commit, Commit) if self.record.commit else None

    @cached_property
    def execution(self) -> Commit | None:
        """The execution whose outputs these are, or that failed or was interrupted; None where there was none."""
        oid = self.record.execution
        return self._repository.store.record(oid, Commit) if oid else None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Its parameters."""
        return decode_all(self.execution.params) if self.execution else {}

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What it noted with `log_metadata`."""
        return decode_all({**(self.execution.metadata if self.execution else {}), **self.record.metadata})

    @property
    def noted(self) -> Mapping[str, Any]:
        """All that it noted, about itself and about the model that it worked on."""
        return decode_all({**(self.execution.noted if self.execution else {}), **self.record.metadata})

    @property
    def curves(self) -> dict[str, Curve]:
        """What it noted step by step of a training, by name.

        Raises:
            DamagedError: It cannot be understood.
        """
        oid = self.execution.curves if self.execution else None
        return Curves(curves.decode(self._repository.store.read(oid, "blob")) if oid else {})

    @property
    def logs(self) -> str:
        """What it printed when it ran."""
        return self._repository.store.read(self.record.log, "blob").decode() if self.record.log else ""

    @property
    def fingerprint(self) -> Fingerprint | None:
        """The code that ran, part by part."""
        return run_lookup.code_of(self._repository.store, self.execution) if self.execution else None

    @property
    def code(self) -> str:
        """The source text that ran: the step and all of the user's own that it reached."""
        parts = self.fingerprint.parts if self.fingerprint else ()
        return "\n\n".join(f"# {part.name}\n{part.source}" for part in parts)

    def _version(self, name: str, artifact: Oid) -> ArtifactVersion:
        version = versions.by_value(self._repository.refs(), name, artifact)
        if version is None:
            raise UnknownName(f"The version of {name!r} that the step {self.name!r} used has been deleted.")
        return ArtifactVersion(self._repository, version)

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.step_card(self)

    def __repr__(self) -> str:
        return printable(f"<step {self.name} of {self.run.name}: {self.status}>")


class PipelineRun:
    """One execution of a pipeline.

    Attributes:
        record: The stored record.
    """

    def __init__(self, repository: Repository, record: Run) -> None:
        self.record = record
        self._repository = repository

    def __cache_identity__(self) -> tuple[str, Oid]:
        """What a step depends on that holds this run: see `values.identity`."""
        return self.record.run, self.record.oid

    def read(self, ask: Callable[[Run], T]) -> T:
        """Something of its record that is read when it is asked for, as its steps are."""
        try:
            if not has_steps(self.record):
                raise DamagedError(f"The steps of run {self.name} are lost; run `art fsck --repair`.")
            return ask(self.record)
        except (DamagedError, KeyError, UnknownName):
            if not self._renew():
                raise
            return self.read(ask)

    def _renew(self) -> bool:
        """Takes the record as it was written anew since, as when more is noted of the run; whether it was."""
        newer = runs.readable(self._repository.refs(), self.id)
        if newer is None or newer.parts == self.record.parts:
            return False
        self.record = newer
        return True

    @property
    def id(self) -> str:
        """The run's id."""
        return self.record.run

    @property
    def name(self) -> str:
        """The run's name."""
        return self.record.name

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.record.pipeline

    @property
    def status(self) -> str:
        """`completed`, `failed`, `interrupted` or `running`."""
        return self.record.status

    @property
    def started(self) -> datetime:
        """When it began."""
        return from_ms(self.record.started)

    @property
    def duration(self) -> timedelta:
        """How long it took."""
        return timedelta(milliseconds=(self.record.finished or self.record.started) - self.record.started)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The pipeline's parameters."""
        return decode_all(self.record.params)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What was noted about the run with `log_metadata`."""
        return decode_all(self.record.metadata)

    @property
    def tags(self) -> tuple[str, ...]:
        """Its labels."""
        return self.record.tags

    @property
    def tracebacks(self) -> dict[str, str]:
        """Failed step → what it raised: see `StepView.traceback`."""
        return {name: self.steps[name].traceback for name in self.failed}

    @property
    def failed(self) -> list[str]:
        """The steps that failed, in the order in which they could run."""
        # Of very many, all are read sooner than each is found.
        failed, order = self.read(lambda run: ({name for name, step in run.steps.items() if step.failure}, run.order))
        return [name for name in order if name in failed]

    @cached_property
    def steps(self) -> dict[str, StepView]:
        """Invocation id → the step in this run, in the order in which they could run."""
        self._repository.refs()  # looks again what is here: what is in memory may be gone
        names = self.read(lambda run: [*run.order] if len(run.steps) == len(run.order) else _ended(run))
        return Steps({name: StepView(self._repository, self, name) for name in names})

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.run_card(self)

    def __repr__(self) -> str:
        return printable(f"<run {self.name}: {self.status}>")


def _ended(run: Run) -> list[str]:
    """The steps of a run that have ended, in the order in which they could run."""
    ended = set(run.steps)
    return [name for name in run.order if name in ended]


def from_ms(moment: int) -> datetime:
    """A stored time, milliseconds since 1970 UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC)


def decode_all(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Stored typed values as Python values."""
    return {name: values.decode(value) for name, value in stored.items()}


def _shown(name: str, output: Output) -> str:
    """Under which name a run shows an output: the declared one, or what its placeholders became."""
    return output.name if "{" in name else name


__all__ = ["ArtifactVersion", "Input", "PipelineRun", "StepView", "decode_all", "from_ms"]
