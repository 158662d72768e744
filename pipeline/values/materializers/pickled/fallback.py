"""What no other materializer can hold is pickled, and says so.

A pickle is tied to the Python and library versions that wrote it, and loading it runs code. Its bytes
can also differ for equal values: sets of text inside an object are pickled in the order of
PYTHONHASHSEED, so that such an object is a new version each time it is made.
"""

from __future__ import annotations

import platform
from typing import Any

from artvcs.pipelines.errors import MaterializerError, PickleFallbackWarning
from artvcs.pipelines.typing.fit import capitalised
from artvcs.vcs.tracebacks import warn

from ..base import Materializer
from ..files import read_json, reading, write_json
from ..model_facts import is_model, model_metadata, strangers
from ..registry import how_to_keep, lacking
from ..typenames import type_name
from . import refusals
from .pickle_bytes import stable_dumps, stable_loads

FILE = "value.pkl"
WRITER = "pickle.json"
_VERIFY_BYTES = 1 << 20


class PickleMaterializer(Materializer):
    """Any value that cloudpickle can pickle."""

    NAME = "artvcs.pickle"
    RUNS_CODE = True

    def save(self, data: Any) -> None:
        """Pickles `data`, with a warning.

        Raises:
            MaterializerError: It cannot be pickled, or is no data.
        """
        for part in _parts(data):
            refusals.check(part)
        kinds = sorted({type_name(part) for part in _parts(data)})
        try:
            content = stable_dumps(data)
            if len(content) <= _VERIFY_BYTES:
                stable_loads(content)  # some values can be pickled but not unpickled
        except Exception as error:  # pickling runs the value's own code
            raise MaterializerError(
                f"A value of type {', '.join(kinds)} cannot be stored ({type(error).__name__}: {error}); return what "
                "it holds as plain data, write a Materializer for it, or return a Path to a file."
            ) from error
        inside = sorted({name for part in _parts(data) for name in strangers(part) or lacking(part)} - set(kinds))
        if inside:  # what is missing here would not help, nor would a Materializer for these
            why, advice = (
                f"holds {', '.join(inside)}, which only a pickle can hold there,",
                (f"write a Materializer for {', '.join(kinds)} to"),
            )
        else:
            why, advice = "has no materializer", how_to_keep(type(next(iter(_parts(data)), data)))
        warn(
            f"{', '.join(kinds)} {why} and is stored as a pickle of Python {_python()}: loading it "
            f"runs code, and may fail with other versions. {capitalised(advice)} keep it for long.",
            PickleFallbackWarning,
        )
        self.folder.write(FILE, content)
        write_json(self.folder, WRITER, {**_versions(), "types": kinds})

    def load(self, data_type: type[Any]) -> Any:
        """Unpickles; this runs code held in the file.

        Raises:
            MaterializerError: It cannot be unpickled here.
        """
        with reading(FILE):
            content = self.folder.read(FILE)
        try:
            return stable_loads(content)
        except Exception as error:  # unpickling runs the value's own code
            raise MaterializerError(
                f"A pickled value cannot be loaded ({type(error).__name__}: {error}); it was written with "
                f"{self._writer()}, this is Python {_python()}: use the versions that stored it."
            ) from error

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """Parameters of a model; anything else as text."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import mapping, model_table

        return writing.write(self.uri, model_table.of_model(data) if is_model(data) else mapping.of_value(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The versions that the pickle is tied to, and the parameters of a model."""
        return {**_versions(), **(model_metadata(data) if is_model(data) else {})}

    def _writer(self) -> str:
        try:
            versions = read_json(self.folder, WRITER)
            return f"Python {versions['python']} and cloudpickle {versions['cloudpickle']}"
        except (OSError, ValueError, TypeError, KeyError):
            return "unknown versions"


def _parts(data: Any) -> list[Any]:
    # A plain list comes here only as the parts of a value that had to be pickled.
    return data if type(data) is list else [data]


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _versions() -> dict[str, str]:
    import cloudpickle

    return {"python": _python(), "cloudpickle": str(cloudpickle.__version__)}
