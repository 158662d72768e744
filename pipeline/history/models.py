"""What users see of models: versions, each with the artifacts, measures and runs that belong to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from artvcs.vcs import Refs, Repository, UnknownName, Version, damaged, runs, versions

from ..errors import perhaps
from ..units import count
from .finding import lookup, meant
from .tables import Named, Runs, Versions
from .views import ArtifactVersion, PipelineRun


class ModelVersion(ArtifactVersion):
    """One version of a model: a version of an artifact that other artifacts belong to."""

    @property
    def model(self) -> str:
        """The model's name."""
        return self.name.removeprefix(meant.MODELS)

    @property
    def artifacts(self) -> dict[str, ArtifactVersion]:
        """Name → the version that belongs to it; of several of a name the one that was added last."""
        refs = self.repository.refs()
        found = ((link.name, versions.by_value(refs, link.name, link.artifact)) for link in self.record.links)
        return Named({name: ArtifactVersion(self.repository, each) for name, each in found if each is not None})

    def get_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersion:
        """A version that belongs to it.

        Args:
            name: The artifact's name.
            version: Which of several, by its number or explicit version; by default the one that was added last.

        Raises:
            UnknownName: None that belongs to it is called so.
        """
        return ArtifactVersion(self.repository, member(self.repository.refs(), self.record, name, version))

    def load_artifact(self, name: str, version: str | int | None = None) -> Any:
        """The value of a version that belongs to it. Raises as `get_artifact` and `ArtifactVersion.load`."""
        return self.get_artifact(name, version).load()

    @property
    def runs(self) -> list[PipelineRun]:
        """The runs that worked on it, newest first; of one that was brought in, the run that made it."""
        refs = self.repository.refs()
        taken = self.repository.catalog(refs).runs.taken_by(self.name, self.id)
        made = [] if self.record.run is None else [self.record.run]
        found = damaged.whole(runs.with_ids(refs, dict.fromkeys([*(run for run, _ in taken), *made])))
        here = [run for run in found if run.run in made or any(each.artifact == self.id for each in run.models)]
        return Runs(PipelineRun(self.repository, run) for run in here)

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        def facts() -> list[tuple[str, str]]:
            found = [
                *cards.measures(self),
                ("stages", ", ".join(self.stages)),
                ("created", f"{self.created:%Y-%m-%d %H:%M:%S} UTC"),
                ("tags", ", ".join(self.tags)),
                *((name, str(value)) for name, value in self.metadata.items()),
            ]
            return [(name, said) for name, said in found if said]

        def below() -> str:
            return cards.named_table(self.artifacts) + cards.runs_table(self.runs)

        return cards.definition_card(f"model {self.model}@{self.version}", facts, below)

    def __repr__(self) -> str:
        return f"<model {self.model}@{self.version} of {count(len(self.artifacts), 'artifact')}>"


def members(refs: Refs, model: Version, name: str) -> Iterator[Version]:
    """The versions of an artifact that belong to a version of a model, the one that was added last first."""
    links = (link for link in reversed(model.links) if link.name == name)
    return (found for link in links if (found := versions.by_value(refs, name, link.artifact)) is not None)


def member(refs: Refs, model: Version, name: str, version: str | int | None = None) -> Version:
    """The version of an artifact that belongs to a version of a model. Raises as `ModelVersion.get_artifact`."""
    found = members(refs, model, name)
    if version is not None:
        found = (each for each in found if str(version) in (each.label, str(each.number)))
    if (first := next(found, None)) is not None:
        return first
    known = dict.fromkeys(link.name for link in model.links)
    here = model.spelt
    if name in known:
        raise UnknownName(f"No version {version} of {name!r} belongs to {here}; `art show {here}` lists what does.")
    listed = ", ".join(itertools.islice(known, 5)) or "nothing"
    raise UnknownName(f"No artifact {name!r} belongs to {here}{perhaps(name, known)}; it has {listed}.")


def find(repository: Repository, name: str, version: str | int | None = None) -> ModelVersion:
    """A version of a model: the newest, or the one with a number, an explicit version, or in a stage.

    Raises:
        UnknownName: There is no such model, or no such version.
    """
    refs, stored = repository.refs(), meant.model_name(name)
    if not versions.exists(refs, stored):
        known = [each.removeprefix(meant.MODELS) for each in versions.names(refs, meant.MODELS)]
        listed = ", ".join(known[:5]) or "none"
        raise UnknownName(f"There is no model {name!r}{perhaps(name, known)}; there is {listed}.")
    if version is None or (found := lookup.with_word(refs, stored, str(version))) is None:
        found = lookup.find_version(refs, stored, version)
    return ModelVersion(repository, found)


def every(repository: Repository, name: str) -> Versions[ModelVersion]:
    """All versions of a model, oldest first.

    Raises:
        UnknownName: There is no such model.
    """
    find(repository, name)
    return Versions(ModelVersion(repository, each) for each in versions.of(repository.refs(), meant.model_name(name)))
