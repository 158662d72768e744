"""plotly figures: what they consist of, as JSON, with arrays as .npy files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import plotly.graph_objects as go

from .codec import Decoder
from .documents import FILE, DocumentMaterializer
from .files import read_json, reading
from .protocols import Encoding, Json

_PAGE = "figure.html"


class PlotlyMaterializer(DocumentMaterializer):
    """Figures; a FigureWidget is pickled."""

    NAME = "artvcs.plotly"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (go.Figure,)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """Traces, layout and frames."""
        # Part by part: the figure as a whole would give its arrays as base64, and get them back as text.
        return {
            "data": encoder.encode([_sorted(trace.to_plotly_json()) for trace in data.data]),
            "layout": encoder.encode(_sorted(data.layout.to_plotly_json())),
            "frames": encoder.encode([_sorted(frame.to_plotly_json()) for frame in data.frames]),
        }

    def load(self, data_type: type[Any]) -> Any:
        """Makes a figure of them."""
        with reading(FILE):
            document, decoder = read_json(self.folder, FILE), Decoder(self)
            parts = {name: decoder.decode(document[name]) for name in ("data", "layout", "frames")}
            return go.Figure(**parts)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """A page that needs no network: plotly's script is in it, and is stored once for all figures."""
        path = Path(self.uri) / _PAGE
        data.write_html(path, include_plotlyjs=True, div_id="figure")
        return {str(path): "html"}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The kinds of the traces, and the title."""
        facts: dict[str, Any] = {"traces": [str(trace.type) for trace in data.data]}
        title = data.layout.title.text
        return facts if title is None else {**facts, "title": str(title)}


def _sorted(part: Any) -> Any:
    """The same properties in one order: plotly does not keep the order in which they were set."""
    if isinstance(part, dict):
        return {name: _sorted(value) for name, value in sorted(part.items())}
    return type(part)(map(_sorted, part)) if type(part) in (list, tuple) else part
