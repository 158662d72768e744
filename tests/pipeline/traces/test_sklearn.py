"""What scikit-learn does with a seed is nothing of chance, wherever it is imported; without one it is."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .harness import Case, World

pytestmark = pytest.mark.traces
pytest.importorskip("sklearn")


class Use(NamedTuple):
    """How a step uses scikit-learn.

    Attributes:
        imports: The line that imports it.
        returns: What the step returns; SEED stands where a seed is given.
        checked: The same in words that can be stored, where a step before this one returns it.
    """

    imports: str
    returns: str
    checked: str = ""

    @property
    def has_chance(self) -> bool:
        """Whether anything is drawn without a seed."""
        return "SEED" in self.returns


PREDICTED = "float(made.predict(X).sum())"
USES = {
    "gradient boosting": Use(
        "from sklearn.ensemble import GradientBoostingClassifier",
        "GradientBoostingClassifier(n_estimators=3, subsample=0.5, random_state=SEED).fit(X, y)",
        PREDICTED,
    ),
    "histograms": Use(
        "from sklearn.ensemble import HistGradientBoostingClassifier",
        "HistGradientBoostingClassifier(max_iter=3, early_stopping=True, random_state=SEED).fit(X, y)",
        PREDICTED,
    ),
    "forest on two threads": Use(
        "from sklearn.ensemble import RandomForestClassifier",
        "RandomForestClassifier(3, n_jobs=2, random_state=SEED).fit(X, y)",
        PREDICTED,
    ),
    "forest that holds a generator": Use(
        "import numpy as np; from sklearn.base import clone; from sklearn.ensemble import RandomForestClassifier",
        "clone(RandomForestClassifier(3, random_state=np.random.RandomState(SEED))).fit(X, y)",
        PREDICTED,
    ),
    "logistic regression": Use(
        "from sklearn.linear_model import LogisticRegression",
        "LogisticRegression(solver='saga', max_iter=3000, random_state=SEED).fit(X, y)",
        PREDICTED,
    ),
    "split": Use(
        "from sklearn.model_selection import train_test_split",
        "[list(map(int, each)) for each in train_test_split(y, random_state=SEED)]",
    ),
    "area": Use("from sklearn.metrics import roc_auc_score", "float(roc_auc_score(y, [each[1] for each in X]))"),
    "cross-validation": Use(
        "from sklearn.model_selection import cross_val_score; from sklearn.tree import DecisionTreeClassifier",
        "list(map(float, cross_val_score(DecisionTreeClassifier(max_features=1, random_state=SEED), X, y)))",
    ),
    "pipeline": Use(
        "from sklearn.pipeline import make_pipeline; from sklearn.neural_network import MLPClassifier; "
        "from sklearn.preprocessing import StandardScaler",
        "make_pipeline(StandardScaler(), MLPClassifier([3], 'relu', max_iter=900, random_state=SEED)).fit(X, y)",
        PREDICTED,
    ),
    "k-means": Use(
        "from sklearn.cluster import KMeans", "KMeans(3, n_init=2, random_state=SEED).fit(X)", "int(made.n_clusters)"
    ),
}

MAIN = """\
from typing import Any
from artvcs import pipeline, step
{above}
X, y = [[i, i % 7] for i in range(40)], [i % 2 for i in range(40)]
@step
def {name}() -> Any:
    {within}
    return {returns}
{after}
@pipeline
def flow():
    {calls}
"""
AFTER = """
@step
def train(made: Any) -> Any:
    return {checked}
"""


def _main(use: Use, seed: str, *, inside: bool, stored: bool) -> str:
    return MAIN.format(
        above="" if inside else use.imports,
        within=use.imports if inside else "",
        name="fit" if stored else "train",
        returns=use.returns.replace("SEED", seed),
        after=AFTER.format(checked=use.checked) if stored else "",
        calls="train(fit())" if stored else "train()",
    )


def _unverified(folder: Path, main: str) -> Any:
    """What cannot be compared of the step `train`."""
    process = World(folder, Case("sklearn", "A use of scikit-learn.", {"main.py": main}, [])).drive()
    assert process.error is None, process.error
    [run] = process.runs
    assert run["status"] == "completed"
    return run["unfollowed"]


@pytest.mark.parametrize("inside", [False, True], ids=["above", "inside"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_is_seeded_is_nothing_of_chance(tmp_path: Path, use: Use, inside: bool) -> None:
    assert _unverified(tmp_path, _main(use, "0", inside=inside, stored=False)) == []


@pytest.mark.parametrize("inside", [False, True], ids=["above", "inside"])
@pytest.mark.parametrize("name", [name for name, use in USES.items() if use.has_chance])
def test_what_nobody_seeds_is(tmp_path: Path, name: str, inside: bool) -> None:
    told = _unverified(tmp_path, _main(USES[name], "None", inside=inside, stored=False))
    assert len(told) == 1
    assert told[0] in ("chance, by numpy.random", "chance, from the operating system")


@pytest.mark.parametrize("name", [name for name, use in USES.items() if use.checked])
def test_a_model_that_is_taken_from_the_store_brings_no_chance(tmp_path: Path, name: str) -> None:
    assert _unverified(tmp_path, _main(USES[name], "0", inside=False, stored=True)) == []


def test_what_other_processes_do_nobody_sees(tmp_path: Path) -> None:
    use = USES["cross-validation"]
    main = _main(use, "0", inside=False, stored=False).replace("X, y)", "X, y, n_jobs=2)")
    assert any(each.startswith("what the program python") for each in _unverified(tmp_path, main))
