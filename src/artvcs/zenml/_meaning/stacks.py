"""The one stack that there is: a place for files, runs in this process, and MLflow where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

from artvcs.pipelines.errors import IgnoredSetting
from artvcs.vcs.tracebacks import warn

from .._names.absent import NoComponent, not_here, stand_in
from .._names.installed import get_tracking_uri
from ..enums import StackComponentType
from ..materializers.base_materializer import LocalFiles

_TRACKERS = "artvcs.zenml.integrations.mlflow.experiment_trackers"


class _Tracker:
    """MLflow as a step finds it: it tracks where MLflow itself says."""

    id = name = flavor = "mlflow"
    type = StackComponentType.EXPERIMENT_TRACKER

    def __init__(self, *_: Any, **__: Any) -> None:
        not_here("MLFlowExperimentTracker", "zenml.integrations.mlflow.experiment_trackers")

    @classmethod
    def here(cls) -> _Tracker:
        """The one that there is."""
        return object.__new__(cls)

    @property
    def config(self) -> Any:
        """Where it tracks."""
        return SimpleNamespace(tracking_uri=get_tracking_uri())

    def get_tracking_uri(self, *_: Any, **__: Any) -> str:
        """Where it tracks."""
        return get_tracking_uri()

    def configure_mlflow(self, *_: Any) -> None:
        """Nothing: MLflow is configured by its own variables and calls."""

    def __repr__(self) -> str:
        return "<experiment tracker mlflow>"


_Tracker.__name__ = _Tracker.__qualname__ = "MLFlowExperimentTracker"


class _NoTracker(NoComponent):
    """Stands for the experiment tracker where MLflow is not installed."""

    def __init__(self) -> None:
        super().__init__("experiment_tracker")

    def __bool__(self) -> bool:
        warn(
            "There is no experiment tracker, since MLflow is not installed; install mlflow, or note measures with "
            "log_metadata(…) and compare runs with `art runs`.",
            IgnoredSetting,
        )
        return False


class ArtifactStore(LocalFiles):
    """A folder for files of one's own, and ZenML's functions for files."""

    id = name = "default"
    flavor = "local"
    type = StackComponentType.ARTIFACT_STORE

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def path(self) -> str:
        """The folder."""
        return self._path

    @property
    def config(self) -> Any:
        """Where it is."""
        return SimpleNamespace(path=self.path, is_local=True)


class Stack:
    """A stack that has a place for files, and whose other components are none."""

    name = id = "default"

    def __init__(self, path: str) -> None:
        self.artifact_store = ArtifactStore(path)
        self.orchestrator = SimpleNamespace(
            name="default", flavor="local", config=SimpleNamespace(is_local=True, is_remote=False),
            type=StackComponentType.ORCHESTRATOR,
        )  # fmt: skip

    @property
    def experiment_tracker(self) -> Any:
        """MLflow, where it is installed."""
        return _Tracker.here() if _is_installed() else _NoTracker()

    @property
    def components(self) -> dict[StackComponentType, Any]:
        """Kind → the component, of those that there are."""
        found: list[Any] = [self.artifact_store, self.orchestrator]
        if _is_installed():
            found.append(self.experiment_tracker)
        return {each.type: each for each in found}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return NoComponent(name)

    def __repr__(self) -> str:
        return f"<stack {self.name}: files in {self.artifact_store.path}, and nothing else>"


def _is_installed() -> bool:
    return find_spec("mlflow") is not None


def __getattr__(name: str) -> Any:
    if name == "MLFlowExperimentTracker":
        return _Tracker if _is_installed() else stand_in(_TRACKERS, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
