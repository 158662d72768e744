"""torch modules: the tensors as safetensors, the rest of the module as a pickle without tensors.

A module is an object of any class, whose structure only its pickle knows. The pickle refers to each
tensor by its name; parameters that are tied are one tensor, and come back tied.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from artvcs.pipelines.errors import MaterializerError

from . import tensor_files
from .base import Materializer
from .files import read_json, reading, write_json
from .pickle_bytes import stable_dumps, stable_loads

_PICKLE = "module.pkl"
_HEADER = "tensors.json"


class ModuleMaterializer(Materializer):
    """Modules of any class."""

    NAME = "artvcs.torch.Module"
    RUNS_CODE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (torch.nn.Module,)

    def save(self, data: torch.nn.Module) -> None:
        """Writes the tensors and the pickle.

        Raises:
            MaterializerError: The module cannot be pickled.
        """
        tensors = _Tensors(data)
        try:
            content = stable_dumps(data, tensors.reference)
            stable_loads(content, tensors.resolve)  # some values can be pickled but not unpickled
        except Exception as error:  # pickling runs the value's own code
            raise MaterializerError(
                f"A module of class {type(data).__name__} cannot be stored ({type(error).__name__}: {error}); return "
                "its state_dict(), or save it to a file and return the Path."
            ) from error
        self.folder.write(_PICKLE, content)
        write_json(self.folder, _HEADER, tensor_files.write(self.folder.path, tensors.by_name))

    def load(self, data_type: type[Any]) -> Any:
        """Unpickles the module and gives it its tensors; this runs code held in the pickle."""
        with reading(_HEADER):
            tensors = _Tensors()
            tensors.by_name = tensor_files.read(self.folder.path, read_json(self.folder, _HEADER))
        with reading(_PICKLE):
            return stable_loads(self.folder.read(_PICKLE), tensors.resolve)

    def extract_metadata(self, data: torch.nn.Module) -> dict[str, Any]:
        """The class, and how many parameters it has of which types."""
        return module_metadata(data)


class _Tensors:
    """The tensors of a module, which its pickle refers to by name."""

    def __init__(self, module: torch.nn.Module | None = None) -> None:
        self.by_name: dict[str, torch.Tensor] = {}
        self._names: dict[int, str] = {}
        if module is not None:
            for name, tensor in (*module.named_parameters(), *module.named_buffers()):
                self._names.setdefault(id(tensor), name)

    def reference(self, found: Any) -> Any:
        """What stands for an object in the pickle; None if it is pickled as usual."""
        if isinstance(found, torch.Tensor) and tensor_files.fits(found):
            name = self._names.setdefault(id(found), f"tensor {len(self._names)}")
            self.by_name[name] = found
            return ("tensor", name, dict(vars(found)) or None)
        if type(found) is set and len(found) > 1 and all(type(item) is str for item in found):
            return ("set", sorted(found))  # a pickle has them in the order of PYTHONHASHSEED
        return None

    def resolve(self, reference: Any) -> Any:
        """The object for a reference."""
        kind, content, *attributes = reference
        if kind == "set":
            return set(content)
        tensor = self.by_name[content]
        if attributes[0]:
            vars(tensor).update(attributes[0])
        return tensor


def module_metadata(module: torch.nn.Module) -> dict[str, Any]:
    """The class, and how many parameters it has of which types."""
    parameters = list(module.parameters())
    return {
        "class": type(module).__name__,
        "parameter_count": sum(each.numel() for each in parameters),
        "trainable_count": sum(each.numel() for each in parameters if each.requires_grad),
        "dtypes": sorted({str(each.dtype).removeprefix("torch.") for each in parameters}),
        "modules": sum(1 for _ in module.modules()),
    }
