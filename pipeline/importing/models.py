"""Makes models of those that MLflow has registered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from artvcs.vcs import (
    ArtError,
    Commit,
    EditVersion,
    Oid,
    Output,
    Promote,
    Promotion,
    Refs,
    Transaction,
    Version,
    now_ms,
    runs,
)
from artvcs.vcs import stages as current
from artvcs.vcs import versions as known

from ..history.finding import lookup, meant
from ..history.views import decode_all
from ..record import versions
from ..typing.encode import encode_metadata
from ..values import store
from .names import Names
from .runs import STEP, TOOL, UNUSABLE, Import
from .storing import as_name, put_files

_NUMBER, _MODEL = "mlflow version", "mlflow model"
"""What a version of a model notes: its number in MLflow, and the model's name, where it is another here."""
_ARCHIVED = "archived"
"""A stage of MLflow's for any number of versions; here a tag."""


class Models:
    """The registered models of one store.

    Attributes:
        found: What MLflow says of each.
    """

    def __init__(self, part_of: Import) -> None:
        self._import = part_of
        self._source = part_of.source
        self._report = part_of.report
        self._models = Names()
        self.found = self._source.models()
        self._originals = {str(each.name) for each in self.found}

    def look(self, refs: Refs, model: Any) -> None:
        """Tells which versions of a model would be brought, and how large they are."""
        there = _known(refs, self._name(refs, model.name))
        for version in self._source.versions(model.name):
            if str(version.version) in there:
                self._report.there += 1
                continue
            try:
                self._report.size += self._source.size(self._source.files(version))
                self._report.models.append(_called(version))
            except ArtError as error:
                self._report.unusable[_called(version)] = str(error)

    def bring(self, transaction: Transaction, model: Any) -> None:
        """Makes the versions of a model, and moves the stages that MLflow's aliases and stages are here."""
        name = self._name(transaction, model.name)
        there, made = _known(transaction, name), dict[str, tuple[Output, ...]]()
        found = self._source.versions(model.name)
        for version in found:
            number = str(version.version)
            if number in there:
                self._report.there += 1
                made[number] = there[number]
                continue
            try:
                made[number] = self._version(transaction, name, model, version)
            except UNUSABLE as error:
                self._report.unusable[_called(version)] = str(error) or type(error).__name__
        self._move(transaction, model, found, made)

    def _name(self, refs: Refs, original: str) -> str:
        """What the versions of a model are stored as: no other model's are stored so."""

        def may_be(name: str) -> bool:
            stored = meant.model_name(name)
            # Imports that did not note it have put together what falls together.
            unsaid = original if name == original or name not in self._originals else name
            return not known.exists(refs, stored) or any(
                _NUMBER in each.metadata and each.metadata.get(_MODEL, unsaid) == original
                for each in known.of(refs, stored)
            )

        return meant.model_name(self._models.of(original, as_name(original), may_be))

    def _files_name(self, refs: Refs, model: str) -> str:
        """What the files of a model's versions are called: no other artifact has that name."""

        def may_be(name: str) -> bool:
            return not known.exists(refs, name) or any(
                owner == model
                for version in known.of(refs, name)
                if version.commit is None
                for owner, _ in known.owners(refs, name, version.artifact)
            )

        return self._import.artifacts.of(model, model.removeprefix(meant.MODELS), may_be)

    def _version(self, transaction: Transaction, name: str, model: Any, version: Any) -> tuple[Output, ...]:
        """A version of a registered model, stored: the model's, and that of its files."""
        number = str(version.version)
        with self._source.fetched(self._source.files(version)) as path:
            artifact, size = put_files(
                self._import.repository, transaction, as_name(model.name), {"": path}, lambda _: None
            )
        run, created = str(version.run_id or "") or None, int(version.creation_timestamp or 0)
        value = {"model": name.removeprefix(meant.MODELS), "id": f"{TOOL} {version.version} {version.run_id}"}
        saved = store.save(transaction, self._import.repository, value, describe=False)
        # What MLflow says of a model is no measure of the run that it came of.
        facts = encode_metadata({
            _NUMBER: number, **({_MODEL: model.name} if meant.model_name(model.name) != name else {}),
            **_said(model, version),
        })  # fmt: skip
        noted = encode_metadata(_measures(transaction, run))
        files = Output(artifact, self._files_name(transaction, name))
        self._add(transaction, files, "registered", run, created, number)
        tags = (_ARCHIVED,) if version.current_stage == "Archived" else ()
        of_model = Output(saved.id, name)
        self._add(transaction, of_model, "model", run, created, number, tags, facts, noted)
        transaction.add(EditVersion(name, saved.id, {}, links=(files, *_made_in(transaction, run))))
        self._report.size += size
        self._report.models.append(_called(version))
        return of_model, files

    def _add(
        self, transaction: Transaction, what: Output, origin: str, run: str | None, created: int, number: str,
        tags: tuple[str, ...] = (), facts: Mapping[str, Any] | None = None, noted: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        label = number if _needs_label(transaction, what, number) else None
        fresh = versions.fresh(what.name, what.artifact, origin, label=label, run=run, tags=tags)
        versions.add(transaction, dataclasses.replace(fresh, created=created), facts or {}, noted or {})

    def _move(
        self, transaction: Transaction, model: Any, found: list[Any], made: dict[str, tuple[Output, ...]]
    ) -> None:  # fmt: skip
        """Moves stages to where MLflow has them, and takes away those that it has no more.

        One that somebody has moved here stays where it is.
        """
        wanted = {
            str(each.current_stage).lower(): str(each.version)
            for each in found
            if str(each.current_stage or "None") not in ("None", _ARCHIVED.capitalize())
        }
        wanted |= {alias: str(version) for alias, version in dict(getattr(model, "aliases", None) or {}).items()}
        wanted = {as_name(stage): number for stage, number in wanted.items()}
        for stage, number in wanted.items():
            moment = next((_moment(each) for each in found if str(each.version) == number), 0)
            for version in made.get(number, ()):
                if _would_be_a_version(transaction, version.name, stage):
                    self._report.unusable[f"The alias {stage} of {model.name}"] = (
                        "it would be taken for a version here; give it another name"
                    )
                elif _is_ours(transaction, version.name, stage):
                    promotion = Promotion(version.name, stage, version.artifact, TOOL, moment, "", None)
                    transaction.add(Promote(promotion))
        for name in dict.fromkeys(each.name for outputs in made.values() for each in outputs):
            for stage in current.current(transaction, name):
                if stage not in wanted and _is_ours(transaction, name, stage):
                    transaction.add(Promote(Promotion(name, stage, None, TOOL, now_ms(), "", None)))


def _called(version: Any) -> str:
    return f"{version.name} {version.version}"


def _known(refs: Refs, name: str) -> dict[str, tuple[Output, ...]]:
    """The versions of a model that were brought already: MLflow's number → the model's version and its files."""
    found = ((version.metadata.get(_NUMBER), version) for version in known.of(refs, name))
    # Its files were linked first.
    return {
        number: (Output(version.artifact, name), *version.links[:1])
        for number, version in found
        if isinstance(number, str)
    }


def _said(model: Any, version: Any) -> dict[str, Any]:
    """What is noted about a version of a model, and about the model."""
    descriptions = {"description": version.description, "model description": getattr(model, "description", None)}
    noted = {**dict(getattr(model, "tags", None) or {}), **dict(version.tags or {})}
    return {**noted, **{name: text for name, text in descriptions.items() if text}}


def _steps(refs: Refs, run: str | None) -> Iterator[tuple[Oid | None, tuple[Output, ...]]]:
    """The execution, and what it has logged, of the run that made a model."""
    found = runs.by_id(refs, run) if run else None
    if found is not None and (step := found.steps.get(STEP)) is not None:
        yield step.execution, tuple(step.outputs.values())


def _measures(refs: Refs, run: str | None) -> dict[str, Any]:
    return {
        name: value
        for oid, _ in _steps(refs, run)
        if oid is not None
        for name, value in decode_all(refs.record(oid, Commit).metadata).items()
    }


def _made_in(refs: Refs, run: str | None) -> tuple[Output, ...]:
    return tuple(output for _, outputs in _steps(refs, run) for output in outputs)


def _needs_label(refs: Refs, what: Output, number: str) -> bool:
    """Whether a version has to be told by a label to have MLflow's number here, and nothing else is called so."""
    if known.by_value(refs, what.name, what.artifact) or known.last_number(refs, what.name) + 1 == int(number):
        return False
    taken: Version | None = lookup.with_version(refs, what.name, number)
    return taken is None and current.version(refs, what.name, number) is None


def _would_be_a_version(refs: Refs, name: str, stage: str) -> bool:
    is_word = known.as_number(stage) is not None or stage in (meant.LATEST, "HEAD")
    return is_word or known.by_label(refs, name, stage) is not None


def _is_ours(refs: Refs, name: str, stage: str) -> bool:
    """Whether nobody has moved a stage here."""
    last = current.last(refs, name, stage)
    return last is None or last.author == TOOL


def _moment(version: Any) -> int:
    return int(getattr(version, "last_updated_timestamp", None) or version.creation_timestamp or 0)
