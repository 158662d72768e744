"""What a notebook shows of versions, steps and runs."""

from __future__ import annotations

import dataclasses
import html
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from artvcs import ArtifactConfig, CachePolicy, Client, Model, Retry, log_metadata, pipeline, save_artifact, step
from artvcs.pipelines.errors import UntrustedData
from artvcs.pipelines.history.views import ArtifactVersion, PipelineRun
from artvcs.pipelines.values.materializers import Materializer
from artvcs.pipelines.values.visualizations import cards
from artvcs.pipelines.values.visualizations.pages import graph


@pytest.fixture
def run(project: Path) -> PipelineRun:
    @step
    def load() -> tuple[Annotated[pd.DataFrame, "train"], Annotated[int, "seed"]]:
        for line in range(50):
            print(f"line {line}")
        return pd.DataFrame({"x": [1.0, 2.0, 4.0]}), 7

    @step
    def fit(data: pd.DataFrame, rate: float) -> Annotated[dict[str, float], "model"]:
        log_metadata({"loss": 0.25})
        return {"weight": rate}

    @step
    def judge(model: dict[str, float], data: pd.DataFrame) -> Annotated[float, "score"]:
        return 0.5

    @pipeline
    def training(rate: float = 0.1) -> None:
        data, _ = load()
        judge(fit(data, rate), data)

    found = training()
    assert isinstance(found, PipelineRun)
    return found


def test_an_artifact_s_card(run: PipelineRun) -> None:
    card = Client().get_artifact_version("train")._repr_html_()
    for part in ("train@1", "pandas.DataFrame", "step load of pipeline training", "<svg", "min 1 · mean 2.333"):
        assert part in card


def test_a_model_s_card_leads_with_what_is_looked_for(project: Path) -> None:
    @step
    def fit(depth: int) -> Annotated[DecisionTreeClassifier, "tree"]:
        return DecisionTreeClassifier(max_depth=depth).fit([[0.0], [1.0]], [0, 1])

    @step
    def judge(tree: DecisionTreeClassifier) -> None:
        log_metadata({"accuracy": 0.75})

    @pipeline
    def training(depth: int = 3) -> None:
        judge(fit(depth))

    training()
    Client().promote("tree", "production", reason="the only one")
    card = html.unescape(re.sub(r"<[^>]+>", " ", Client().get_artifact_version("tree")._repr_html_()))
    said = " ".join(card.split())
    assert "measures accuracy=0.75 (judge) stages production" in said
    assert re.search(r"parameters max_depth=3, \d+ as the class has them", said)
    assert "min_samples_leaf" not in said


def test_a_step_s_card(run: PipelineRun) -> None:
    card = run.steps["fit"]._repr_html_()
    for part in ("fit", "completed", "train@1", "model@1", "rate", "0.1", "loss", "0.25"):
        assert part in card
    log = run.steps["load"]._repr_html_()
    assert "the last 20 of 50 lines" in log
    assert "line 49" in log
    assert "line 29\n" not in log


def test_a_run_s_card(run: PipelineRun) -> None:
    card = run._repr_html_()
    for part in ("training-", "completed", "<td>judge</td>", "score@1", 'aria-label="graph of the steps"'):
        assert part in card
    assert card.count("<path") == 3


def test_lists_and_mappings_are_tables(run: PipelineRun) -> None:
    save_artifact(1, "odd", tags=["<b>"])
    versions = Client().list_artifact_versions()
    assert versions == list(versions)
    shown = versions._repr_html_()
    for part in ("<td>train@1</td>", "<td>DataFrame</td>", "<td>&lt;b&gt;</td>"):
        assert part in shown
    assert f"<td>{run.name}</td>" in Client().list_pipeline_runs()._repr_html_()
    steps: Any = run.steps
    assert "<td>judge</td>" in steps._repr_html_()
    outputs: Any = run.steps["load"].outputs
    assert "<td>train</td><td>train@1</td>" in outputs._repr_html_()
    inputs: Any = run.steps["judge"].inputs
    assert "<td>model</td><td>model@1</td>" in inputs._repr_html_()


def test_a_long_table_says_how_much_it_leaves_out(run: PipelineRun) -> None:
    for number in range(120):
        save_artifact(number, f"number-{number}")
    assert "… and 24 more" in Client().list_artifact_versions()._repr_html_()


def test_steps_pipelines_and_clients_have_cards(project: Path) -> None:
    @step
    def fit(data: list[int], rate: float = 0.1, kind: str = "<plain>") -> Annotated[int, "model"]:
        return len(data)

    @pipeline
    def training(rate: float = 0.1) -> None:
        fit([1], rate)

    for part in ("step fit", "data: list[int], rate: float = 0.1", "&lt;plain&gt;", "model"):
        assert part in fit._repr_html_()
    assert "rate: float = 0.1" in training._repr_html_()
    run: Any = training()
    card = Client()._repr_html_()
    for part in (str(project), "runs", f"<td>{run.name}</td>"):
        assert part in card
    assert repr(Client()) == f"<client of {Client().repository.layout.folder}>"


def text_of(page: str) -> str:
    """What a page says."""
    return " ".join(html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def test_who_took_an_artifact_and_the_runs_of_a_model_are_tables(run: PipelineRun) -> None:
    consumers: Any = Client().get_artifact_version("train").consumers
    assert consumers == list(consumers)
    for part in (f"<td>{run.name}</td>", "<td>fit</td>", "<td>judge</td>", "score@1"):
        assert part in consumers._repr_html_()

    @step
    def grow() -> Annotated[int, "height"]:
        return 1

    @pipeline(model=Model("tree"))
    def growing() -> None:
        grow()

    grown: Any = growing()
    runs: Any = Client().get_model_version("tree").runs
    assert f"<td>{grown.name}</td>" in runs._repr_html_()
    card = Client().get_model_version("tree")._repr_html_()
    for part in ("model tree@1", "<td>height@1</td>", f"<td>{grown.name}</td>"):
        assert part in card


def test_pictures_are_named_and_not_shown(run: PipelineRun) -> None:
    pictures: Any = Client().get_artifact_version("train").visualizations()
    shown = pictures._repr_html_()
    for picture in pictures:
        assert f"<td>{picture.name}</td><td>{picture.kind}</td>" in shown
    assert "<svg" not in shown
    assert len(repr(pictures)) < 200


def test_curves_are_drawn_and_not_dumped(project: Path) -> None:
    @step
    def train() -> None:
        for epoch in range(1000):
            log_metadata({"loss": 1 / (epoch + 1), "rate <1>": float("nan")}, step=epoch)

    @pipeline
    def training() -> None:
        train()

    found: Any = training()
    curves = found.steps["train"].curves
    shown = curves._repr_html_()
    assert "loss 1,000 0 … 999 1 0.001 0.001 1" in text_of(shown)
    assert "rate <1> 1,000" in text_of(shown)
    assert shown.count("<svg") == 1  # there is no course of what is no number
    assert len(shown) < 10_000
    assert "<svg" in curves["loss"]._repr_html_()
    assert repr(curves["loss"]) == "<curve of 1,000 points: 1 at step 0, 0.001 at step 999>"


def test_a_plan_is_a_table(run: PipelineRun) -> None:
    @step
    def double(number: int) -> int:
        return 2 * number

    @pipeline
    def doubling(number: int = 1) -> None:
        double(double(number))

    plan = doubling.plan()
    assert plan == list(plan)
    assert "double run It has not run before. double_2 maybe It runs if" in text_of(plan._repr_html_())
    assert repr(plan[0]) == "<run double: It has not run before.>"
    doubling()
    assert "double run Since its last execution a parameter changed. parameter number 1 → 2" in text_of(
        doubling.plan(2)[0]._repr_html_()
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (CachePolicy(), "CachePolicy All as by default."),
        (
            CachePolicy(files=["<a>", Path("b")], expires_after=timedelta(hours=2), key=len),
            "CachePolicy files <a>, b expires_after 2 h 0 min key len",
        ),
        (Model("tree", tags=["small"], metadata={"x": 1}), "Model name tree tags small metadata x=1"),
        (ArtifactConfig(name="train", version=3), "ArtifactConfig name train version 3"),
        (Retry(5, backoff=2.0), "Retry count 5 backoff 2"),
    ],
)
def test_settings_show_what_was_said(settings: Any, said: str) -> None:
    assert text_of(settings._repr_html_()) == said


def test_what_was_shown_is_not_shown_again(run: PipelineRun) -> None:
    pictures: Any = Client().get_artifact_version("train").visualize()
    assert pictures._ipython_display_() is None  # so the last line of a cell shows nothing more
    assert len(repr(pictures)) < 200
    assert [picture.kind for picture in pictures] == ["html", "text"]


def test_visualize_prints_in_a_terminal_and_returns_the_pictures(
    run: PipelineRun, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = Client().get_artifact_version("train")
    capsys.readouterr()
    for columns in (40, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        pictures = version.visualize()
        printed = capsys.readouterr().out.splitlines()
        assert printed[0] == "train@1"
        assert max(map(len, printed)) <= columns
        assert [picture.kind for picture in pictures] == ["html", "text"]
    version.visualize("What it learns from")
    assert capsys.readouterr().out.startswith("What it learns from\n")


def test_the_same_artifact_has_the_same_card(run: PipelineRun) -> None:
    version = Client().get_artifact_version("train")
    assert version._repr_html_() == version._repr_html_()


def test_a_user_s_materializer_draws(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Report:
        def __init__(self, words: str) -> None:
            self.words = words

    class ReportMaterializer(Materializer):
        ASSOCIATED_TYPES = (Report,)

        def save(self, data: Report) -> None:
            Path(self.uri, "words.txt").write_text(data.words)

        def load(self, data_type: type[Any]) -> Report:
            return Report(Path(self.uri, "words.txt").read_text())

        def save_visualizations(self, data: Report) -> dict[str, str]:
            pictures = {"report.html": ("html", f"<b>{data.words}</b>"), "report.txt": ("text", data.words)}
            pictures["more.md"] = ("markdown", "# More")
            for name, (_, content) in pictures.items():
                Path(self.uri, name).write_text(content)
            return {str(Path(self.uri, name)): kind for name, (kind, _) in pictures.items()}

    save_artifact(Report("all is well"), "report")
    version = Client().get_artifact_version("report")
    card = version._repr_html_()
    assert "&lt;b&gt;all is well&lt;/b&gt;" in card
    assert "1 more picture" in card
    version.visualize()
    assert capsys.readouterr().out == "report@1\nall is well\n\n# More\n"


class Pickled:
    pass


@pytest.mark.filterwarnings("ignore::artvcs.pipelines.values.materializers.PickleFallbackWarning")
def test_nothing_that_runs_code_is_loaded_unasked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_artifact(Pickled(), "pickled")
    monkeypatch.setattr(ArtifactVersion, "load", _refuse)
    assert "runs code" in Client().get_artifact_version("pickled")._repr_html_()


class Unpickled:
    """Says so when it is unpickled."""

    count = 0

    def __reduce__(self) -> Any:
        return _unpickle, ()


def _unpickle() -> Unpickled:
    Unpickled.count += 1
    return Unpickled()


@pytest.mark.filterwarnings("ignore::artvcs.pipelines.values.materializers.PickleFallbackWarning")
def test_a_card_runs_no_code_whatever_the_record_says(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = save_artifact([Unpickled()], "pickled")
    monkeypatch.setattr(version, "artifact", dataclasses.replace(version.artifact, runs_code=False))
    Unpickled.count = 0
    assert "runs code" in version._repr_html_()
    assert Unpickled.count == 0


@pytest.mark.filterwarnings("ignore::artvcs.pipelines.values.materializers.PickleFallbackWarning")
def test_visualize_loads_what_may_be_loaded(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = save_artifact([Unpickled()], "pickled")
    Unpickled.count = 0
    version.visualize()
    assert "Unpickled" in capsys.readouterr().out
    assert Unpickled.count == 1
    monkeypatch.setenv("XDG_STATE_HOME", str(project / "another-state"))
    with pytest.raises(UntrustedData, match="`art trust pickled@1`"):
        version.visualize()
    assert Unpickled.count == 1


def test_nothing_large_is_loaded_unasked(run: PipelineRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "MAX_BYTES", 1)
    monkeypatch.setattr(ArtifactVersion, "load", _refuse)
    card = Client().get_artifact_version("train")._repr_html_()
    assert "too much to be loaded unasked" in card
    assert ".visualize()" in card


def _refuse(self: ArtifactVersion) -> None:
    raise AssertionError("was loaded")


@pytest.mark.parametrize("attribute", ["load", "metadata", "commit", "type", "record"])
def test_a_card_never_raises(run: PipelineRun, attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Any) -> Any:
        raise RuntimeError("<script>")

    version = Client().get_artifact_version("train")
    monkeypatch.setattr(ArtifactVersion, attribute, fails if attribute == "load" else property(fails), raising=False)
    card = version._repr_html_()
    assert "RuntimeError: &lt;script&gt;" in card
    assert "\n" not in card.rpartition("</style>")[2].partition("RuntimeError")[2].partition("</div>")[0]


def test_a_card_survives_a_deleted_version(run: PipelineRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> Any:
        raise LookupError("has been deleted")

    monkeypatch.setattr(type(run.steps["fit"]), "_version", gone)
    assert "has been deleted" in run._repr_html_()
    assert "has been deleted" in run.steps["fit"]._repr_html_()


def test_lines_of_the_graph_keep_clear_of_steps() -> None:
    drawn = graph.draw(dict.fromkeys("abc", "completed"), {"a": [], "b": ["a"], "c": ["a", "b"]})
    assert drawn.count("<rect") == 3
    assert 'height="70"' in drawn  # a second row, for the line past b
    assert graph.draw({"a": "completed"}, {"a": []}) == ""


def test_looking_at_the_past_costs_no_libraries() -> None:
    code = (
        "import sys, artvcs.pipelines.history.views\n"
        "print({'numpy', 'pandas', 'pyarrow', 'IPython', 'artvcs.pipelines.values.visualizations'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
