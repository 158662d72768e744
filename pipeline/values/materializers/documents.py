"""Values that are one JSON file, and can stand inside the JSON of another value.

Not canonical JSON (artvcs.vcs.objects.canonical), which has no floats and sorts keys: here the order of a
dictionary is part of the value. Equal values still give equal bytes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .base import Materializer
from .codec import Decoder, Encoder
from .files import read_json, reading, write_json
from .protocols import Encoding, Json

FILE = "value.json"


class DocumentMaterializer(Materializer):
    """Base of materializers that write one `value.json`.

    Attributes:
        INLINE: True in a class whose `encode` gives JSON that the decoder's table of tags can read, so
            that its values need no file of their own inside a list or dictionary.
    """

    INLINE: ClassVar[bool] = False

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The JSON for `data`; its parts go through `encoder`."""
        return encoder.encode(data)

    def save(self, data: Any) -> None:
        """Writes `value.json`, and a folder for each part that JSON cannot carry."""
        write_json(self.folder, FILE, Encoder(self).whole(data, self))

    def load(self, data_type: type[Any]) -> Any:
        """Reads `value.json` and the folders it names."""
        with reading(FILE):
            return Decoder(self).decode(read_json(self.folder, FILE))
