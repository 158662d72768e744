"""Pillow images as PNG, which keeps every pixel; what else an image knows is beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import PIL.Image  # type: ignore[import-not-found, unused-ignore]

from .base import Materializer
from .codec import Decoder, Encoder
from .documents import FILE
from .files import read_json, reading, write_json

_IMAGE = "image.png"
_MODES = ("1", "L", "LA", "RGB", "RGBA")


class ImageMaterializer(Materializer):
    """Images in memory, of the modes that PNG has. Opened files are of other classes, and are pickled."""

    NAME = "artvcs.pillow"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (PIL.Image.Image,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for modes that PNG has not, and for images without pixels."""
        return data.mode in _MODES and 0 not in data.size

    def save(self, data: Any) -> None:
        """Writes the pixels, and the other information if there is any."""
        bare = data.copy()
        bare.info = {}
        # Quick: the store compresses anyway.
        bare.save(Path(self.uri) / _IMAGE, format="PNG", compress_level=1)
        if data.info:
            encoder = Encoder(self)
            info = encoder.encode(data.info)
            encoder.finish()
            write_json(self.folder, FILE, info)

    def load(self, data_type: type[Any]) -> Any:
        """Reads them."""
        with reading(_IMAGE):
            with PIL.Image.open(Path(self.uri) / _IMAGE, formats=["PNG"]) as opened:
                image = opened.copy()
            extra = read_json(self.folder, FILE) if self.folder.has(FILE) else {}
            image.info = Decoder(self).decode(extra)
            return image

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The image is its own picture."""
        self.save(data)
        return {str(Path(self.uri) / _IMAGE): "image"}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Size and mode."""
        return {"size": list(data.size), "mode": data.mode}
