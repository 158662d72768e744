"""Pictures that a user's materializer draws: their kinds, their files, and what is refused."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import Materializer
from artvcs.pipelines.values.visualizations import Visualization, gallery, make, notebook
from artvcs.pipelines.values.visualizations.model import KINDS

Draw = Callable[[str], Any]


def drawing(draw: Draw) -> type[Materializer]:
    class Mine(Materializer):
        NAME: ClassVar[str] = "tests.drawing"

        def save_visualizations(self, data: Any) -> Any:
            return draw(self.uri)

    return Mine


def written(uri: str, name: str, content: str = "x") -> str:
    path = Path(uri, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return str(path)


def test_files_and_kinds_are_read() -> None:
    def draw(uri: str) -> dict[str, str]:
        return {written(uri, f"a/{kind}.x", kind): kind for kind in KINDS}

    assert make(1, drawing(draw)) == [Visualization(f"a/{kind}.x", kind, kind.encode()) for kind in KINDS]


def test_names_may_be_relative_and_kinds_enum_members() -> None:
    class VisualizationType(enum.Enum):
        HTML = "html"

    def draw(uri: str) -> dict[str, Any]:
        written(uri, "a.html")
        written(uri, "b.png")
        return {"a.html": VisualizationType.HTML, "b.png": "PNG"}

    assert [picture.kind for picture in make(1, drawing(draw))] == ["html", "image"]


def test_where_nothing_is_drawn_the_text_stands_for_it() -> None:
    assert "'a': 1" in gallery.as_text(make([{"x": {"a": 1}}], drawing(lambda uri: {})), 80)


def test_a_user_s_html_is_never_taken_for_ours() -> None:
    def draw(uri: str) -> dict[str, str]:
        return {written(uri, "a.html", "<script>alert(1)</script>"): "fragment"}

    [picture] = make(1, drawing(draw))
    assert not picture.own
    assert "<script>" not in gallery.as_html([picture])


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/etc/hostname", "missing", "folder", "link", "a\0b", "", "\x1b[2J"]
)
def test_names_never_leave_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("secret")

    def draw(uri: str) -> dict[str, str]:
        Path(uri, "folder").mkdir()
        Path(uri, "link").symlink_to(tmp_path / "outside.txt")
        return {name: "text"}

    with pytest.raises(MaterializerError, match="no file below") as raised:
        make(1, drawing(draw), tmp_path)
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize("returned", [["a"], {"a.txt": "hologram"}, dict.fromkeys(map(str, range(1000)), "text")])
def test_what_makes_no_sense_is_refused(returned: Any) -> None:
    def draw(uri: str) -> Any:
        written(uri, "a.txt")
        return returned

    with pytest.raises(MaterializerError):
        make(1, drawing(draw))


def test_a_failure_says_whose_it_is() -> None:
    def draw(uri: str) -> Any:
        raise ZeroDivisionError("oh")

    with pytest.raises(MaterializerError, match=r"Mine could not draw .* \(ZeroDivisionError: oh\)"):
        make(1, drawing(draw))


def test_what_is_too_large_is_said() -> None:
    def draw(uri: str) -> dict[str, str]:
        with Path(uri, "a.html").open("wb") as file:
            os.truncate(file.fileno(), 30 << 20)
        return {"a.html": "html"}

    [picture] = make(1, drawing(draw))
    assert picture.kind == "text"
    assert "30.0 MiB" in picture.text


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    make(1, drawing(lambda uri: {written(uri, "a.txt"): "text"}), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_page_gets_the_richest_form_and_a_terminal_the_plainest() -> None:
    pictures = [Visualization(f"a.{kind}", kind, b"1") for kind in ("text", "html", "csv")]
    pictures.append(Visualization("b.csv", "csv", b"n\n2"))
    assert gallery.as_text(pictures, 80) == "1\n\nn\n2"
    page = gallery.as_html(pictures)
    assert page.count("<iframe") == 1
    assert page.count("<table") == 1


def test_without_a_kernel_this_is_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert not notebook.in_notebook()
    notebook.show([Visualization("a.txt", "text", b"hello")], "Title")
    assert capsys.readouterr().out == "Title\nhello\n"
