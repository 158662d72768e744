"""Lists, dictionaries, sets and their like as JSON data."""

from __future__ import annotations

import collections
import math
from collections.abc import Callable, Iterable
from typing import Any

from ..files import dump_json
from ..protocols import Decoding, Encoding, Json, NotPlain
from .plain import MAX_INT, is_unicode

_SCALARS = {str, int, float, bool, type(None)}
# Calling a factory runs it, so that only those are stored by name which can do no harm.
_FACTORIES: tuple[Any, ...] = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)
_FACTORIES += (collections.OrderedDict, collections.Counter, collections.deque)


def fits(value: Any) -> bool:
    """Whether a container of one of the known types holds nothing but its items."""
    if type(value) is collections.defaultdict:
        return value.default_factory is None or value.default_factory in _FACTORIES
    return not getattr(value, "__dict__", None)


def all_scalars(items: Iterable[Any]) -> bool:
    """Whether every item is one that JSON has, so that a parsed list needs no second look."""
    return set(map(type, items)) <= _SCALARS


def _is_json(items: list[Any] | tuple[Any, ...]) -> bool:
    """Whether JSON keeps every item exactly; fast, for lists of a million numbers."""
    kinds = set(map(type, items))
    if not kinds <= _SCALARS:
        return False
    if int in kinds:
        integers = items if kinds == {int} else [item for item in items if type(item) is int]
        if max(integers) > MAX_INT or min(integers) < -MAX_INT:
            return False
    if float in kinds:
        floats = items if kinds == {float} else [item for item in items if type(item) is float]
        if not all(map(math.isfinite, floats)):
            return False
    if str in kinds:
        texts = items if kinds == {str} else [item for item in items if type(item) is str]
        return is_unicode("\0".join(texts))
    return True


def _encode_items(items: list[Any] | tuple[Any, ...], encoder: Encoding) -> list[Json]:
    return list(items) if _is_json(items) else [encoder.encode(item) for item in items]


def _encode_dict(value: dict[Any, Any], encoder: Encoding) -> Json:
    keys = list(value)
    if set(map(type, keys)) <= {str} and _is_json(keys) and not any(key.startswith("$") for key in keys):
        return dict(zip(keys, _encode_items(list(value.values()), encoder), strict=True))
    return {"$dict": _encode_pairs(value, encoder)}


def _encode_pairs(value: dict[Any, Any], encoder: Encoding) -> Json:
    return [_encode_items(list(value), encoder), _encode_items(list(value.values()), encoder)]


def _decode_pairs(data: Json, decoder: Decoding) -> Any:
    keys, items = data
    return zip(decoder.decode(keys), decoder.decode(items), strict=True)


def _encode_set(value: set[Any] | frozenset[Any], encoder: Encoding) -> Json:
    return {f"${type(value).__name__}": _ordered(value, encoder)}


def _ordered(value: Iterable[Any], encoder: Encoding) -> list[Json]:
    """The items of a set in an order that does not depend on PYTHONHASHSEED."""
    items = list(value)
    try:
        return sorted((encoder.plain(item) for item in items), key=dump_json)
    except NotPlain:
        import cloudpickle

        return [encoder.encode(item) for item in sorted(items, key=cloudpickle.dumps)]


def _encode_defaultdict(value: collections.defaultdict[Any, Any], encoder: Encoding) -> Json:
    factory: Any = value.default_factory
    return {"$defaultdict": [factory and encoder.class_path(factory), *_encode_pairs(value, encoder)]}


def _decode_defaultdict(data: Json, decoder: Decoding) -> Any:
    path, *pairs = data
    factory = None if path is None else decoder.find_class(path)
    if factory is not None and factory not in _FACTORIES:
        raise ValueError(f"{path} is not a known default_factory")
    return collections.defaultdict(factory, _decode_pairs(pairs, decoder))


def _encode_deque(value: collections.deque[Any], encoder: Encoding) -> Json:
    return {"$deque": [_encode_items(list(value), encoder), value.maxlen]}


def _decode_deque(data: Json, decoder: Decoding) -> Any:
    items, limit = data
    return collections.deque(decoder.decode(items), limit)


def _encode_slice(value: slice, encoder: Encoding) -> Json:
    return {"$slice": [encoder.encode(part) for part in (value.start, value.stop, value.step)]}


def _decode_slice(data: Json, decoder: Decoding) -> Any:
    start, stop, step = decoder.decode(data)
    return slice(start, stop, step)


def _decode_counter(data: Json, decoder: Decoding) -> Any:
    counter: collections.Counter[Any] = collections.Counter()
    counter.update(dict(_decode_pairs(data, decoder)))
    return counter


ENCODERS: dict[type, Callable[[Any, Encoding], Json]] = {
    list: _encode_items,
    tuple: lambda value, encoder: {"$tuple": _encode_items(value, encoder)},
    dict: _encode_dict,
    set: _encode_set,
    frozenset: _encode_set,
    slice: _encode_slice,
    collections.OrderedDict: lambda value, encoder: {"$ordereddict": _encode_pairs(value, encoder)},
    collections.Counter: lambda value, encoder: {"$counter": _encode_pairs(value, encoder)},
    collections.defaultdict: _encode_defaultdict,
    collections.deque: _encode_deque,
}

DECODERS: dict[str, Callable[[Json, Decoding], Any]] = {
    "$tuple": lambda data, decoder: tuple(decoder.decode(data)),
    "$dict": lambda data, decoder: dict(_decode_pairs(data, decoder)),
    "$set": lambda data, decoder: set(decoder.decode(data)),
    "$frozenset": lambda data, decoder: frozenset(decoder.decode(data)),
    "$slice": _decode_slice,
    "$ordereddict": lambda data, decoder: collections.OrderedDict(_decode_pairs(data, decoder)),
    "$counter": _decode_counter,
    "$defaultdict": _decode_defaultdict,
    "$deque": _decode_deque,
}
