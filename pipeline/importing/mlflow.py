"""What MLflow has tracked: runs, what they have logged, and registered models.

It is read through MLflow's own client, which knows all of its stores:
https://mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html.
"""

from __future__ import annotations

import importlib.util
import itertools
import logging
import os
import tempfile
import textwrap
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artvcs.vcs import ArtError

from ..errors import PipelineError
from ..history.curves import Point
from .stores import harmless, local_path, without_password

_PAGE = 1000
"""So many runs or experiments are asked for at once."""

_DELETED, _ALL = 2, 3
"""What MLflow calls `ViewType`s."""

_IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "8"}
"""How long a server may take for its first answer: MLflow by itself tries for minutes."""

_SILENCE = frozenset(("ConnectionError", "ConnectTimeout", "ReadTimeout"))
"""What requests raises, by which MLflow asks servers, where none answers."""

_REASON = 600
"""Characters of what MLflow says."""


@dataclass(frozen=True)
class Item:
    """A file or folder that MLflow keeps.

    Attributes:
        where: Its address.
        size: Bytes; None where MLflow has not said.
    """

    where: str
    size: int | None = None


@contextmanager
def opened(uri: str) -> Iterator[Mlflow]:
    """A store of MLflow's, which stays as it is.

    Args:
        uri: Where it is, as MLflow writes it: `sqlite:///mlflow.db`, a folder, the address of a server.

    Raises:
        PipelineError: MLflow is not installed, there is no store, or MLflow cannot read it.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in ("mlflow.store.db.utils", "alembic"):  # what they say is of a copy
        logging.getLogger(name).setLevel(logging.WARNING)
    if importlib.util.find_spec("mlflow") is None:
        raise PipelineError("Reading its stores needs MLflow; `pip install mlflow` in this environment.")
    with harmless(uri) as address:
        yield Mlflow(without_password(uri), address)


class Mlflow:
    """A store of MLflow's; see `opened`.

    Args:
        uri: What it is called.
        address: Where MLflow may open it.

    Attributes:
        uri: As above.
        experiments: Those that there are, also deleted ones.

    Raises:
        PipelineError: MLflow cannot read the store.
    """

    def __init__(self, uri: str, address: str) -> None:
        from mlflow import MlflowClient, artifacts, set_tracking_uri

        self._artifacts = artifacts
        self.uri = uri
        with _theirs(f"The store {uri}"):
            set_tracking_uri(address)
            self._client: Any = MlflowClient(address, address)
        self.check()
        self.experiments: list[Any] = list(
            _pages(f"The store {uri}", self._client.search_experiments, view_type=_ALL, max_results=_PAGE)
        )
        self._folders = {each.experiment_id: local_path(str(each.artifact_location)) for each in self.experiments}

    def check(self) -> None:
        """Raises PipelineError where the store does not answer: within seconds, if it is a server that is down."""
        with _theirs(f"The store {self.uri}"), _impatient():
            self._client.search_experiments(view_type=_ALL, max_results=1)

    def runs(self, experiment: Any) -> Iterator[Any]:
        """The runs of an experiment, oldest first."""
        return _pages(
            f"The experiment {experiment.name}", self._client.search_runs,
            experiment_ids=[experiment.experiment_id], max_results=_PAGE, order_by=["start_time ASC"],
        )  # fmt: skip

    def deleted(self) -> int:
        """How many runs were deleted, which MLflow keeps for a while."""
        ids, found = [each.experiment_id for each in self.experiments], 0
        for start in range(0, len(ids), _PAGE):
            found += sum(1 for _ in _pages(
                f"The store {self.uri}", self._client.search_runs, experiment_ids=ids[start : start + _PAGE],
                run_view_type=_DELETED, max_results=_PAGE,
            ))  # fmt: skip
        return found

    def curves(self, run: Any) -> dict[str, list[Point]]:
        """The measures of which there is more than one value."""
        found = {}
        for name in run.data.metrics:
            with _theirs(f"The measure {name} of the run {run.info.run_id}"):
                points = self._client.get_metric_history(run.info.run_id, name)
            if len(points) > 1:
                found[name] = [Point(each.step, float(each.value), max(0, each.timestamp)) for each in points]
        return found

    def items(self, run: Any) -> dict[str, Item]:
        """What a run has logged, by name; logged models in the order of their steps."""
        base = local_path(str(run.info.artifact_uri))
        with _theirs(f"The artifacts of the run {run.info.run_id}"):
            found = {
                str(each.path): Item(
                    str(base / each.path) if base else f"{run.info.artifact_uri}/{each.path}",
                    None if each.is_dir else each.file_size,
                )
                for each in self._client.list_artifacts(run.info.run_id)
            }
            logged = {
                each.model_id: int(getattr(each, "step", None) or 0)
                for each in getattr(getattr(run, "outputs", None), "model_outputs", None) or ()
            }
            models = [(step, self._client.get_logged_model(model)) for model, step in logged.items()]
        models.sort(key=lambda each: each[0])
        names = _apart([(step, str(model.name)) for step, model in models], found)
        return {
            **found, **{n: Item(str(model.artifact_location)) for n, (_, model) in zip(names, models, strict=True)},
        }  # fmt: skip

    def is_empty(self, run: Any) -> bool:
        """Whether nothing of what a run may have logged beside models can be seen on this machine."""
        folder = local_path(str(run.info.artifact_uri))
        return folder is None or not _holds(folder)

    def absent(self, run: Any) -> Path | None:
        """The folder that is not there, where it cannot be told whether a run has logged anything; else None.

        MLflow makes a run's folder, and those around it, when the first artifact is logged, and takes one that is not
        there for an empty one. So the folder of its experiment has to hold something, or that of all experiments.
        """
        own = local_path(str(run.info.artifact_uri))
        if own is None or own.exists():
            return None
        folder = self._folders.get(run.info.experiment_id) or own.parent.parent
        has_usual_name = folder.name == str(run.info.experiment_id)
        if _holds(folder) or (has_usual_name and not folder.exists() and _holds(folder.parent)):
            return None
        return folder.parent if has_usual_name else folder

    def models(self) -> list[Any]:
        """The registered models."""
        return list(_pages(f"The models of {self.uri}", self._client.search_registered_models))

    def versions(self, model: str) -> list[Any]:
        """The versions of a registered model, oldest first."""
        chosen = "name='{}'".format(model.replace("'", "\\'"))
        found = _pages(f"The model {model}", self._client.search_model_versions, filter_string=chosen)
        return sorted(found, key=lambda each: int(each.version))

    def files(self, version: Any) -> Item:
        """The files of a version of a registered model."""
        with _theirs(f"The model {version.name} {version.version}"):
            return Item(str(self._client.get_model_version_download_uri(version.name, version.version)))

    @contextmanager
    def fetched(self, item: Item) -> Iterator[Path]:
        """A file or folder that MLflow keeps, here; what lies on this machine is not copied."""
        if (path := _here(item)) is not None:
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="artvcs-") as folder:
            with _theirs(f"The artifact {item.where}"):
                found = self._artifacts.download_artifacts(artifact_uri=item.where, dst_path=folder)
            yield Path(found)

    def size(self, item: Item) -> int:
        """Bytes of a file or folder that MLflow keeps.

        Raises:
            PipelineError: It cannot be had.
        """
        if (path := _here(item)) is not None:
            files = [path] if path.is_file() else (each for each in path.rglob("*") if each.is_file())
            return sum(each.stat().st_size for each in files)
        if item.size is not None:
            return item.size
        with _theirs(f"The artifact {item.where}"):
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            kept: Any = get_artifact_repository(item.where)
            return _size_below(kept, None)


def _here(item: Item) -> Path | None:
    """The path of what is kept on this machine."""
    path = local_path(item.where)
    if path is not None and not path.exists():
        raise PipelineError(f"There is no {path}; bring it back, and import again.")
    return path


def _holds(folder: Path) -> bool:
    """Whether a folder is there and has anything in it."""
    return folder.is_dir() and any(folder.iterdir())


def _size_below(kept: Any, path: str | None) -> int:
    return sum(
        _size_below(kept, each.path) if each.is_dir else int(each.file_size or 0) for each in kept.list_artifacts(path)
    )


def _apart(models: Sequence[tuple[int, str]], taken: Container[str]) -> list[str]:
    """What the logged models of a run are called here, given step and name of each.

    The last one of a name is called so; those before it have their step in the name, as in `checkpoint-100`.
    """
    last, found = {name: index for index, (_, name) in enumerate(models)}, dict[int, str]()
    for index in sorted(range(len(models)), key=lambda each: last[models[each][1]] != each):  # plain names first
        step, name = models[index]
        wanted = name if last[name] == index else f"{name}-{step}"
        numbered = itertools.chain([wanted], (f"{wanted}-{number}" for number in itertools.count(2)))
        found[index] = next(each for each in numbered if each not in taken and each not in found.values())
    return [found[index] for index in range(len(models))]


def _pages(what: str, ask: Callable[..., Any], **how: Any) -> Iterator[Any]:
    """All that there is of what MLflow gives page by page."""
    token = None
    while True:
        with _theirs(what):
            page = ask(page_token=token, **how)
        yield from page
        token = page.token
        if not token:
            break


@contextmanager
def _impatient() -> Iterator[None]:
    """While the block runs MLflow gives up early, unless the user has said how long it is to wait."""
    ours = {name: value for name, value in _IMPATIENT.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


def _is_silence(error: BaseException | None) -> bool:
    """Whether an error comes of a server that did not answer, of which the library below MLflow tells its innards."""
    while error is not None:
        if type(error).__module__ == "requests.exceptions" and type(error).__name__ in _SILENCE:
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def _theirs(what: str) -> Iterator[None]:
    """Makes whatever MLflow raises one sentence."""
    try:
        yield
    except ArtError:
        raise
    except Exception as error:  # other people's code: it may raise anything
        said = "no server answers there" if _is_silence(error) else str(error) or type(error).__name__
        reason = textwrap.shorten(said, _REASON, placeholder=" …").rstrip(".")
        raise PipelineError(
            f"{what} cannot be read by MLflow ({reason}); see that it can, and import again."
        ) from error
