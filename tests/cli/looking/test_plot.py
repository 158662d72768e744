"""`art plot`: curves, and a measure by a parameter, in the terminal and as a picture."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, log_metadata
from artvcs.cli.terminal import plots
from artvcs.pipelines.history import plots as data
from artvcs.vcs import Repository

from ..conftest import Art, Once

TRIALS = """
import math
from artvcs import log_metadata, pipeline, step

@step
def train(depth: int, kind: str) -> int:
    for epoch in range(4):
        log_metadata({"loss": 1 / (epoch + depth) if epoch else math.nan}, step=epoch)
    return depth

@step
def judge(depth: int) -> float:
    log_metadata({"accuracy": depth / 10})
    return depth / 10

@pipeline
def trials(depth: int = 5, kind: str = "tree"):
    judge(train(depth, kind))
"""


@pytest.fixture
def trials(art: Art, project: Path, once: Once) -> Art:
    """Three runs: of depth 5, 9 and 7, the last of another kind."""

    def make() -> None:
        (project / "trials.py").write_text(TRIALS)
        for depth, kind in ((5, "tree"), (9, "tree"), (7, "vine")):
            assert art("run", "trials.py", "-p", f"depth={depth}", "-p", f"kind={kind}").code == 0

    once("plotted", make)
    return art


def test_a_measure_by_a_parameter(trials: Art) -> None:
    plot = trials("plot", "accuracy", "--by", "depth", "--json").json
    assert plot["series"] == [{"label": "trials", "x": [5, 9, 7], "y": [0.5, 0.9, 0.7]}]
    drawn = trials("plot", "accuracy", "--by", "depth")
    assert "accuracy by depth" in drawn.out
    assert drawn.out.count("●") == 3
    assert "\x1b" not in drawn.out
    assert all(len(line) <= 80 for line in drawn.out.splitlines())


def test_a_measure_by_a_text_and_by_time(trials: Art) -> None:
    plot = trials("plot", "accuracy", "--by", "kind", "--json").json
    assert plot["series"][0]["x"] == ["tree", "tree", "vine"]
    assert "vine" in trials("plot", "accuracy", "--by", "kind").out
    assert len(trials("plot", "accuracy", "--json").json["series"][0]["x"]) == 3
    chosen = trials("plot", "accuracy", "trials", "--by", "depth", "--where", "kind = tree", "--json").json
    assert chosen["series"][0]["x"] == [5, 9]


def test_curves_of_runs(trials: Art) -> None:
    newest = trials("plot", "loss", "trials", "--json").json
    assert [newest["x"], newest["series"][0]["x"]] == ["step", [0, 1, 2, 3]]
    assert newest["series"][0]["y"] == ["nan", 1 / 8, 1 / 9, 1 / 10]
    every = trials("plot", "loss", "--json").json
    assert len(every["series"]) == 3
    two = trials("plot", "loss", "trials", "trials~1")
    assert "loss" in two.out
    names = [row["name"] for row in trials("log", "--json").json]
    assert names[0][-12:] in two.out
    assert names[1][-12:] in two.out


def test_an_execution_has_one_curve_however_many_runs_reused_it(trials: Art) -> None:
    """It is called by the run that executed it, and whoever asks for another is told."""
    for _ in range(2):
        assert trials("run", "trials.py", "-p", "depth=7", "-p", "kind=vine").code == 0
    newest, second, executed, *_ = [row["name"] for row in trials("log", "--json").json]
    every = trials("plot", "loss", "--json").json["series"]
    assert (every[0]["label"], len(every)) == (executed, 3)
    one = trials("plot", "loss", "trials", "--json").json
    assert (one["title"], len(one["series"])) == (f"loss of {executed}", 1)
    both = trials("plot", "loss", newest, second)
    assert f"loss of {executed}" in both.out
    assert both.out.endswith(f"The curve of {executed} is also that of {newest}, {second}, which reused it\n")
    assert f"is also that of {newest}, which" in trials("plot", "loss", newest, "-o", "loss.svg").out


def test_steps_of_one_run_that_share_an_execution_have_one_curve(art: Art, project: Path) -> None:
    twice = TRIALS.replace("judge(train(depth, kind))", "judge(train(depth, kind)); train(depth, kind)")
    (project / "twice.py").write_text(twice)
    assert art("run", "twice.py").code == 0
    [only] = art("plot", "loss", "--json").json["series"]
    assert only["label"] == art("log", "--json").json[0]["name"]
    assert "is also that of" not in art("plot", "loss").out


def test_what_curves_are_called_stands_below_them_and_is_whole(trials: Art, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each curve of a loss begins at the top, where a legend would cover it; and 20 columns have no room for one."""
    plot = data.curves(Repository.discover(), "loss")
    assert plot is not None
    for columns in (20, 80):
        lines = [line.replace("\x1b[0m", "") for line in plots.as_text(plot, columns, colour=False, blocks=True).lines]
        end = next(at for at, line in enumerate(lines) if line.lstrip().startswith("└"))
        below = "".join(line.removeprefix("  ") for line in lines[end:])
        assert all(f"{mark} {each.label}" in below for mark, each in zip("abc", plot.series, strict=True))
        assert not any(each.label[:9] in line for line in lines[:end] for each in plot.series)


def test_what_has_no_room_below_its_place_is_said(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "trials.py").write_text(TRIALS)
    for kind in ("gradient-boosting", "random-forest"):
        assert art("run", "trials.py", "-p", f"kind={kind}").code == 0
    assert art("plot", "accuracy", "--by", "kind").err == ""
    monkeypatch.setattr("artvcs.cli.commands.looking.plot._USUAL", 20)
    narrow = art("plot", "accuracy", "--by", "kind")
    said = "warning: No room below the plot for (random-forest|gradient-boosting); --json has every kind.\n"
    assert re.fullmatch(said, narrow.err)
    assert "accuracy by kind" in narrow.out


@pytest.mark.parametrize("length", [20, 80])
def test_a_picture_has_the_names_of_curves_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    from matplotlib import pyplot

    lines = [data.Series(f"{at}".zfill(length), [0, 1], [float(at), 0.0]) for at in range(12)]
    figures: list[Any] = []
    monkeypatch.setattr(pyplot, "close", figures.append)
    plots.save(data.Plot("loss", "step", "loss", lines, are_lines=True), tmp_path / "loss.png")
    monkeypatch.undo()
    [figure] = figures
    figure.canvas.draw()
    [legend], [axes] = figure.legends, figure.axes
    names, curves = legend.get_window_extent(), axes.get_tightbbox()
    assert [each.get_text() for each in legend.get_texts()] == [each.label for each in lines]
    assert names.y1 <= curves.y0
    assert 0 <= names.x0 < names.x1 <= figure.bbox.width
    assert axes.get_window_extent().height > figure.bbox.height / 3
    pyplot.close(figure)


def test_a_picture_needs_a_folder(trials: Art, project: Path) -> None:
    done = trials("plot", "accuracy", "-o", "pictures/deep.png")
    assert done.err == "error: There is no folder pictures to write deep.png in; make it, or choose another.\n"
    (project / "pictures").mkdir()
    assert trials("plot", "accuracy", "-o", "pictures/deep.png").code == 0


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_a_picture(trials: Art, project: Path, suffix: str, start: bytes) -> None:
    done = trials("plot", "accuracy", "--by", "depth", "-o", f"plot{suffix}")
    assert done.out == f"plot{suffix} shows accuracy by depth\n"
    assert (project / f"plot{suffix}").read_bytes().startswith(start)


@pytest.mark.parametrize("columns", [20, 500])
def test_a_narrow_and_a_wide_terminal(trials: Art, columns: int) -> None:
    plot = data.by(Repository.discover(), "accuracy", "depth")
    for blocks in (True, False):
        drawn = plots.as_text(plot, columns, colour=False, blocks=blocks)
        assert max(len(line.replace("\x1b[0m", "")) for line in drawn.lines) <= columns
        assert blocks or "".join(drawn.lines).isascii()


def test_ten_thousand_texts_and_names_that_are_no_formulas(tmp_path: Path) -> None:
    """A picture has no room for a label each, and drawing so many would take a minute."""
    names = [f"${number}$" for number in range(10_000)]
    points = data.Series("all", list(names), [float(each) for each in range(10_000)])
    plot = data.Plot("$a^", "kind", "$a^", [points], are_lines=False)
    began = time.monotonic()
    plots.save(plot, tmp_path / "plot.svg")
    assert time.monotonic() - began < 20
    said = re.findall(r"<!-- (.*) -->", (tmp_path / "plot.svg").read_text())
    assert {"$0$", "$500$", "$9500$", "$a^"} <= set(said)
    assert "$1$" not in said
    drawn = plots.as_text(plot, 80, colour=False, blocks=True)
    assert "●" not in "".join(drawn.lines)  # they would hide one another


def test_what_is_no_number_is_left_out_and_said(trials: Art) -> None:
    run = Client().list_pipeline_runs()[0]
    log_metadata({"mood": "good"}, run_id_name_or_prefix=run.id)
    log_metadata({"mood": 3}, run_id_name_or_prefix=Client().list_pipeline_runs()[1].id)
    done = trials("plot", "mood", "--by", "depth", "--json")
    assert done.json["series"][0]["y"] == [3.0]
    assert "warning: Runs are left out: 1 without mood or depth, 1 whose mood is no number.\n" in done.err


def test_what_is_left_out_is_told_apart(art: Art, project: Path) -> None:
    (project / "flows.py").write_text(
        "from artvcs import log_metadata, pipeline, step\n"
        "@step\ndef train(depth: int | None) -> int:\n    log_metadata({'score': depth or 1})\n    return 1\n"
        "@step\ndef other() -> int:\n    return 1\n"
        "@pipeline\ndef flow(depth: int | None = None):\n    train(depth)\n"
        "@pipeline\ndef others():\n    other()\n"
    )
    art("run", "flows.py:others")
    for depth in ("None", "2", "7", "16"):
        assert art("run", "flows.py:flow", "-p", f"depth={depth}").code == 0
    shown = art("plot", "score", "--by", "depth")
    assert shown.err == "warning: Runs are left out: 1 whose depth is None.\n"
    assert shown.out.splitlines()[-2].split() == ["2", "7", "16"]  # where there are runs, and no 9.5
    over_time = art("plot", "score")
    assert over_time.err == ""
    labels = over_time.out.splitlines()[-2].split()
    assert labels
    assert len(labels) == len({*labels})


def test_a_hostile_name_draws_nothing(trials: Art) -> None:
    run = Client().list_pipeline_runs()[0]
    log_metadata({"a\x1b[31mb": 1}, run_id_name_or_prefix=run.id)
    assert "\x1b" not in trials("plot", "a\x1b[31mb", "--by", "depth").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("acuracy", "--by", "depth"), "No run has a column 'acuracy' (did you mean 'accuracy'?)"),
        (("accuracy", "--by", "dept"), "No run has a column 'dept' (did you mean 'depth'?)"),
        (("kind", "--by", "depth"), "No run has a number as 'kind' and a 'depth'"),
        (("los", "trials"), "has no curve 'los' (did you mean 'loss'?); it has loss."),
        (("accuracy", "--by", "depth", "-o", "x.txt"), "x.txt ends with none of .png, .svg, .pdf; choose"),
        (("accuracy", "nowhere", "--by", "depth"), "No run is of a pipeline 'nowhere'"),
        (("accuracy", "a", "b", "--by", "depth"), "--by and --where look at one pipeline, or at all"),
    ],
)  # fmt: skip
def test_what_cannot_be_plotted_is_one_sentence(trials: Art, arguments: tuple[str, ...], message: str) -> None:
    done = trials("plot", *arguments)
    assert done.code != 0
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_training_that_diverged_is_drawn_as_far_as_it_can_be(art: Art, project: Path) -> None:
    (project / "diverging.py").write_text(
        "from artvcs import log_metadata, pipeline, step\n"
        "@step\n"
        "def train() -> int:\n"
        "    for epoch, loss in enumerate((1.0, 2.0, 1e308, -1e308)):\n"
        "        log_metadata({'loss': loss}, step=epoch)\n"
        "    return 1\n"
        "@pipeline\n"
        "def diverging():\n"
        "    train()\n"
    )
    art("run", "diverging.py")
    drawn = art("plot", "loss")
    assert drawn.code == 0
    assert "2.0" in drawn.out
    assert drawn.err == "warning: 2 values of 'loss' had no place: NaN, or too large.\n"
