"""The versions of models that a run works on: what it makes belongs to them.

A new version is made when the run has completed, or when a step asks for it: of a run that failed there is none that
holds half of what it should. And none is made of what belongs to one already: that one is the newest again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from artvcs.vcs import Draft, EditVersion, Input, Oid, Output, Repository, Transaction, UnknownName, Version, values
from artvcs.vcs import versions as known

from ..define import naming
from ..define.model import USUAL_STAGES, Model
from ..errors import ParameterError, perhaps
from ..history import models
from ..history.finding import lookup, meant
from ..typing.encode import encode_metadata
from ..values import store
from . import versions

if TYPE_CHECKING:
    from ..define.graph import Node  # what looks up names needs nothing of what follows code
    from ..define.handles import ModelArtifact, ModelFact
    from ..define.options.options import PipelineOptions

_NEW = "a new one"
"""What a step is told of a version that is yet to be made: another one each time."""


class WorkedOn:
    """One version of a model that a run works on.

    Attributes:
        model: What the pipeline or step says about it.
        name: What the model's versions are stored as.
    """

    def __init__(self, all_: Models, model: Model, label: str | None, version: Version | None) -> None:
        self.model = model
        self.name = meant.model_name(model.name)
        self._all = all_
        self._label = label
        self._artifact = None if version is None else version.artifact
        self._links: list[Output] = []
        self._notes: dict[str, Any] = {}
        self._is_executed = False

    @property
    def link(self) -> Output | None:
        """The version as a run refers to it; None where it is yet to be made."""
        return None if self._artifact is None else Output(self._artifact, self.name)

    @property
    def notes(self) -> Mapping[str, Any]:
        """What is noted of the version, and what is yet to be, encoded."""
        record = self._record() if self._artifact is not None else None
        return {**(record.metadata if record is not None else {}), **self._notes}

    def executes(self) -> None:
        """Says that a step is executed that works on it."""
        self._is_executed = True

    def _begin(self) -> None:
        """Makes the version, if there is none yet."""
        with self._all.transaction.together():
            if self._artifact is None:
                self._artifact = new_version(
                    self._all.repository, self._all.transaction, self.model, self._label, self._all.run_id
                )

    def add(self, outputs: Iterable[Output] = (), notes: Mapping[str, Any] | None = None) -> None:
        """Says what belongs to it: artifacts, and what a step noted, encoded."""
        with self._all.transaction.together():
            for each in outputs:
                if each in self._links:
                    self._links.remove(each)
                self._links.append(each)
            self._notes.update(notes or {})

    def write(self) -> None:
        """Writes down what was said, if the version is made."""
        with self._all.transaction.together():
            if self._artifact is None or not (self._links or self._notes):
                return
            edit = EditVersion(self.name, self._artifact, self._notes, links=tuple(self._links))
            self._all.transaction.add(edit)
            self._links, self._notes = [], {}

    def settle(self) -> None:
        """When a run has completed: what is new belongs to a new version, else to the one that has it, made again."""
        if self._artifact is not None or not (self._links or self._is_executed):
            return
        same = self._same() if self._label is None else None
        if same is None:
            self._begin()
            return
        versions.add(self._all.transaction, same, {}, {})
        self._artifact = same.artifact
        self._links, self._notes = [], {}

    def _same(self) -> Version | None:
        """The version that has all that the run made and noted: the one that has nothing else, or the last of them."""
        view, found = self._all.transaction, list[Version]()
        for link in self._links[:1]:
            for name, number in known.owners(view, link.name, link.artifact):
                version = known.by_number(view, name, number) if name == self.name else None
                if version is not None and self._is_of(version):
                    found.append(version)
        return max(found, key=lambda each: (len(each.links) == len(self._links), each.number), default=None)

    def _is_of(self, version: Version) -> bool:
        """Whether all that the run made and noted belongs to a version already."""
        return {*self._links} <= {*version.links} and {**version.metadata, **self._notes} == version.metadata

    def version(self) -> Version:
        """The version, made and published: its number is final."""
        self._begin()
        with self._all.transaction.together():
            self.write()
            self._all.transaction.publish(tolerant=True)
            found = self._record()
            assert found is not None
            return found

    def find(self, name: str, version: str | int | None = None) -> Input:
        """What a step gets that asks for an artifact of it. Raises UnknownName where none of it is called so."""
        with self._all.transaction.together():
            for link in reversed(self._links):
                if link.name == name and (version is None or self._is_called(link, str(version))):
                    return _input(self._all.transaction, link)
            self.write()
            here = self._record()
            if here is None:
                raise UnknownName(f"Nothing belongs to this version of {self.name} yet; let a step make it first.")
            found = models.member(self._all.transaction, here, name, version)
            return Input(found.artifact, found.name, found.commit, found.output)

    def noted(self) -> dict[str, Any]:
        """What is noted of it by now, by the steps that have ended too."""
        here = self._record()
        before = encode_metadata(self.model.metadata) if here is None else here.metadata
        return {name: values.decode(fact) for name, fact in {**before, **self._notes}.items()}

    def _is_called(self, link: Output, version: str) -> bool:
        found = known.by_value(self._all.transaction, link.name, link.artifact)
        return found is not None and version in (found.label, str(found.number))

    def told(self) -> dict[str, str]:
        """What a step would be told, should it ask: see `run.execution.context.told`."""
        here = self._record()
        answers = {"model": self.name, "model version": _NEW if here is None else f"{here.artifact} {here.label}"}
        for link in (*(here.links if here is not None else ()), *self._links):
            answers[asked(link.name)] = link.artifact
        return answers

    def _record(self) -> Version | None:
        found = self._artifact
        return None if found is None else known.by_value(self._all.transaction, self.name, found)


class Models:
    """All versions of models that a run works on.

    Attributes:
        repository: Where they are.
        transaction: That of the run.
        run_id: The run's id.

    Args:
        started: When the run began, for placeholders.
        options: What the pipeline says: its model is that of the steps that have none of their own.
    """

    def __init__(
        self, repository: Repository, transaction: Transaction, run_id: str, started: datetime, options: PipelineOptions
    ) -> None:
        self.repository = repository
        self.transaction = transaction
        self.run_id = run_id
        self._started = started
        self._options = options
        self._found: dict[tuple[str, str | None], WorkedOn] = {}

    def of(self, node: Node) -> WorkedOn | None:
        """The version that a step works on.

        Raises:
            UnknownName: It says a version that there is none of.
            DefinitionError: A placeholder has no value.
            InvalidName: What the placeholders make is no name.
        """
        model = node.step.options.model or self._options.model
        if model is None:
            return None
        version = None if model.version is None else self._filled(str(model.version))
        if (model.name, version) not in self._found:
            self._found[model.name, version] = self._resolve(model, version)
        return self._found[model.name, version]

    def find(self, node: Node, source: ModelArtifact) -> Input:
        """What a step takes that belongs to its model, now that the steps before it have ended.

        Raises:
            ParameterError: There is none, or the step has no model.
        """
        model = self.of(node)
        if model is None:
            raise ParameterError(f"The step {node.id!r} takes {source.name!r} of its model, but has none; give it one.")
        try:
            return model.find(source.name, source.version)
        except UnknownName as error:
            raise ParameterError(f"The step {node.id!r} cannot begin: {error}") from None

    def fact(self, node: Node, source: ModelFact) -> Any:
        """What a step takes that is noted of its model, now that the steps before it have ended.

        Raises:
            ParameterError: It is not noted, or the step has no model.
        """
        model = self.of(node)
        if model is None:
            raise ParameterError(f"The step {node.id!r} takes {source.name!r} of its model, but has none; give it one.")
        noted, of = model.noted(), model.name
        if source.of is not None:
            link = self.find(node, source.of)
            found = lookup.find_value(self.transaction, link.name, link.artifact)
            noted = {name: values.decode(fact) for name, fact in found.metadata.items()}
            of = f"{found.name}@{found.number}"
        if source.name not in noted:
            raise ParameterError(
                f"The step {node.id!r} cannot begin: no {source.name!r} is noted of {of}"
                f"{perhaps(source.name, noted)}; it has {', '.join(noted) or 'nothing'}, so far."
            )
        return noted[source.name]

    def _filled(self, version: str) -> str:
        return naming.check_name(
            naming.substitute(version, self._options.substitutions, self._started), "model version"
        )

    def _resolve(self, model: Model, version: str | None) -> WorkedOn:
        if version is None:
            return WorkedOn(self, model, None, None)
        name = meant.model_name(model.name)
        found = lookup.with_word(self.transaction, name, version)
        if found is None and (version in USUAL_STAGES or known.as_number(version)):
            models.find(self.repository, model.name, version)  # says what there is
        return WorkedOn(self, model, version, found)

    def write(self) -> tuple[Output, ...]:
        """Writes down what was said of each, and gives those that are made."""
        for each in self._found.values():
            each.write()
        return tuple(link for each in self._found.values() if (link := each.link) is not None)

    def settle(self) -> None:
        """See `WorkedOn.settle`."""
        for each in self._found.values():
            each.settle()


def new_version(
    repository: Repository, transaction: Draft[Any], model: Model, label: str | None, run: str | None
) -> Oid:
    """Makes a version of a model, to which nothing belongs yet.

    Args:
        repository: Where.
        transaction: In which change.
        model: What is said of the model.
        label: The explicit version, if it has one.
        run: The id of the run that makes it, if one does.

    Returns:
        Its value, which no other version has.
    """
    value = {"model": model.name, "id": os.urandom(16).hex()}
    saved = store.save(transaction, repository, value, describe=False)
    fresh = versions.fresh(meant.model_name(model.name), saved.id, "model", label=label, run=run, tags=model.tags)
    versions.add(transaction, fresh, {}, encode_metadata(model.metadata))
    return saved.id


def asked(name: str) -> str:
    """What a step asks that asks for an artifact of its model."""
    return f"model artifact {name}"


def _input(transaction: Transaction, link: Output) -> Input:
    found = lookup.find_value(transaction, link.name, link.artifact)
    return Input(link.artifact, link.name, found.commit, found.output)
