"""Python's own values, models, files and texts, each drawn by the materializer that stores it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.values import materializers
from artvcs.pipelines.values.materializers import CSVString, HTMLString, JSONString, MarkdownString
from artvcs.pipelines.values.visualizations import Visualization, gallery, make
from artvcs.pipelines.values.visualizations.kinds import mapping, model_table
from artvcs.pipelines.values.visualizations.summary import Bar, Block, Line, Table
from tests.pipeline.values.materializers import samples

SAMPLES = {**samples.scalars(), **samples.containers(), **samples.arrays()}


def drawn(value: Any) -> list[Visualization]:
    return make(value, materializers.find_for_value(value))


def table(blocks: tuple[Block, ...]) -> Table:
    [found] = [block for block in blocks if isinstance(block, Table)]
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_everything_that_can_be_stored_can_be_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    pictures = drawn(SAMPLES[name])
    assert pictures
    gallery.as_html(pictures).encode()
    assert all(len(line) <= 60 for line in gallery.as_text(pictures, 60).splitlines())


@pytest.mark.parametrize("name", SAMPLES)
def test_the_same_value_gives_the_same_bytes(name: str) -> None:
    assert drawn(SAMPLES[name]) == drawn(SAMPLES[name])


def test_metrics_are_bars() -> None:
    found = table(mapping.of_value({"accuracy": 0.9, "nested": {"loss": -0.45}}).blocks)
    assert found.rows == (("accuracy", "0.9", Bar(1.0)), ("nested.loss", "-0.45", Bar(-0.5)))


def test_metrics_that_are_not_finite_have_no_bar() -> None:
    found = table(mapping.of_value({"a": float("nan"), "b": float("inf"), "c": 2.0}).blocks)
    assert [row[2] for row in found.rows] == ["", "", Bar(1.0)]


def test_courses_are_lines() -> None:
    found = table(mapping.of_value({"loss": [3.0, 2.0, 1.0], "name": "x"}).blocks)
    assert found.rows[0][1:] == ("3 … 1, 3 values", Line((3.0, 2.0, 1.0)))


def test_dictionaries_in_a_list_are_rows() -> None:
    found = table(mapping.of_value([{"a": 1, "b": "x"}, {"a": 2, "c": None}]).blocks)
    assert found.heads == ("a", "b", "c")
    assert found.rows == (("1", "x", ""), ("2", "", "None"))


def test_long_containers_are_cut_and_say_so() -> None:
    text = gallery.as_text(drawn([str(number) for number in range(1000)]), 80)
    assert "… and 900 more items" in text
    assert "mean" in gallery.as_text(drawn(list(range(100_000))), 80)
    assert "Only the first 100" in gallery.as_text(drawn({str(n): n for n in range(1000)}), 80)


def test_sets_are_sorted() -> None:
    rows = table(mapping.of_value({"c", "a", "b"}).blocks).rows
    assert [row[1] for row in rows] == ["a", "b", "c"]


def test_a_repr_that_fails_is_said() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert "Broken" in gallery.as_text(make([Broken()], materializers.by_name("artvcs.container")), 80)


def test_addresses_are_left_out() -> None:
    assert "0x" not in gallery.as_text(make([object()], materializers.by_name("artvcs.container")), 80)


def test_models_show_what_was_changed_and_what_counts() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    model = ensemble.RandomForestClassifier(3, random_state=0).fit([[0, 1], [1, 1], [0, 0], [1, 0]], [0, 1, 0, 1])
    parameters, weights = (block for block in model_table.of_model(model).blocks if isinstance(block, Table))
    assert parameters.rows[0] == ("n_estimators", "3", "100")
    assert weights.caption == "Feature importances"
    assert weights.rows[0][0] == "feature 0"
    assert drawn(model)[0].own


def test_linear_models_and_pipelines() -> None:
    linear, pipeline = pytest.importorskip("sklearn.linear_model"), pytest.importorskip("sklearn.pipeline")
    scaler = pytest.importorskip("sklearn.preprocessing").StandardScaler()
    data, target = [[0.0, 1.0], [1.0, 1.0], [2.0, 0.0], [3.0, 0.0]], [0, 1, 2, 2]
    model = pipeline.make_pipeline(scaler, linear.LogisticRegression(C=0.5)).fit(data, target)
    text = gallery.as_text(drawn(model), 80)
    assert "C=0.5" in text
    assert "Coefficients, mean size over 3" in text
    assert drawn(linear.LinearRegression())  # unfitted


def test_html_is_somebody_s() -> None:
    [picture] = drawn(HTMLString("<b>x</b>"))
    assert (picture.kind, picture.own) == ("html", False)
    assert "<iframe sandbox" in gallery.as_html([picture])


def test_markdown() -> None:
    text = "# Title\n\nSome **bold** `a*b*c` text\nin *two* lines.\n- one\n- two\n\n"
    text += "|a|b|\n|-|-|\n|1|2|\n\n1. x\n```\n<c>\n```"
    page = gallery.as_html(drawn(MarkdownString(text)))
    for part in (
        *("<h3>Title</h3>", "<b>bold</b>", "<code>a*b*c</code>", "<i>two</i> lines.</p>", "<li>one</li><li>two</li>"),
        *("<th>a</th><th>b</th>", "<td>1</td><td>2</td>", "<ol><li>x</li></ol>", "<pre>&lt;c&gt;</pre>"),
    ):
        assert part in page


def test_markdown_that_is_nested_quoted_and_counted() -> None:
    text = "3. a\n   - b\n\n> quoted <i>html</i>\n\n---\n\n|n|\n|-:|\n|1|\n\n"
    text += "~~gone~~ ![plot](https://x.example/p.png)  \nnext"
    page = gallery.as_html(drawn(MarkdownString(text)))
    for part in (
        *('<ol start="3"><li>a<ul><li>b</li></ul></li></ol>', "<blockquote><p>quoted &lt;i&gt;html&lt;/i&gt;</p>"),
        *(
            "<hr>",
            '<th class="number">n</th>',
            '<s>gone</s> plot <span class="muted">(https://x.example/p.png)</span><br>',
        ),
    ):
        assert part in page


def test_csv_is_a_table() -> None:
    picture = drawn(CSVString('name,n\n"a,b",1\nc\n'))
    assert "<td>a,b</td>" in gallery.as_html(picture)
    assert gallery.as_text(picture, 80).splitlines() == ["name  n", "a,b   1", "c"]
    assert gallery.as_text(drawn(CSVString("")), 80) == "empty"


def test_json_is_pretty() -> None:
    assert gallery.as_text(drawn(JSONString('{"a":[1]}')), 80) == json.dumps({"a": [1]}, indent=2)
    assert gallery.as_text(drawn(JSONString("{")), 80) == "{"


def test_folders_are_listed(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.txt").write_text("b" * 2048)
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "loop").symlink_to(tmp_path)
    text = gallery.as_text(drawn(tmp_path), 80)
    assert "sub/b.txt  2.0 KiB" in text
    assert "3 files" in text


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("report.md", b"# Hello", "markdown"),
        ("data.csv", b"a,b\n1,2", "csv"),
        ("page.html", b"<script>", "html"),
        ("x.png", b"\x89PNG", "image"),
        ("x.json", b"{}", "json"),
    ],
)
def test_files_are_what_their_ending_says(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert drawn(tmp_path / name)[-1] == Visualization(f"content{Path(name).suffix}", kind, content)


def test_other_files_show_their_beginning(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("é" * 20_000)
    assert "é" * 50 in gallery.as_text(drawn(tmp_path / "notes"), 80)
    (tmp_path / "model.bin").write_bytes(bytes(range(256)))
    assert "00 01 02 03" in gallery.as_text(drawn(tmp_path / "model.bin"), 80)


def test_images() -> None:
    image = pytest.importorskip("PIL.Image")
    [picture] = drawn(image.new("RGB", (3, 2), "red"))
    assert picture.kind == "image"
    assert '<img alt="image.png" src="data:image/png;base64,' in gallery.as_html([picture])


def test_figures() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.subplots().plot([1, 2])
    assert "data:image/svg+xml;base64," in gallery.as_html(drawn(figure))
