"""What `state_dict()` of a torch module returns: an OrderedDict with versions attached.

The type is Python's own, so that torch is imported only when such a dictionary holds tensors.
"""

from __future__ import annotations

import collections
import sys
from typing import Any, ClassVar

from .base import Materializer
from .codec import Decoder, Encoder
from .documents import FILE
from .files import read_json, reading, write_json

_VERSIONS = "_metadata"


class StateDictMaterializer(Materializer):
    """The state of a module, all tensors in one safetensors file under their names."""

    NAME = "artvcs.torch.state_dict"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (collections.OrderedDict,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """Only what torch made."""
        made_by_torch = "torch" in sys.modules and set(vars(data)) == {_VERSIONS}
        return made_by_torch and all(type(name) is str for name in data)

    def save(self, data: Any) -> None:
        """Writes the tensors; what else the state holds is in the document."""
        from . import tensor_files

        encoder = Encoder(self)
        tensors = {name: value for name, value in data.items() if _is_plain_tensor(value)}
        document = {
            "names": list(data),
            "tensors": tensor_files.write(self.folder.path, tensors),
            "others": encoder.encode({name: value for name, value in data.items() if name not in tensors}),
            "versions": encoder.encode(getattr(data, _VERSIONS)),
        }
        encoder.finish()
        write_json(self.folder, FILE, document)

    def load(self, data_type: type[Any]) -> Any:
        """Reads them."""
        from . import tensor_files

        with reading(FILE):
            document, decoder = read_json(self.folder, FILE), Decoder(self)
            values = tensor_files.read(self.folder.path, document["tensors"]) | decoder.decode(document["others"])
            state = collections.OrderedDict((name, values[name]) for name in document["names"])
            setattr(state, _VERSIONS, decoder.decode(document["versions"]))
            return state

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """How many tensors and numbers there are."""
        tensors = [value for value in data.values() if _is_plain_tensor(value)]
        return {"tensors": len(tensors), "parameter_count": sum(tensor.numel() for tensor in tensors)}


def _is_plain_tensor(value: Any) -> bool:
    import torch

    from . import tensor_files

    return isinstance(value, torch.Tensor) and not vars(value) and tensor_files.fits(value)
