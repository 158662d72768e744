"""Bringing data from outside into a run: values, files, and versions that exist already become inputs."""

from __future__ import annotations

from pathlib import Path

from artvcs.vcs import Input, Repository, Transaction, UnknownName, Version, storage_errors

from ..define import naming
from ..define.graph import Graph, Node
from ..define.handles import ExternalArtifact, InputFile, LazyArtifact, ModelArtifact, ModelFact, Source, StepOutput
from ..errors import DefinitionError, ParameterError
from ..history.finding import lookup, meant
from ..history.views import ArtifactVersion
from ..record import versions
from ..record.models import Models
from ..values import store


class Ingest:
    """Resolves the outside sources of one run, each once."""

    def __init__(self, repository: Repository, transaction: Transaction, pipeline: str) -> None:
        self._repository = repository
        self._transaction = transaction
        self._pipeline = pipeline
        self._resolved: dict[int, Input] = {}

    def resolve_all(self, graph: Graph) -> None:
        """Resolves all sources of a graph, so that all its steps see the world as it was when the run started.

        Raises:
            ArtError: As `resolve`.
        """
        for node in graph.nodes.values():
            for name, sources in node.sources.items():
                for source in sources:
                    if not isinstance(source, (StepOutput, ModelArtifact, ModelFact)):
                        self.resolve(source, node.step.name, name)

    def resolve(self, source: Source, step: str, name: str) -> Input:
        """The artifact that a source stands for now; what is not stored yet is stored.

        Args:
            source: The source.
            step: The step that takes it.
            name: As which input.

        Raises:
            MaterializerError: The value cannot be stored.
            ParameterError: There is no such file.
            StorageError: The file cannot be read.
            UnknownName: There is no such version.
        """
        if id(source) not in self._resolved:
            self._resolved[id(source)] = self._resolve(source, step, name)
        return self._resolved[id(source)]

    def _resolve(self, source: Source, step: str, name: str) -> Input:
        if isinstance(source, ArtifactVersion):
            return input_of(source.record)
        if isinstance(source, LazyArtifact):
            asked = meant.spec(source.name, source.version, source.rev)
            try:
                return input_of(lookup.find_spec(self._transaction, asked, self._repository.project))
            except UnknownName as error:
                raise type(error)(f"The input {name!r} of step {step!r} is not there: {error}") from None
        if isinstance(source, ExternalArtifact):
            return self._store(source.value, source.name, step, name, "external")
        if isinstance(source, InputFile):
            with storage_errors(f"reading {source.path}"):
                there = source.path.exists()
            if not there:
                raise ParameterError(
                    f"The input {name!r} of step {step!r} is InputFile({str(source.path)!r}), which is not there; "
                    f"relative paths start from {Path.cwd()}."
                )
            return self._store(source.path, source.name, step, name, "file")
        raise DefinitionError(f"{source!r} cannot be an input; use ExternalArtifact, InputFile or a step's output.")

    def of_model(self, models: Models, node: Node, name: str, source: ModelArtifact | ModelFact) -> Input:
        """What a step takes of its model, now that the steps before it have ended. Raises as `Models.find`."""
        if isinstance(source, ModelArtifact):
            return models.find(node, source)
        return self._store(models.fact(node, source), None, node.step.name, name, "external")

    def _store(self, value: object, given: str | None, step: str, name: str, origin: str) -> Input:
        saved = store.save(self._transaction, self._repository, value)
        title = naming.check_artifact_name(given) if given else naming.default_artifact_name(self._pipeline, step, name)
        fresh = versions.by_hand(self._repository, versions.fresh(title, saved.id, origin))
        versions.add(self._transaction, fresh, saved.facts, {})
        return Input(saved.id, title, None, None)


def input_of(version: Version) -> Input:
    """A version as the input of a step."""
    return Input(version.artifact, version.name, version.commit, version.output)
