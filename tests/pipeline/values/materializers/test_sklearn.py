"""Models come back without running code where skops can load them, and are marked where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs.pipelines.errors import MaterializerError, UntrustedData
from artvcs.pipelines.values.materializers import PickleFallbackWarning, by_name, find_for_value
from artvcs.vcs.objects import values

from .harness import files_of, load, save

pytest.importorskip("skops")
base = pytest.importorskip("sklearn.base")
ensemble = pytest.importorskip("sklearn.ensemble")
calibration = pytest.importorskip("sklearn.calibration")
cluster = pytest.importorskip("sklearn.cluster")
compose = pytest.importorskip("sklearn.compose")
features = pytest.importorskip("sklearn.feature_selection")
gaussian_process = pytest.importorskip("sklearn.gaussian_process")
neighbors = pytest.importorskip("sklearn.neighbors")
neural_network = pytest.importorskip("sklearn.neural_network")
selection = pytest.importorskip("sklearn.model_selection")
svm = pytest.importorskip("sklearn.svm")
tree = pytest.importorskip("sklearn.tree")
linear = pytest.importorskip("sklearn.linear_model")
pipeline = pytest.importorskip("sklearn.pipeline")
preprocessing = pytest.importorskip("sklearn.preprocessing")

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


def _pipeline() -> Any:
    return pipeline.make_pipeline(preprocessing.StandardScaler(), linear.LogisticRegression()).fit(X, Y)


@pytest.mark.long
def test_a_pipeline_comes_back_without_pickle(tmp_path: Path) -> None:
    model = _pipeline()
    assert not save(model, tmp_path).runs_code
    loaded = load(tmp_path, "artvcs.sklearn", "sklearn.pipeline.Pipeline")
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_equal_models_are_equal_bytes(tmp_path: Path) -> None:
    save(_pipeline(), tmp_path / "1")
    save(_pipeline(), tmp_path / "2")
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def _models() -> dict[str, Any]:
    forest = ensemble.RandomForestClassifier(3, random_state=0)
    columns = compose.ColumnTransformer([("scaled", preprocessing.StandardScaler(), [0, 1])], remainder="passthrough")
    kernel = gaussian_process.kernels.RBF() + gaussian_process.kernels.WhiteKernel()
    return {
        "logistic regression": linear.LogisticRegression(),
        "poisson": linear.PoissonRegressor(),
        "svc": svm.SVC(),
        "tree": tree.DecisionTreeClassifier(random_state=0),
        "forest": forest,
        "extra trees": ensemble.ExtraTreesClassifier(3, random_state=0),
        "gradient boosting": ensemble.GradientBoostingClassifier(n_estimators=3, random_state=0),
        "histogram boosting": ensemble.HistGradientBoostingClassifier(max_iter=3, random_state=0),
        "histogram regression": ensemble.HistGradientBoostingRegressor(max_iter=3, random_state=0),
        "isolation": ensemble.IsolationForest(n_estimators=3, random_state=0),
        "kd tree": neighbors.KNeighborsClassifier(3),
        "ball tree": neighbors.KNeighborsRegressor(3, algorithm="ball_tree", metric="manhattan"),
        "perceptron": neural_network.MLPClassifier((4,), max_iter=5, random_state=0),
        "gaussian process": gaussian_process.GaussianProcessRegressor(kernel, random_state=0),
        "calibrated": calibration.CalibratedClassifierCV(linear.LogisticRegression(), cv=2),
        "search": selection.GridSearchCV(linear.LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
        "pipeline": pipeline.make_pipeline(columns, features.SelectKBest(k=2), forest),
        "vote": ensemble.VotingClassifier([("forest", forest), ("linear", linear.LogisticRegression())]),
    }


COMPILED = {
    *("tree", "forest", "extra trees", "gradient boosting", "histogram boosting", "histogram regression"),
    *("isolation", "kd tree", "ball tree", "pipeline", "vote"),
}


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", _models())
def test_models_come_back_and_predict_the_same(name: str, tmp_path: Path) -> None:
    model = _models()[name].fit(X, Y)
    saved = save(model, tmp_path / "1")
    loaded = load(tmp_path / "1", "artvcs.sklearn", "object")
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(model, method):
            assert np.array_equal(getattr(loaded, method)(X), getattr(model, method)(X))
    save(loaded, tmp_path / "2")
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")
    assert saved.runs_code == (name in COMPILED)


def test_what_can_crash_the_process_needs_trust(tmp_path: Path) -> None:
    save(_models()["forest"].fit(X, Y), tmp_path)
    materializer = by_name("artvcs.sklearn")(str(tmp_path))
    materializer.trusted = False
    with pytest.raises(UntrustedData, match="trust"):
        materializer.load(object)
    materializer.trusted = True
    materializer.load(object)
    assert materializer.runs_code


def test_a_tree_that_is_said_to_be_something_else_needs_trust(tmp_path: Path) -> None:
    save(_models()["forest"].fit(X, Y), tmp_path)
    schema = tmp_path / "model" / "schema.json"
    tree, harmless = '"__class__":"Tree","__module__":"sklearn.tree._tree"', '"__class__":"dtype","__module__":"numpy"'
    assert tree in schema.read_text()
    schema.write_text(schema.read_text().replace(tree, harmless))
    materializer = by_name("artvcs.sklearn")(str(tmp_path))
    materializer.trusted = False
    with pytest.raises(UntrustedData):
        materializer.load(object)


def test_two_forests_of_one_seed_are_equal_bytes(tmp_path: Path) -> None:
    save(_models()["forest"].fit(X, Y), tmp_path / "1")
    save(_models()["forest"].fit(X, Y), tmp_path / "2")
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def test_what_skops_cannot_restore_is_pickled_and_marked(tmp_path: Path) -> None:
    model = cluster.Birch().fit(X)
    with pytest.warns(PickleFallbackWarning, match="Birch"):
        assert save(model, tmp_path).runs_code
    loaded = load(tmp_path, "artvcs.pickle", "sklearn.cluster.Birch")
    assert np.array_equal(loaded.predict(X), model.predict(X))


class Cut(base.TransformerMixin, base.BaseEstimator):  # type: ignore[misc, name-defined]
    """A transformer of a user's own."""

    def fit(self, x: Any, y: Any = None) -> Cut:
        return self

    def transform(self, x: Any) -> Any:
        return x[:, :1]


def test_the_class_is_named_that_has_no_materializer(tmp_path: Path) -> None:
    """It may stand deep inside of what is scikit-learn's own."""
    model = pipeline.Pipeline([("cut", Cut()), ("fit", linear.LogisticRegression())]).fit(X, Y)
    with pytest.warns(PickleFallbackWarning) as told:
        save(model, tmp_path / "1")
    assert f"Pipeline holds {Cut.__module__}.Cut, which only a pickle can hold there," in str(told[0].message)
    assert "Write a Materializer for sklearn.pipeline.Pipeline to keep it for long." in str(told[0].message)
    with pytest.warns(PickleFallbackWarning, match=rf"^{Cut.__module__}\.Cut has no materializer and is stored as"):
        save(Cut(), tmp_path / "2")


WITHOUT_SKOPS = """
import sys
sys.modules["skops"] = None
from typing import Annotated
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from artvcs import pipeline, step

class Cut(TransformerMixin, BaseEstimator):
    def fit(self, x, y=None):
        return self

@step
def own() -> Annotated[Pipeline, "own"]:
    return Pipeline([("cut", Cut()), ("fit", LogisticRegression())])

@step
def theirs() -> Annotated[LogisticRegression, "theirs"]:
    return LogisticRegression()

@step
def same() -> Annotated[LogisticRegression, "same"]:
    return LogisticRegression(C=2.0)

@pipeline
def models():
    own(), theirs(), same()
"""


@pytest.mark.long
def test_without_skops_each_thing_is_said_once_and_what_is_said_helps(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(WITHOUT_SKOPS)
    art = [sys.executable, "-c", "from artvcs.cli import start; start()"]
    subprocess.run([*art, "init"], cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run([*art, "run", "flow.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    told = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(told) == 2, told
    assert "Pipeline holds flow.Cut, which only a pickle can hold there," in told[0]
    assert told[0].endswith("Write a Materializer for sklearn.pipeline.Pipeline to keep it for long.")
    assert told[1].endswith("Install artvcs[sklearn] to keep it for long.")


def test_a_model_with_a_function_in_it_is_pickled() -> None:
    model = preprocessing.FunctionTransformer(lambda x: x)
    assert find_for_value(model).NAME == "artvcs.pickle"


def test_metadata_holds_the_parameters() -> None:
    for model in (linear.LogisticRegression(C=0.5), ensemble.RandomForestClassifier(3)):
        facts = find_for_value(model)("").extract_metadata(model)
        assert facts["class"] == type(model).__name__
        assert facts["parameters"]["C" if "C" in facts["parameters"] else "n_estimators"] in (0.5, 3)
        values.encode(facts)


def test_a_long_parameter_is_one_line_and_says_that_it_goes_on() -> None:
    columns = compose.ColumnTransformer(
        [("scaled", preprocessing.StandardScaler(), [f"column {n}" for n in range(30)])]
    )
    search = selection.GridSearchCV(pipeline.Pipeline([("columns", columns), ("model", linear.Ridge())]), {})
    told = find_for_value(search)("").extract_metadata(search)["parameters"]["estimator"]
    assert told.startswith("Pipeline(steps=[('columns', ColumnTransformer(")
    assert told.endswith("…")
    assert "\n" not in told


def test_a_model_that_asks_for_more_than_skops_trusts_is_refused(tmp_path: Path) -> None:
    save(_pipeline(), tmp_path)
    schema = tmp_path / "model" / "schema.json"
    schema.write_text(schema.read_text().replace("sklearn.pipeline", "subprocess").replace('"Pipeline"', '"Popen"'))
    with pytest.raises(MaterializerError):
        by_name("artvcs.sklearn")(str(tmp_path)).load(object)
