"""numpy's random generators: their state as JSON, so that they go on with the same numbers.

A generator that is used in two places of a value is loaded as two, each going on from where it was.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .codec import Decoder
from .documents import FILE, DocumentMaterializer
from .files import read_json, reading
from .protocols import Encoding, Json

_BIT_GENERATORS: dict[str, Any] = {
    cls.__name__: cls
    for cls in (np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64)
}
_MOST_POOL = 64
"""Words in the pool of a seed sequence: mixing them takes time that grows with their square. numpy's default is 4."""

_OWNERS: dict[str, Any] = {"Generator": np.random.Generator, "RandomState": np.random.RandomState}


class RandomMaterializer(DocumentMaterializer):
    """Generator, RandomState, and the bit generators of numpy."""

    NAME = "artvcs.numpy.random"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (*_OWNERS.values(), *_BIT_GENERATORS.values())

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for bit generators and seed sequences that are not numpy's own."""
        source = _bit_generator(data)
        seeds = type(source.seed_seq)
        if type(source) not in _BIT_GENERATORS.values() or seeds not in (np.random.SeedSequence, type(None)):
            return False
        return source.seed_seq is None or source.seed_seq.pool_size <= _MOST_POOL

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The state of the generator, and of the seed sequence that `spawn` goes on with."""
        source = _bit_generator(data)
        state = data.get_state(legacy=False) if isinstance(data, np.random.RandomState) else source.state
        seeds = None if source.seed_seq is None else source.seed_seq.state
        return {
            "owner": type(data).__name__ if type(data) in _OWNERS.values() else None,
            "state": encoder.encode(_as_lists(state)),
            "seeds": encoder.encode(seeds),
        }

    def load(self, data_type: type[Any]) -> Any:
        """Makes a generator and sets its state."""
        with reading(FILE):
            document, decoder = read_json(self.folder, FILE), Decoder(self)
            state, seeds = decoder.decode(document["state"]), decoder.decode(document["seeds"])
            return _assemble(document["owner"], state, seeds)

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The algorithm."""
        return {"class": type(data).__name__, "bit_generator": type(_bit_generator(data)).__name__}


def _bit_generator(data: Any) -> Any:
    if isinstance(data, np.random.RandomState):
        return data._bit_generator
    return getattr(data, "bit_generator", data)


def _as_lists(state: Any) -> Any:
    """The state without arrays, which the setters of numpy take as well."""
    if isinstance(state, dict):
        return {name: _as_lists(part) for name, part in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state


def _assemble(owner: str | None, state: Any, seeds: Any) -> Any:
    cls = _BIT_GENERATORS[state["bit_generator"]]
    if seeds is None:
        source = cls()
        if hasattr(source, "_legacy_seeding"):
            source._legacy_seeding(0)  # the only way to a bit generator without a seed sequence
    else:
        if seeds["pool_size"] > _MOST_POOL:
            raise ValueError(f"its seeds have a pool of {seeds['pool_size']} words")
        source = cls(np.random.SeedSequence(**seeds))
    # 32 bits of the Mersenne Twister, 64 of the others; numpy wants the exact type.
    state = _as_arrays(state, np.uint32 if cls is np.random.MT19937 else np.uint64)
    if owner == "RandomState":
        random = np.random.RandomState(source)
        random.set_state(state)
        return random
    source.state = state
    return source if owner is None else _OWNERS[owner](source)


def _as_arrays(state: Any, word: Any) -> Any:
    if isinstance(state, dict):
        return {name: _as_arrays(part, word) for name, part in state.items()}
    return np.array(state, dtype=word) if isinstance(state, list) else state
