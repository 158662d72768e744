"""What MLflow has tracked: runs, what they have logged, and registered models.

It is read through MLflow's own client, which knows all of its stores:
https://mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from artvcs.vcs import ArtError

from ..errors import PipelineError
from ..history.curves import Point

_PAGE = 1000
"""So many runs are asked for at once."""


class Mlflow:
    """A store of MLflow's.

    Args:
        uri: Where it is, as MLflow writes it: `sqlite:///mlflow.db`, a folder, the address of a server.

    Raises:
        PipelineError: MLflow is not installed, or it cannot read the store.
    """

    def __init__(self, uri: str) -> None:
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        try:
            from mlflow import MlflowClient, artifacts, set_tracking_uri
        except ImportError:
            raise PipelineError("Reading its stores needs MLflow; `pip install mlflow` in this environment.") from None
        place = uri.partition(":///")[2] if uri.startswith("sqlite:") else uri if "://" not in uri else ""
        if place and not Path(place).exists():  # MLflow would make one
            raise PipelineError(f"There is no store of MLflow's at {place}; see where its runs were tracked.")
        self._artifacts = artifacts
        self.uri = uri
        with _theirs(f"The store {uri}"):
            set_tracking_uri(uri)
            self._client: Any = MlflowClient(uri, uri)
            self.experiments = list(self._client.search_experiments(view_type=3))  # also deleted ones

    def runs(self) -> Iterator[tuple[str, Any]]:
        """Experiment and run, oldest first in each experiment."""
        for experiment in self.experiments:
            token = None
            while True:
                with _theirs(f"The experiment {experiment.name}"):
                    page = self._client.search_runs(
                        [experiment.experiment_id], max_results=_PAGE, page_token=token, order_by=["start_time ASC"]
                    )
                yield from ((experiment.name, run) for run in page)
                token = page.token
                if not token:
                    break

    def curves(self, run: Any) -> dict[str, list[Point]]:
        """The measures of which there is more than one value."""
        found = {}
        for name in run.data.metrics:
            with _theirs(f"The measure {name} of the run {run.info.run_id}"):
                points = self._client.get_metric_history(run.info.run_id, name)
            if len(points) > 1:
                found[name] = [Point(each.step, float(each.value), max(0, each.timestamp)) for each in points]
        return found

    def items(self, run: Any) -> dict[str, str]:
        """What a run has logged: name → where it is."""
        with _theirs(f"The artifacts of the run {run.info.run_id}"):
            found = {
                each.path: f"{run.info.artifact_uri}/{each.path}"
                for each in self._client.list_artifacts(run.info.run_id)
            }
            outputs = getattr(run, "outputs", None)
            for each in getattr(outputs, "model_outputs", None) or ():
                model = self._client.get_logged_model(each.model_id)
                found[str(model.name)] = str(model.artifact_location)
        return found

    def models(self) -> Iterator[Any]:
        """The registered models."""
        with _theirs(f"The models of {self.uri}"):
            yield from self._client.search_registered_models()

    def versions(self, model: str) -> list[Any]:
        """The versions of a registered model, oldest first."""
        with _theirs(f"The model {model}"):
            found = self._client.search_model_versions("name='{}'".format(model.replace("'", "\\'")))
        return sorted(found, key=lambda each: int(each.version))

    @contextmanager
    def fetched(self, where: str) -> Iterator[Path]:
        """A file or folder that MLflow keeps, here; what lies on this machine is not copied."""
        is_local = urlsplit(where).scheme in ("", "file", "models", "runs")
        with tempfile.TemporaryDirectory(prefix="artvcs-") as folder, _theirs(f"The artifact {where}"):
            found = self._artifacts.download_artifacts(artifact_uri=where, dst_path=None if is_local else folder)
            yield Path(found)


@contextmanager
def _theirs(what: str) -> Iterator[None]:
    """Makes whatever MLflow raises one sentence."""
    try:
        yield
    except ArtError:
        raise
    except Exception as error:  # other people's code: it may raise anything
        reason = " ".join((str(error) or type(error).__name__).split())[:300].rstrip(".")
        raise PipelineError(
            f"{what} cannot be read by MLflow ({reason}); see that it can, and import again."
        ) from error
