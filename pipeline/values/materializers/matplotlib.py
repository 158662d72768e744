"""matplotlib figures: nothing but a pickle brings a figure back, so that is what is stored, and marked.

Loading runs code and wants a version of matplotlib close to the one that stored the figure. The picture,
which lasts, is the figure's visualization. A loaded figure is not one of pyplot's, and opens no window.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import matplotlib
import matplotlib.figure
from matplotlib.cbook import CallbackRegistry
from matplotlib.transforms import TransformNode

from artvcs.pipelines.errors import MaterializerError

from .base import Materializer
from .files import reading
from .pickle_bytes import stable_dumps, stable_loads

_PICKLE = "figure.pkl"
_PICTURE = "figure.svg"
_COUNTER = "_cid_gen"
_PARENTS = "_parents"
# The ids inside an SVG are random unless they are hashed with a salt that is always the same.
_STYLE: Any = {"svg.hashsalt": "artvcs", "svg.fonttype": "path"}


class FigureMaterializer(Materializer):
    """Figures."""

    NAME = "artvcs.matplotlib"
    RUNS_CODE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (matplotlib.figure.Figure,)

    def save(self, data: Any) -> None:
        """Pickles the figure.

        Raises:
            MaterializerError: It cannot be pickled.
        """
        try:
            with _apart_from_pyplot(data):
                content = stable_dumps(data, reduce=_reduce)
        except Exception as error:  # a figure holds objects of any kind
            raise MaterializerError(
                f"The figure cannot be stored ({type(error).__name__}: {error}); save it to a file and return the Path."
            ) from error
        self.folder.write(_PICKLE, content)

    def load(self, data_type: type[Any]) -> Any:
        """Unpickles; this runs code held in the file."""
        with reading(_PICKLE):
            return stable_loads(self.folder.read(_PICKLE))

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The picture as SVG, the same bytes for the same figure."""
        path = Path(self.uri) / _PICTURE
        with matplotlib.rc_context(_STYLE):
            data.savefig(path, format="svg", metadata={"Date": None})
        return {str(path): "svg"}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Size in inches, and the titles of the axes."""
        return {
            "size": [float(side) for side in data.get_size_inches()],
            "axes": [str(axes.get_title()) for axes in data.axes],
            "matplotlib": str(matplotlib.__version__),
        }


@contextmanager
def _apart_from_pyplot(figure: Any) -> Iterator[None]:
    """Hides that pyplot manages the figure: its pickle would open a window, and differ once it is closed."""
    manager, figure.canvas.manager = figure.canvas.manager, None
    try:
        yield
    finally:
        figure.canvas.manager = manager


def _reduce(part: Any) -> Any:
    """How parts are pickled that would otherwise differ each time: by memory addresses, and by counting pickles."""
    if isinstance(part, TransformNode):
        reduced: Any = part.__reduce_ex__(5)
        make, arguments, state = reduced[:3]
        parents = [parent for parent in state[_PARENTS].values() if parent is not None]
        return make, arguments, {**state, _PARENTS: dict(enumerate(parents))}
    if type(part) is CallbackRegistry and hasattr(part, _COUNTER):
        counter = copy.copy(getattr(part, _COUNTER))
        reduced = part.__reduce_ex__(5)
        setattr(part, _COUNTER, counter)
        return reduced
    return NotImplemented
