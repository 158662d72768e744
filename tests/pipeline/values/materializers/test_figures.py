"""Figures: matplotlib's as a marked pickle with a picture that lasts, plotly's exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import by_name, find_for_value

from .conformance import hashes, needs_trust, refuses_cut_files, reload
from .harness import round_trip, save

matplotlib = pytest.importorskip("matplotlib")
go = pytest.importorskip("plotly.graph_objects")

MATPLOTLIB, PLOTLY = "artvcs.matplotlib", "artvcs.plotly"


def _figure() -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3))
    upper, lower = figure.subplots(2)
    upper.plot([1, 3, 2], label="a line")
    upper.set_title("Upper")
    upper.legend()
    figure.colorbar(lower.imshow(np.eye(3)))
    lower.text(0, 0, "$x^2$")
    return figure


def _plotly() -> Any:
    line = go.Scatter(x=np.arange(3), y=[1, None, 2.5], name="a line")
    days = go.Bar(x=pd.date_range("2020", periods=2), y=np.array([1.5, np.nan], dtype="float32"))
    return go.Figure([line, days], {"title": "Two", "width": 300}, [go.Frame(data=[line], name="f")])


def samples() -> dict[str, Any]:
    return {"matplotlib": _figure(), "plotly": _plotly()}


def _drawn(figure: Any, folder: Path) -> tuple[str, bytes]:
    folder.mkdir()
    [(path, kind)] = find_for_value(figure)(str(folder)).save_visualizations(figure).items()
    return kind, Path(path).read_bytes()


def test_a_matplotlib_figure_draws_the_same_after_loading(tmp_path: Path) -> None:
    figure = _figure()
    loaded = reload(figure, tmp_path, MATPLOTLIB, exact=False)
    kind, picture = _drawn(figure, tmp_path / "one")
    assert kind == "svg"
    assert b"<svg" in picture
    assert b"<dc:date>" not in picture
    assert _drawn(loaded, tmp_path / "two") == (kind, picture)
    assert loaded.axes[0].get_title() == "Upper"


def test_saving_changes_nothing_in_pyplot(tmp_path: Path) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    matplotlib.use("agg")
    figure, _ = pyplot.subplots()
    manager = figure.canvas.manager
    save(figure, tmp_path / "open")
    assert figure.canvas.manager is manager
    pyplot.close(figure)
    save(figure, tmp_path / "closed")
    assert (tmp_path / "open" / "figure.pkl").read_bytes() == (tmp_path / "closed" / "figure.pkl").read_bytes()
    by_name(MATPLOTLIB)(str(tmp_path / "open")).load(object)
    assert pyplot.get_fignums() == []


def test_a_plotly_figure_comes_back_with_its_arrays(tmp_path: Path) -> None:
    figure = _plotly()
    loaded = reload(figure, tmp_path, PLOTLY)
    assert loaded == figure
    assert type(loaded.data[0].x) is np.ndarray
    assert loaded.data[1].y.dtype == np.float32
    assert [frame.name for frame in loaded.frames] == ["f"]


def test_a_plotly_figure_draws_a_page_that_needs_no_network(tmp_path: Path) -> None:
    kind, page = _drawn(_plotly(), tmp_path / "one")
    assert kind == "html"
    assert b'<script src="http' not in page
    assert _drawn(_plotly(), tmp_path / "two") == (kind, page)


def test_empty_figures() -> None:
    assert round_trip(go.Figure()) == go.Figure()
    assert round_trip({"figures": [go.Figure()]}) == {"figures": [go.Figure()]}


@pytest.mark.long
def test_two_processes_write_the_same_bytes() -> None:
    assert hashes(__name__, "1") == hashes(__name__, "2")


def test_metadata() -> None:
    facts = find_for_value(_figure())("").extract_metadata(_figure())
    assert (facts["size"], facts["axes"]) == ([4.0, 3.0], ["Upper", "", ""])
    facts = find_for_value(_plotly())("").extract_metadata(_plotly())
    assert facts == {"traces": ["scatter", "bar"], "title": "Two"}


def test_trust(tmp_path: Path) -> None:
    needs_trust(_figure(), tmp_path)
    assert not save(_plotly(), tmp_path / "plotly").runs_code


@pytest.mark.parametrize("name", ["matplotlib", "plotly"])
def test_cut_files(name: str, tmp_path: Path) -> None:
    refuses_cut_files(samples()[name], tmp_path)


def test_a_property_that_plotly_does_not_know_is_refused(tmp_path: Path) -> None:
    save(_plotly(), tmp_path)
    path = tmp_path / "value.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "layout": {"nonsense": 1}}))
    with pytest.raises(MaterializerError):
        by_name(PLOTLY)(str(tmp_path)).load(object)
