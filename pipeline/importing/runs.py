"""Makes runs of the runs that MLflow has tracked."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import (
    ArtError,
    Commit,
    Failure,
    GitState,
    InvalidName,
    Oid,
    Output,
    PutRun,
    Refs,
    Repository,
    Run,
    StepRun,
    Transaction,
    UnknownName,
    ref_names,
    runs,
)
from artvcs.vcs import versions as known

from ..errors import PipelineError
from ..history import curves
from ..record import versions
from ..trace.model import Trace
from ..typing.encode import encode_all, encode_metadata
from .mlflow import Item, Mlflow
from .names import Names
from .storing import as_name, put_code, put_files

TOOL, STEP = "mlflow", "run"
"""What the tool is called, and the one step that each of its runs has here."""

_STATUS = {"FINISHED": "completed", "FAILED": "failed", "KILLED": "interrupted"}
_LEFT_OUT = "left out"
"""What a run notes of those of its artifacts that MLflow did not have when it was brought."""
_EXPERIMENT = "experiment"
"""How the execution that stands for a run notes whose it is, for names may be another here."""
_OWN = "mlflow."
"""How the tags begin that MLflow sets itself."""
_WHOLE = "parent run"
"""How a run notes the one that it was part of."""
_MEANT = {"mlflow.note.content": "description", "mlflow.parentRunId": _WHOLE}
"""Those of them that say something, and what that is called here."""

_RUN_ID = re.compile(r"[0-9a-f]{32}")

UNUSABLE = (
    InvalidName,
    UnknownName,
    PipelineError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
)
"""What is raised where MLflow holds something that nobody has expected."""


@dataclass
class Report:
    """What an import did, or would do.

    Attributes:
        runs: The names of runs.
        models: The versions of registered models.
        there: How many runs and versions were there already.
        unusable: What could not be brought → why.
        size: Bytes of artifacts that were brought.
    """

    runs: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    there: int = 0
    unusable: dict[str, str] = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True)
class Import:
    """One import, as its parts share it.

    Attributes:
        repository: Where runs and versions are made.
        source: The store.
        artifacts: The names of artifacts that this import gives.
        report: What is done is told there.
    """

    repository: Repository
    source: Mlflow
    artifacts: Names = field(default_factory=Names)
    report: Report = field(default_factory=Report)


class Runs:
    """The runs of one store."""

    def __init__(self, part_of: Import) -> None:
        self._import = part_of
        self._source = source = part_of.source
        self._report = part_of.report
        self._pipelines = Names()
        self._experiments = {str(each.name) for each in source.experiments}

    def look(self, refs: Refs, run: Any) -> None:
        """Tells whether a run would be brought, and how large it is."""
        with self._telling(run):
            before = runs.by_id(refs, _run_id(run))
            if not self._can_come(refs, run, before):
                return
            sizes = list[int]()
            missing = self._each(run, lambda _, item: sizes.append(self._source.size(item)))
            if self._is_news(before, missing, has_more=bool(sizes)):
                self._report.runs.append(called(run))
                self._report.size += sum(sizes)

    def bring(self, transaction: Transaction, experiment: str, run: Any) -> None:
        """Makes a run; one that is here without some of its artifacts stays so while these are not to be had."""
        with self._telling(run):
            before = runs.by_id(transaction, _run_id(run))
            if self._can_come(transaction, run, before):
                self._bring(transaction, experiment, run, before)

    @contextmanager
    def _telling(self, run: Any) -> Iterator[None]:
        """Puts a run that cannot be brought on the report, so that the others still come."""
        try:
            yield
        except UNUSABLE as error:
            self._source.check()
            self._report.unusable[f"The run {called(run)}"] = str(error) or type(error).__name__

    def _can_come(self, refs: Refs, run: Any, before: Run | None) -> bool:
        """Whether there may be something to bring of a run, which may be here already; else the report says why not."""
        if before is None and str(run.info.status) not in _STATUS:
            self._report.unusable[f"The run {called(run)}"] = (
                f'it still goes on; if not, `MlflowClient("{self._source.uri}").set_terminated("{run.info.run_id}", '
                '"KILLED")` ends it'
            )
            return False
        has_all = before is not None and _LEFT_OUT not in before.metadata and bool(_outputs_of(refs, before))
        if not has_all and (folder := self._source.absent(run)) is not None:
            self._report.unusable[f"What runs have logged in {folder}"] = (
                "there is no such folder, or it is empty; if they logged anything, bring it back and import again"
            )
        if has_all or (before is not None and _LEFT_OUT not in before.metadata and self._source.is_empty(run)):
            self._report.there += 1
            return False
        return True

    def _is_news(self, before: Run | None, missing: list[str], *, has_more: bool) -> bool:
        """Whether what can be had of a run is more than what is here of it."""
        if before is None:
            return True
        left_out = _plain({_LEFT_OUT: missing} if missing else {}).get(_LEFT_OUT)
        if before.metadata.get(_LEFT_OUT) != left_out or (_LEFT_OUT not in before.metadata and has_more):
            return True
        self._report.there += 1
        return False

    def _each(self, run: Any, take: Callable[[str, Item], object]) -> list[str]:
        """Does something with all that a run has logged; gives the names of what cannot be had."""
        of, missing = f"the run {called(run)}", list[str]()
        try:
            items = self._source.items(run)
        except ArtError as error:
            self._source.check()
            self._report.unusable[f"All that {of} has logged"] = str(error)
            return ["all"]
        for name, item in items.items():
            try:
                take(name, item)
            except ArtError as error:
                self._report.unusable[f"{name} of {of}"] = str(error)
                missing.append(name)
        return missing

    def _bring(self, transaction: Transaction, experiment: str, run: Any, before: Run | None) -> None:
        pipeline = self._pipeline(transaction, experiment)
        outputs, sizes = dict[str, Output](), list[int]()

        def take(name: str, item: Item) -> None:
            with self._source.fetched(item) as path:
                artifact, size = put_files(
                    self._import.repository, transaction, as_name(name), {"": path}, lambda _: None
                )
            outputs[name] = Output(artifact, self._artifact(transaction, pipeline, name))
            sizes.append(size)

        missing = self._each(run, take)
        if not self._is_news(before, missing, has_more=bool(outputs)):
            return
        left_out = _plain({_LEFT_OUT: missing} if missing else {})
        commit = self._commit(transaction, experiment, pipeline, run, outputs)
        noted = _plain(_said(transaction, run))
        record = _record(pipeline, run, commit, outputs, {**noted, **left_out})
        if before is not None:
            since = {key: value for key, value in before.metadata.items() if key != _LEFT_OUT}
            record = dataclasses.replace(record, metadata={**noted, **since, **left_out}, tags=before.tags)
        put = transaction.put(record)
        for name, output in outputs.items():
            fresh = versions.fresh(
                output.name, output.artifact, "registered", commit=commit, output=name, run=record.run
            )
            versions.add(transaction, dataclasses.replace(fresh, created=_times(run)[1]), {}, {})
        transaction.add(PutRun(transaction.get(ref_names.run(record.run)), put))
        self._report.size += sum(sizes)
        self._report.runs.append(record.name)

    def _pipeline(self, refs: Refs, experiment: str) -> str:
        """What the pipeline of an experiment is called: no other one's has that name."""

        def may_be(name: str) -> bool:
            if runs.latest(refs, name) is None:
                return True
            is_plain = name == experiment or name not in self._experiments
            found = (_execution(refs, run) for run in runs.of_pipeline(refs, name))
            # Imports that did not note it have put together what falls together.
            said = (each.config.get(_EXPERIMENT, experiment if is_plain else None) for each in found if each)
            return any(each == experiment for each in said)

        return self._pipelines.of(experiment, as_name(experiment), may_be)

    def _artifact(self, refs: Refs, pipeline: str, item: str) -> str:
        """What is called so that the runs of a pipeline have logged."""

        def may_be(name: str) -> bool:
            if not known.exists(refs, name):
                return True
            return any(
                version.output == item and refs.record(version.commit, Commit).pipeline == pipeline
                for version in known.of(refs, name)
                if version.commit is not None
            )

        return self._import.artifacts.of(f"{pipeline}/{item}", as_name(f"{pipeline}-{item}"), may_be)

    def _commit(
        self, transaction: Transaction, experiment: str, pipeline: str, run: Any, outputs: Mapping[str, Output]
    ) -> Oid:  # fmt: skip
        """The execution that a run stands for."""
        tags, history = run.data.tags, self._source.curves(run)
        git = GitState(tags.get("mlflow.source.git.commit"), tags.get("mlflow.source.git.branch"), None, None)
        started, finished = _times(run)
        return transaction.put(
            Commit(
                step=STEP, pipeline=pipeline,
                code=put_code(transaction, TOOL, STEP, "", str(tags.get("mlflow.source.name") or "")),
                params=_given(run.data.params), config={_EXPERIMENT: experiment}, inputs={}, reads={}, outputs=outputs,
                parents=(), cache_key=None, trace=transaction.put_blob(Trace().encode()), environment={},
                git=git if git.commit else None, author=_author(run), started=started, finished=finished,
                metadata=_plain(run.data.metrics), log=None,
                curves=transaction.put_blob(curves.encode(history)) if history else None,
            )
        )  # fmt: skip


def called(run: Any) -> str:
    """What a run of MLflow's is called."""
    return str(run.info.run_name or run.info.run_id)


def _execution(refs: Refs, run: Run) -> Commit | None:
    """The execution that stands for a run, if an import from MLflow has made it."""
    oid = run.steps[STEP].execution if tuple(run.steps) == (STEP,) else None
    found = refs.record(oid, Commit) if oid else None
    return found if found is not None and not found.code.file else None


def _outputs_of(refs: Refs, run: Run) -> Mapping[str, Output]:
    found = _execution(refs, run)
    return found.outputs if found else {}


def _run_id(run: Any) -> str:
    """A run keeps its id: so it is known again."""
    found = str(run.info.run_id)
    if _RUN_ID.fullmatch(found) is None:
        raise UnknownName(f"A run of MLflow has the id {found[:40]!r}, which is none; look at its store.")
    return found


def _record(
    pipeline: str, run: Any, commit: Oid, outputs: Mapping[str, Output], metadata: Mapping[str, Any]
) -> Run:  # fmt: skip
    """A run of one step."""
    status, (started, finished) = _STATUS[str(run.info.status)], _times(run)
    done, reason = status == "completed", f"the run ended as {run.info.status}"
    failure = None if done else Failure("MLflow", reason, f"MLflow: {reason}\n")
    step = StepRun(
        STEP, status, commit if done else None, {}, outputs if done else {}, None, started, finished, failure, None,
        {}, attempt=None if done else commit,
    )  # fmt: skip
    return Run(
        run=_run_id(run), name=as_name(called(run)), pipeline=pipeline, file=None, status=status,
        params=_given(run.data.params), steps={STEP: step}, order=(STEP,), previous=None, git=None,
        author=_author(run), started=started, finished=finished, metadata=metadata,
    )  # fmt: skip


def _said(refs: Refs, run: Any) -> dict[str, Any]:
    """What is noted about a run: its tags, its description, the run that it was part of, and what data it was given."""
    tags = run.data.tags
    noted = {key: value for key, value in tags.items() if not key.startswith(_OWN)}
    noted |= {name: tags[tag] for tag, name in _MEANT.items() if tags.get(tag)}
    if (whole := runs.by_id(refs, str(noted.get(_WHOLE)))) is not None:  # it began before, and so it is here
        noted[_WHOLE] = f"{whole.name} ({whole.run[:8]})"
    data = list(_data(run))
    return {**noted, "datasets": data} if data else noted


def _data(run: Any) -> Iterator[str]:
    """The data sets of a run, each as `NAME DIGEST (CONTEXT)`."""
    for each in getattr(getattr(run, "inputs", None), "dataset_inputs", None) or ():
        context = ", ".join(tag.value for tag in each.tags if tag.key == "mlflow.data.context")
        yield f"{each.dataset.name} {each.dataset.digest}" + (f" ({context})" if context else "")


def _author(run: Any) -> str:
    return str(run.data.tags.get("mlflow.user") or "")


def _times(run: Any) -> tuple[int, int]:
    """When a run began and ended, in milliseconds since 1970."""
    started = int(run.info.start_time or 0)
    return started, int(run.info.end_time or started)


def _given(params: Mapping[str, str]) -> dict[str, Any]:
    """Parameters, which MLflow keeps as texts, as what they are: numbers where they are spelt so."""
    return encode_all({name: _typed(text) for name, text in params.items()})


def _typed(text: str) -> int | float | bool | str:
    """What Python spells like a text; MLflow writes `str(value)`, and 007 or 1.10 would not be written so."""
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            number = kind(text)
        except (ValueError, OverflowError):
            continue
        if str(number) == text and (kind is int or math.isfinite(number)):
            return number
    return text


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return encode_metadata(dict(facts))
