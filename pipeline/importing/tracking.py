"""Brings what MLflow has tracked: its runs, and then the models that it has registered."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from artvcs.vcs import Repository

from .mlflow import Mlflow
from .models import Models
from .runs import Import, Report, Runs

_AT_ONCE = 50
"""So many runs are published together."""


class Bringing:
    """One import from MLflow.

    Args:
        repository: Where runs and versions are made.
        source: The store.
    """

    def __init__(self, repository: Repository, source: Mlflow) -> None:
        self._repository = repository
        self._source = source
        whole = Import(repository, source)
        self.report = whole.report
        self._runs, self._models = Runs(whole), Models(whole)

    def look(self, watch: Callable[[str], None] = lambda _: None) -> Report:
        """Says what would be brought; nothing is stored.

        Args:
            watch: Told how far it is.

        Raises:
            PipelineError: MLflow cannot read the store.
        """
        refs = self._repository.refs()
        for number, experiment in enumerate(self._source.experiments):
            for count, run in enumerate(self._source.runs(experiment)):
                watch(self._place(number, count))
                self._runs.look(refs, run)
        for model in self._models.found:
            watch(f"the model {model.name}")
            self._models.look(refs, model)
        return self._told()

    def bring(self, watch: Callable[[str], None] = lambda _: None) -> Report:
        """Makes runs and versions; what is there already is left as it is.

        Args:
            watch: Told how far it is.

        Raises:
            PipelineError: MLflow cannot read the store.
            StorageError: The repository cannot be written.
        """
        with self._repository.transaction("import from mlflow") as transaction:
            seen = itertools.count(1)
            for number, experiment in enumerate(self._source.experiments):
                for count, run in enumerate(self._source.runs(experiment)):
                    watch(self._place(number, count))
                    self._runs.bring(transaction, str(experiment.name), run)
                    if next(seen) % _AT_ONCE == 0:
                        transaction.publish()
            transaction.publish()
            for model in self._models.found:
                watch(f"the model {model.name}")
                self._models.bring(transaction, model)
                transaction.publish()
        return self._told()

    def _place(self, experiment: int, run: int) -> str:
        return f"run {run + 1} of experiment {experiment + 1}/{len(self._source.experiments)}"

    def _told(self) -> Report:
        if deleted := self._source.deleted():
            what = "1 run that was" if deleted == 1 else f"{deleted} runs that were"
            self.report.unusable[f"What belongs to {what} deleted in MLflow"] = (
                "`mlflow runs restore --run-id ID` brings a run back there"
            )
        return self.report
