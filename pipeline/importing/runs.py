"""Makes runs of the runs that MLflow has tracked, and models of those that it has registered."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import (
    ArtError,
    Commit,
    EditVersion,
    Failure,
    GitState,
    Oid,
    Output,
    Promote,
    Promotion,
    PutRun,
    Repository,
    Run,
    StepRun,
    Transaction,
    UnknownName,
    ref_names,
    runs,
)
from artvcs.vcs import stages as current
from artvcs.vcs import versions as known

from ..history import curves, lookup
from ..history.views import decode_all
from ..record import versions
from ..trace.model import Trace
from ..typing.encode import encode_all, encode_metadata
from ..values import store
from .mlflow import Mlflow
from .storing import as_name, put_code, put_files

TOOL, STEP = "mlflow", "run"
"""What the tool is called, and the one step that each of its runs has here."""

_AT_ONCE = 50
"""So many runs are published together."""

_STATUS = {"FINISHED": "completed", "FAILED": "failed", "KILLED": "interrupted"}
_LEFT_OUT = "left out"
"""What a run notes of those of its artifacts that MLflow did not have when it was brought."""
_OWN = "mlflow."
"""How the tags begin that MLflow sets itself."""

_RUN_ID = re.compile(r"[0-9a-f]{32}")


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


class Bringing:
    """One import from MLflow.

    Args:
        repository: Where runs and versions are made.
        source: The store.
    """

    def __init__(self, repository: Repository, source: Mlflow) -> None:
        self._repository = repository
        self._source = source
        self.report = Report()

    def look(self) -> Report:
        """Says what would be brought; nothing is stored."""
        refs = self._repository.refs()
        for _, run in self._source.runs():
            before = runs.by_id(refs, _run_id(run))
            if not self._can_come(run, before):
                continue
            if before is not None:
                self.report.there += 1
            else:
                self.report.runs.append(_called(run))
        for model in self._source.models():
            there = self._known_models(refs, _model_name(model.name))
            for version in self._source.versions(model.name):
                if str(version.version) in there:
                    self.report.there += 1
                else:
                    self.report.models.append(f"{model.name} {version.version}")
        return self.report

    def bring(self, watch: Callable[[int], None] = lambda _: None) -> Report:
        """Makes runs and versions; what is there already is left as it is.

        Raises:
            PipelineError: MLflow cannot read the store.
            StorageError: The repository cannot be written.
        """
        with self._repository.transaction("import from mlflow") as transaction:
            for number, (experiment, run) in enumerate(self._source.runs()):
                watch(number)
                before = runs.by_id(transaction, _run_id(run))
                if not self._can_come(run, before):
                    continue
                self._run(transaction, experiment, run, before)
                if number % _AT_ONCE == _AT_ONCE - 1:
                    transaction.publish()
            transaction.publish()
            for model in self._source.models():
                self._model(transaction, model)
                transaction.publish()
        return self.report

    def _can_come(self, run: Any, before: Run | None) -> bool:
        """Whether there is something to bring of a run, which may be here already; else the report says why not."""
        if before is not None and _LEFT_OUT not in before.metadata:
            self.report.there += 1
        elif str(run.info.status) not in _STATUS:
            self.report.unusable[f"The run {_called(run)}"] = "it still goes on"
        else:
            return True
        return False

    def _run(self, transaction: Transaction, experiment: str, run: Any, before: Run | None) -> None:
        """Makes a run; one that is here without some of its artifacts stays so while these are not to be had."""
        pipeline = as_name(experiment)
        outputs, missing = self._outputs(transaction, pipeline, run)
        left_out = _plain({_LEFT_OUT: missing} if missing else {})
        if before is not None and before.metadata[_LEFT_OUT] == left_out.get(_LEFT_OUT):
            self.report.there += 1
            return
        commit = self._commit(transaction, pipeline, run, outputs)
        for item, output in outputs.items():
            fresh = versions.fresh(
                output.name, output.artifact, "registered", commit=commit, output=item, run=_run_id(run)
            )
            versions.add(transaction, dataclasses.replace(fresh, created=_times(run)[1]), {}, {})
        noted = _plain({key: value for key, value in run.data.tags.items() if not key.startswith(_OWN)})
        record = _record(pipeline, run, commit, outputs, {**noted, **left_out})
        if before is not None:
            since = {key: value for key, value in before.metadata.items() if key != _LEFT_OUT}
            record = dataclasses.replace(record, metadata={**noted, **since, **left_out}, tags=before.tags)
        transaction.add(PutRun(transaction.get(ref_names.run(record.run)), transaction.put(record)))
        self.report.runs.append(record.name)

    def _commit(self, transaction: Transaction, pipeline: str, run: Any, outputs: Mapping[str, Output]) -> Oid:
        """The execution that a run stands for."""
        tags, history = run.data.tags, self._source.curves(run)
        git = GitState(tags.get("mlflow.source.git.commit"), tags.get("mlflow.source.git.branch"), None, None)
        started, finished = _times(run)
        return transaction.put(
            Commit(
                step=STEP, pipeline=pipeline,
                code=put_code(transaction, TOOL, STEP, "", str(tags.get("mlflow.source.name") or "")),
                params=_given(run.data.params), config={}, inputs={}, reads={}, outputs=outputs, parents=(),
                cache_key=None, trace=transaction.put_blob(Trace().encode()), environment={},
                git=git if git.commit else None, author=_author(run), started=started, finished=finished,
                metadata=_plain(run.data.metrics), log=None,
                curves=transaction.put_blob(curves.encode(history)) if history else None,
            )
        )  # fmt: skip

    def _outputs(self, transaction: Transaction, pipeline: str, run: Any) -> tuple[dict[str, Output], list[str]]:
        """What a run has logged, stored, and what of it cannot be had."""
        called, found, missing = f"the run {_called(run)}", dict[str, Output](), list[str]()
        try:
            items = self._source.items(run)
        except ArtError as error:
            self.report.unusable[f"All that {called} has logged"] = str(error)
            return {}, ["all"]
        for item, where in items.items():
            try:
                with self._source.fetched(where) as path:
                    artifact, size = put_files(self._repository, transaction, as_name(item), {"": path}, lambda _: None)
            except ArtError as error:
                self.report.unusable[f"{item} of {called}"] = str(error)
                missing.append(item)
                continue
            self.report.size += size
            found[item] = Output(artifact, as_name(f"{pipeline}-{item}"))
        return found, missing

    def _model(self, transaction: Transaction, model: Any) -> None:
        """The versions of a registered model, and the stages and aliases that they are in."""
        name = _model_name(model.name)
        there, made = self._known_models(transaction, name), dict[str, tuple[Output, ...]]()
        found = self._source.versions(model.name)
        for version in found:
            number = str(version.version)
            if number in there:
                self.report.there += 1
                made[number] = there[number]
            else:
                made[number] = self._model_version(transaction, name, model, version)
        aliases = dict(getattr(model, "aliases", None) or {})
        stages = {str(v.current_stage).lower(): str(v.version) for v in found if v.current_stage not in (None, "None")}
        for stage, number in {**stages, **{alias: str(version) for alias, version in aliases.items()}}.items():
            if stage in ("archived", lookup.LATEST):
                continue
            for promoted in made.get(number, ()):
                before = current.last(transaction, promoted.name, as_name(stage))
                if before is not None and before.author != TOOL:
                    continue  # somebody has moved it here since
                when = _moment(found, number)
                transaction.add(
                    Promote(Promotion(promoted.name, as_name(stage), promoted.artifact, TOOL, when, "", None))
                )

    def _model_version(self, transaction: Transaction, name: str, model: Any, version: Any) -> tuple[Output, ...]:
        """A version of a registered model, stored: the model's, and that of its files; none without them."""
        called = f"{model.name} {version.version}"
        try:
            with self._source.fetched(f"models:/{model.name}/{version.version}") as path:
                artifact, size = put_files(
                    self._repository, transaction, as_name(model.name), {"": path}, lambda _: None
                )
        except ArtError as error:
            self.report.unusable[called] = str(error)
            return ()
        self.report.size += size
        run = str(version.run_id or "") or None
        created = int(version.creation_timestamp or 0)
        files = Output(artifact, as_name(model.name))
        fresh = versions.fresh(files.name, artifact, "registered", run=run)
        versions.add(transaction, dataclasses.replace(fresh, created=created), {}, {})
        value = {"model": name.removeprefix(lookup.MODELS), "id": f"{TOOL} {version.version} {version.run_id}"}
        saved = store.save(transaction, self._repository, value, describe=False)
        tags = ("archived",) if version.current_stage == "Archived" else ()
        noted = {"mlflow version": str(version.version), **dict(version.tags or {})}
        noted |= {"description": version.description} if version.description else {}
        noted |= self._measures(transaction, run)
        of_model = versions.fresh(name, saved.id, "model", run=run, tags=tags)
        versions.add(transaction, dataclasses.replace(of_model, created=created), {}, encode_metadata(noted))
        transaction.add(EditVersion(name, saved.id, {}, links=(files, *self._made_in(transaction, run))))
        self.report.models.append(called)
        return Output(saved.id, name), files

    def _measures(self, transaction: Transaction, run: str | None) -> dict[str, Any]:
        """The measures of the run that made a model."""
        found = runs.by_id(transaction, run) if run else None
        oid = found.steps[STEP].execution if found and STEP in found.steps else None
        return decode_all(transaction.record(oid, Commit).metadata) if oid else {}

    def _made_in(self, transaction: Transaction, run: str | None) -> tuple[Output, ...]:
        found = runs.by_id(transaction, run) if run else None
        return tuple(found.steps[STEP].outputs.values()) if found and STEP in found.steps else ()

    def _known_models(self, refs: Any, name: str) -> dict[str, tuple[Output, ...]]:
        """The versions of a model that were brought already: MLflow's number → the model's version and its files."""
        found = ((version.metadata.get("mlflow version"), version) for version in known.of(refs, name))
        return {
            number: (
                Output(version.artifact, name),
                *[each for each in version.links if each.name == name.removeprefix(lookup.MODELS)][:1],
            )
            for number, version in found
            if isinstance(number, str)
        }


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
    done = status == "completed"
    failure = None if done else Failure("MLflow", f"the run ended as {run.info.status}", "")
    step = StepRun(
        STEP, status, commit if done else None, {}, outputs if done else {}, None, started, finished, failure, None,
        {}, attempt=None if done else commit,
    )  # fmt: skip
    return Run(
        run=_run_id(run), name=as_name(_called(run)), pipeline=pipeline, file=None, status=status,
        params=_given(run.data.params), steps={STEP: step}, order=(STEP,), previous=None, git=None,
        author=_author(run), started=started, finished=finished, metadata=metadata,
    )  # fmt: skip


def _called(run: Any) -> str:
    return str(run.info.run_name or run.info.run_id)


def _author(run: Any) -> str:
    return str(run.data.tags.get("mlflow.user") or "")


def _times(run: Any) -> tuple[int, int]:
    """When a run began and ended, in milliseconds since 1970."""
    started = int(run.info.start_time or 0)
    return started, int(run.info.end_time or started)


def _model_name(name: str) -> str:
    return lookup.model_name(as_name(name))


def _moment(found: list[Any], number: str) -> int:
    version = next(each for each in found if str(each.version) == number)
    return int(getattr(version, "last_updated_timestamp", None) or version.creation_timestamp or 0)


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
        if str(number) == text and math.isfinite(number):
            return number
    return text


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return encode_metadata(dict(facts))
