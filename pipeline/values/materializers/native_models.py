"""Models of libraries that write their trees themselves, and keep the rest as attributes of Python objects.

The trees are in the library's own file; the attributes are a document, as a dictionary's items would be.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .base import Materializer
from .codec import Decoder, Encoder
from .documents import FILE
from .files import read_json, reading, write_json
from .models import is_model, model_metadata
from .protocols import Json


class NativeModelMaterializer(Materializer):
    """Base of materializers of a library's boosters, and of its models that wrap one.

    Loading asks for trust: the readers of these libraries are not made for hostile files, and follow the
    indices in them. A changed one crashed the process with xgboost 3.2 and lightgbm 4.7.

    Attributes:
        LIBRARY: The module whose public classes are stored.
        BOOSTER: The attribute of a model that holds its booster.
    """

    RUNS_CODE = True
    LIBRARY: ClassVar[Any] = None
    BOOSTER: ClassVar[str] = "_Booster"

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for classes that are not the library's own."""
        return getattr(cls.LIBRARY, type(data).__name__, None) is type(data)

    def save(self, data: Any) -> None:
        """Writes the trees and the attributes."""
        document: Json = {"class": type(data).__name__}
        encoder = Encoder(self)
        booster = data
        if not isinstance(data, self.LIBRARY.Booster):
            attributes = dict(vars(data))
            booster = attributes.pop(self.BOOSTER, None)
            document |= {"attributes": encoder.encode(attributes), "has_booster": self.BOOSTER in vars(data)}
        if booster is not None:
            document["booster"] = encoder.encode(self.write_booster(booster))
        encoder.finish()
        write_json(self.folder, FILE, document)

    def load(self, data_type: type[Any]) -> Any:
        """Reads them; the class is one of the library's own."""
        with reading(FILE):
            document, decoder = read_json(self.folder, FILE), Decoder(self)
            booster = self.read_booster(decoder.decode(document["booster"])) if "booster" in document else None
            if "attributes" not in document:
                return booster
            model = self._new(document["class"])
            vars(model).update(decoder.decode(document["attributes"]))
            if document["has_booster"]:
                setattr(model, self.BOOSTER, booster)
            return model

    def write_booster(self, booster: Any) -> Any:
        """Writes a booster's trees; returns its attributes."""
        raise NotImplementedError

    def read_booster(self, attributes: Any) -> Any:
        """Reads a booster."""
        raise NotImplementedError

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The class, the parameters of a model, and the number of trees."""
        booster = data if isinstance(data, self.LIBRARY.Booster) else vars(data).get(self.BOOSTER)
        facts = model_metadata(data) if is_model(data) else {"class": type(data).__name__}
        return facts if booster is None else facts | self.booster_metadata(booster)

    def booster_metadata(self, booster: Any) -> dict[str, Any]:
        """Plain facts about a booster."""
        return {}

    def _new(self, name: Json) -> Any:
        found: Any = getattr(self.LIBRARY, name)
        if not issubclass(found, self.ASSOCIATED_TYPES) or issubclass(found, self.LIBRARY.Booster):
            raise ValueError(f"{name} is no model of {self.LIBRARY.__name__}")
        return object.__new__(found)
