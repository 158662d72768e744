"""Whatever a value holds, a page shows it and does not obey it."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest

from artvcs import Client, log_metadata, pipeline, save_artifact, step
from artvcs.pipelines.errors import RunFailed
from artvcs.pipelines.values import materializers
from artvcs.pipelines.values.materializers import CSVString, HTMLString, JSONString, MarkdownString
from artvcs.pipelines.values.visualizations import Visualization, gallery, make
from artvcs.pipelines.values.visualizations.pages import html

HOSTILE = "</pre></iframe>'\"><script>alert(1)</script><img src=x onerror=alert(1)>"
NAME = "model <script>alert(1)<"
ELEMENTS = {
    *("b", "br", "code", "dd", "div", "dl", "dt", "g", "h3", "h4", "h5", "h6", "i", "iframe", "img", "li", "ol", "p"),
    *(
        "a",
        "path",
        "pre",
        "rect",
        "span",
        "style",
        "svg",
        "table",
        "tbody",
        "td",
        "text",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    ),
}


class _Audit(HTMLParser):
    """Collects what a browser would act upon."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.frames: list[dict[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name != "href"
            assert name != "src" or str(value).startswith("data:image/")
        if tag == "iframe":
            self.frames.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def audit(page: str) -> _Audit:
    found = _Audit()
    found.feed(page)
    assert found.elements <= ELEMENTS
    assert "url(" not in page.split("<iframe")[0]
    return found


def page_of(value: Any) -> str:
    return html.fragment(gallery.as_html(make(value, materializers.find_for_value(value))))


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({HOSTILE: [HOSTILE, "x"]}, index=pd.Index([HOSTILE, 1], name=HOSTILE)),
        pd.DataFrame({"x": pd.Categorical([HOSTILE, HOSTILE])}),
        pd.Series([[HOSTILE]], name=HOSTILE),
        np.array([HOSTILE]),
        np.array([HOSTILE, None], dtype=object),
        np.zeros(2, [(HOSTILE, "i4")]),
        {HOSTILE: HOSTILE, "nested": {HOSTILE: 1.0}},
        {HOSTILE: 1.0},
        [{HOSTILE: HOSTILE}],
        {HOSTILE},
        HOSTILE,
        b"alert(1)<script>",
        MarkdownString(f"# {HOSTILE}\n\n**{HOSTILE}** `{HOSTILE}` [{HOSTILE}](javascript:alert(1)) ![{HOSTILE}](x)"),
        MarkdownString(f"| {HOSTILE} |\n|---|\n| {HOSTILE} |\n\n- {HOSTILE}\n```\n{HOSTILE}\n```"),
        CSVString(f"{HOSTILE}\n{HOSTILE}"),
        JSONString(f'["{HOSTILE}"]'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values(value: Any) -> None:
    found = audit(page_of(value))
    assert "iframe" not in found.elements
    assert "alert(1)" in found.text


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "JavaScript:alert(1)", "&#106;avascript:alert(1)", "java\tscript:alert(1)", "vbs:x"),
        *("data:text/html,<script>", "data:image/svg+xml,<svg>", "file:///etc/passwd", "//evil.example", "/api/x", "#"),
        *("other.md", "ftp://evil.example", "x:https://evil.example", ""),
    ],
)
def test_a_link_in_markdown_leads_only_to_a_page(url: str) -> None:
    """An audit passes no `href` at all."""
    for text in ("[x](URL)", "[x](<URL>)", "<URL>", "[x]\n\n[x]: URL", "![x](URL)", '<a href="URL">x</a>'):
        assert "img" not in audit(page_of(MarkdownString(text.replace("URL", url)))).elements


def test_links_to_pages_can_be_followed_and_say_nothing_of_this_one() -> None:
    page = page_of(MarkdownString('[a](https://example.org/?q="><script>) <http://b.example> <c@example.org>'))
    assert '<a href="https://example.org/?q=%22%3E%3Cscript%3E" target="_blank" rel="noopener noreferrer' in page
    assert '<a href="http://b.example"' in page
    assert '<a href="mailto:c@example.org"' in page
    assert "<img" not in page_of(MarkdownString("![a](https://example.org/pixel.png)"))


@pytest.mark.long
@pytest.mark.parametrize(
    "text",
    [
        *("[" * 50_000, "![" * 25_000, "**a " * 12_500, "> " * 25_000, "- " * 25_000, "<a " * 16_000, "`" * 50_000),
        ("a|" * 200 + "\n" + "-|" * 200 + "\n" + "x\n" * 300 + "\n") * 50,
        "a|" * 10_000 + "\n" + "-|" * 10_000 + "\n" + "x\n" * 10_000,
        f"[a]: https://example.org/{'x' * 20_000}\n\n" + "[a]" * 10_000,
    ],
    ids=lambda text: text[:10].strip(),
)
def test_little_markdown_is_never_much_html(text: str) -> None:
    began = time.process_time()
    page = page_of(MarkdownString(text))
    assert len(page) < 10_000_000
    assert time.process_time() - began < 20, "it takes a second or two here"


def test_models() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    data = pd.DataFrame({HOSTILE: [0.0, 1.0, 2.0]})
    audit(page_of(linear.Lasso(selection=HOSTILE)))
    assert "alert(1)" in audit(page_of(linear.LinearRegression().fit(data, [0, 1, 2]))).text


def test_file_names(tmp_path: Path) -> None:
    (tmp_path / "a<script>b.txt").write_text(HOSTILE)
    assert "a<script>b.txt" in audit(page_of(tmp_path)).text
    assert "alert(1)" in audit(page_of(tmp_path / "a<script>b.txt")).text


def test_names_of_pictures() -> None:
    pictures = [Visualization(f"{HOSTILE}{at}.svg", "svg", HOSTILE.encode()) for at in range(2)]
    pictures.append(Visualization(f"{HOSTILE}.png", "image", b"?"))
    audit(gallery.as_html(pictures))


@pytest.mark.parametrize("document", [HOSTILE, "<h1>Report</h1>" + HOSTILE, '"></iframe><script>alert(1)</script>'])
def test_html_is_in_a_sandbox_and_nothing_of_it_outside(document: str) -> None:
    found = audit(page_of(HTMLString(document)))
    [frame] = found.frames
    assert frame["sandbox"] == ""
    assert set(frame) == {"sandbox", "srcdoc"}
    assert str(frame["srcdoc"]).endswith(document)
    assert "default-src 'none'" in str(frame["srcdoc"])
    assert "alert" not in found.text
    assert "script" not in found.elements


def test_names_metadata_logs_and_failures(project: Path) -> None:
    @step
    def fit(rate: str) -> Annotated[dict[str, str], NAME]:
        print(HOSTILE)
        log_metadata({HOSTILE: HOSTILE})
        return {"rate": rate}

    @step(name="fails <script>")
    def fails(model: dict[str, str]) -> None:
        raise ValueError(HOSTILE)

    @pipeline(name="training <b>")
    def training() -> None:
        fails(fit(HOSTILE))

    with pytest.raises(RunFailed):
        training()
    [run] = Client().list_pipeline_runs()
    log_metadata({HOSTILE: HOSTILE}, artifact_name=NAME)
    for shown in (run, *run.steps.values(), Client().get_artifact_version(NAME)):
        found = audit(shown._repr_html_())
        assert "<script>" in found.text
        assert "script" not in found.elements


def test_tags_and_types(project: Path) -> None:
    save_artifact(1, "x", tags=[HOSTILE])
    assert "alert(1)" in audit(Client().get_artifact_version("x")._repr_html_()).text
