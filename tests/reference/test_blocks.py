"""The code blocks of the reference page run with only the import line changed."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from artvcs import Client, pipeline, save_artifact, step

HERE = Path(__file__).parent
BLOCKS = sorted((HERE / "blocks").glob("*.py"))


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.stem)
def test_a_block_is_the_pages_but_for_the_import_line(block: Path) -> None:
    page = lines((HERE / "zenml-artifacts-page.txt").read_text())
    wanted = [re.sub(r"^from artvcs\b", "from zenml", line) for line in lines(block.read_text())]
    assert any(page[at : at + len(wanted)] == wanted for at in range(len(page)))


def test_every_block_of_the_page_is_here() -> None:
    page = lines((HERE / "zenml-artifacts-page.txt").read_text())
    imports = [line for line in page if re.match(r"from zenml|import zenml", line)]
    ours = [line for block in BLOCKS for line in lines(block.read_text()) if re.match(r"from artvcs", line)]
    assert len(ours) == len(imports)


Run = Callable[..., ModuleType]


@pytest.fixture
def block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs blocks as one module, in a project of its own, with the names that the page takes for granted."""
    monkeypatch.chdir(tmp_path)

    def run(*names: str, replacing: dict[str, str] | None = None, **given: Any) -> ModuleType:
        text = "\n".join((HERE / "blocks" / f"{name}.py").read_text() for name in names)
        for placeholder, actual in (replacing or {}).items():
            text = text.replace(placeholder, actual)
        path = tmp_path / f"{'_'.join(names)}_blocks.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        vars(module).update(given)
        monkeypatch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)
        return module

    return run


class LinearModel:
    """What the page calls `create_model(learning_rate)`."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def fit(self, data: pd.DataFrame) -> None:
        self.mean = float(data["target"].mean())


def test_basic_usage(block: Run) -> None:
    run = block("creating", "consuming").simple_pipeline()
    processed = run.steps["process_data"].output.load()
    assert processed["feature_3"].tolist() == [4, 10, 18]
    assert "feature_3" not in run.steps["create_data"].output.load(), "the step's own input was a copy"


@pytest.mark.filterwarnings("ignore:.*stored as a pickle")
def test_artifacts_and_parameters(block: Run) -> None:
    data = block("creating").create_data
    run = block("parameters", create_data=data, create_model=LinearModel).training_pipeline()
    training = run.steps["train_model"]
    assert training.parameters == {"learning_rate": 0.01}
    assert training.inputs["data"].id == run.steps["create_data"].output.id
    assert training.output.load().mean == 20.0


def test_accessing_artifacts_after_a_run(block: Run, capsys: pytest.CaptureFixture[str]) -> None:
    @step
    def split_data() -> tuple[Annotated[pd.DataFrame, "train_data"], Annotated[pd.DataFrame, "test_data"]]:
        return pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [3]})

    @pipeline
    def splitting() -> None:
        split_data()

    run = splitting()
    block("accessing", replacing={"<PIPELINE_RUN_ID>": run.id})
    assert capsys.readouterr().out == "(2, 1)\n"


def test_types(block: Run) -> None:
    create_data = block("creating").create_data
    types = block("types")

    @pipeline
    def splitting() -> None:
        types.split_data(types.preprocess_data(create_data()))

    outputs = splitting().steps["split_data"].outputs
    assert [outputs[name].load().shape for name in ("output_0", "output_1")] == [(1, 3), (2, 3)]


def test_multiple_outputs(block: Run) -> None:
    split_data = block("multiple_outputs", step=step).split_data

    @step
    def make() -> tuple[np.ndarray, np.ndarray]:
        return np.arange(100).reshape(100, 1), np.arange(100)

    @pipeline
    def splitting() -> None:
        data, target = make()
        split_data(data, target)

    outputs = splitting().steps["split_data"].outputs
    assert {name: len(version.load()) for name, version in outputs.items()} == {
        "X_train": 80, "X_test": 20, "y_train": 80, "y_test": 20,
    }  # fmt: skip


def test_naming(block: Run) -> None:
    create_data = block("creating").create_data
    split_dataset = block("naming").split_dataset

    @pipeline
    def splitting() -> None:
        split_dataset(create_data())

    splitting()
    assert len(Client().get_artifact_version("train_data").load()) == 2
    assert len(Client().get_artifact_version("test_data").load()) == 1


def test_dynamic_naming(block: Run) -> None:
    run = block("dynamic_naming").data_pipeline()
    assert [step.output.name for step in run.steps.values()] == ["train_data", "test_data"]


def test_materializers_and_caching(block: Run) -> None:
    train_model = block("materializers").train_model

    @step
    def make() -> tuple[np.ndarray, np.ndarray]:
        return np.arange(10.0).reshape(10, 1), 2 * np.arange(10.0)

    @pipeline
    def training() -> None:
        train_model(*make())

    model = training().steps["train_model"].output
    assert model.load().predict(np.array([[4.0]]))[0] == pytest.approx(8.0)
    assert model.artifact.materializer == "artvcs.sklearn"

    cached_pipeline = block("creating", "consuming", "caching").cached_pipeline
    assert [step.status for step in cached_pipeline().steps.values()] == ["completed", "completed"]
    assert [step.status for step in cached_pipeline().steps.values()] == ["cached", "cached"]


def fitted(slope: float) -> LinearRegression:
    x = np.arange(10.0).reshape(10, 1)
    return LinearRegression().fit(x, slope * x.ravel())


def test_artifacts_from_previous_runs(block: Run) -> None:
    save_artifact(fitted(1.0), name="my_model", version="1.0")
    save_artifact(fitted(2.0), name="my_model")
    found = block("previous_runs")
    assert found.artifact.load().coef_[0] == pytest.approx(1.0)
    assert found.model.coef_[0] == pytest.approx(2.0)


def test_artifacts_within_steps(block: Run) -> None:
    save_artifact(fitted(1.0), name="best_model")
    evaluate = block("within_steps").evaluate_against_previous

    @step
    def data() -> tuple[np.ndarray, np.ndarray]:
        x = np.arange(10.0).reshape(10, 1)
        return x, 2 * x.ravel()

    @step
    def train(x: np.ndarray, y: np.ndarray) -> LinearRegression:
        return LinearRegression().fit(x, y)

    @pipeline
    def evaluating() -> None:
        x, y = data()
        evaluate(train(x, y), x, y)

    run = evaluating()
    assert run.steps["evaluate_against_previous"].output.load() > 0
    commit = run.steps["evaluate_against_previous"].commit
    assert commit is not None
    assert set(commit.reads) == {"best_model"}


def test_artifacts_across_pipelines(block: Run) -> None:
    save_artifact(fitted(3.0), name="trained_model")

    @step
    def load_data() -> pd.DataFrame:
        return pd.DataFrame({"x": [1.0, 2.0]})

    run = block("cross_pipeline", pd=pd, load_data=load_data).inference_pipeline()
    assert run.steps["use_trained_model"].output.load().tolist() == pytest.approx([3.0, 6.0])
    assert run.steps["use_trained_model"].inputs["model"].name == "trained_model"


def test_registering_a_folder_and_a_file(block: Run) -> None:
    prefix = Client().active_stack.artifact_store.path
    os.makedirs(os.path.join(prefix, "my_folder"))
    Path(prefix, "my_folder", "model.pkl").write_bytes(b"model")
    folder = block("registering_a_folder").folder_path
    assert (folder / "model.pkl").read_bytes() == b"model"
    file = block("registering_a_file").file_path
    assert (file.name, file.read_bytes()) == ("model.pkl", b"model")


def test_visualizing(block: Run) -> None:
    save_artifact(pd.DataFrame({"a": [1, 2, 3]}), name="frame")
    block("visualizing", replacing={"<ARTIFACT_NAME>": "frame"})
