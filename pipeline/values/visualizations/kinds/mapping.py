"""Python's own values: metrics as bars, courses as lines, records as tables, everything else as text."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from .. import wording
from ..summary import Bar, Block, Cell, Chart, Facts, Line, Summary, Table, Text

_ROWS = 100
_DEPTH = 4
_COLUMNS = 12
_MANY = 20


def of_value(value: Any) -> Summary:
    """What there is to say of any value."""
    title = _title(value)
    if isinstance(value, Mapping):
        return Summary(title, tuple(_mapping(value)))
    if isinstance(value, (list, tuple)):
        return Summary(title, tuple(_sequence(value)))
    if isinstance(value, (set, frozenset)):
        return Summary(title, tuple(_items(sorted(value, key=wording.shown) if len(value) <= 10_000 else value)))
    if isinstance(value, (bytes, bytearray)):
        return Summary(title, (Facts((("size", wording.size(len(value))),)), Text(_hexadecimal(value), "First bytes")))
    return Summary(title, (Text(wording.shown(value)),))


def of_fields(name: str, fields: Mapping[str, Any]) -> Summary:
    """What there is to say of an object with named fields."""
    return Summary(name, tuple(_mapping(fields)))


def parameters(values: Mapping[str, Any], caption: str = "", defaults: Mapping[str, Any] | None = None) -> Table:
    """Names and values; what differs from its default comes first, and says so."""
    known = defaults or {}
    changed = {name for name, value in values.items() if name in known and not _same(value, known[name])}
    names = sorted(values, key=lambda name: (name not in changed, name))
    rows: list[tuple[Cell, ...]] = [(name, wording.value(values[name])) for name in names]
    if not changed:
        return Table(("parameter", "value"), tuple(rows), caption)
    notes = [wording.value(known[name]) if name in changed else "" for name in names]
    rows = [(*row, note) for row, note in zip(rows, notes, strict=True)]
    return Table(("parameter", "value", "default"), tuple(rows), caption)


def bars(values: Sequence[tuple[str, float]], heads: tuple[str, str], caption: str = "") -> Table:
    """Named numbers with their lengths, next to the largest of them."""
    finite = [abs(value) for _, value in values if math.isfinite(value)]
    largest = max(finite, default=0.0) or 1.0
    rows = tuple(
        (name, wording.number(value), Bar(value / largest) if math.isfinite(value) else "") for name, value in values
    )
    return Table((*heads, ""), rows, caption, frozenset({1}))


def _mapping(value: Mapping[Any, Any]) -> Iterator[Block]:
    flat = list(islice(_flattened(value), _ROWS + 1))
    note = f"Only the first {_ROWS} are shown." if len(flat) > _ROWS else ""
    flat = flat[:_ROWS]
    numbers = [(name, float(item)) for name, item in flat if _is_number(item)]
    if flat and len(numbers) == len(flat):
        table = bars(numbers, ("name", "value"))
        yield Table(table.heads, table.rows, "", table.numeric, note)
    elif flat:
        yield Table(("name", "value", ""), tuple((name, *_described(item)) for name, item in flat), note=note)


def _sequence(value: Sequence[Any]) -> Iterator[Block]:
    if value and all(isinstance(item, Mapping) for item in value[:_ROWS]):
        yield _records(value)
        return
    if len(value) > _MANY and all(map(_is_number, value)):
        yield from _many_numbers(value)
        return
    yield from _items(value)


def _many_numbers(value: Sequence[Any]) -> Iterator[Block]:
    import numpy as np  # long lists of numbers come where numpy is

    from . import distribution

    numbers = np.asarray(value, dtype=np.float64)
    yield Facts(tuple(distribution.statistics(numbers).items()))
    histogram = distribution.histogram(numbers)
    if histogram:
        yield Chart(histogram, "Distribution")
    yield Table(("", "course"), (("", Line(_thinned(numbers.tolist()))),))


def _items(value: Collection[Any]) -> Iterator[Block]:
    shown = list(islice(value, _ROWS))
    total = len(value)
    if shown:
        rows = tuple((str(at), *_described(item)) for at, item in enumerate(shown))
        note = f"… and {wording.count(total - len(shown), 'more item')}" if total > len(shown) else ""
        yield Table(("", "value", ""), rows, "", frozenset({0}), note)


def _records(value: Sequence[Mapping[Any, Any]]) -> Table:
    """Dictionaries as rows, under the keys of all of them."""
    shown = value[:_ROWS]
    names = list(dict.fromkeys(name for item in shown for name in item))
    rows = tuple(
        tuple(wording.value(item[name]) if name in item else "" for name in names[:_COLUMNS]) for item in shown
    )
    numeric = frozenset(
        at for at, name in enumerate(names[:_COLUMNS]) if all(_is_number(item.get(name, 0)) for item in shown)
    )
    hidden = [
        f"… and {wording.count(len(value) - len(shown), 'more row')}" if len(value) > len(shown) else "",
        f"{wording.count(len(names) - _COLUMNS, 'more column')} not shown." if len(names) > _COLUMNS else "",
    ]
    heads = tuple(wording.value(name) for name in names[:_COLUMNS])
    return Table(heads, rows, "", numeric, " ".join(filter(None, hidden)))


def _flattened(value: Mapping[Any, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        name = f"{prefix}{key if isinstance(key, str) else wording.value(key)}"
        if isinstance(item, Mapping) and item and depth < _DEPTH:
            yield from _flattened(item, f"{name}.", depth + 1)
        else:
            yield name, item


def _described(item: Any) -> tuple[str, Cell]:
    """An item on one line, and a picture of it if it is a course of numbers."""
    if isinstance(item, (list, tuple)) and len(item) > 2 and all(map(_is_number, item)):
        ends = f"{wording.value(item[0])} … {wording.value(item[-1])}, {wording.count(len(item), 'value')}"
        return ends, Line(_thinned([float(each) for each in item]))
    return wording.value(item, 120), ""


def _thinned(numbers: list[float]) -> tuple[float, ...]:
    return tuple(numbers[:: max(1, math.ceil(len(numbers) / 240))])


def _title(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, Mapping):
        return f"{kind}: {wording.count(len(value), 'entry').replace('entrys', 'entries')}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"{kind}: {wording.count(len(value), 'item')}"
    return kind


def _is_number(item: Any) -> bool:
    if isinstance(item, bool) or not isinstance(item, (int, float)):
        # numpy's own numbers, without asking for numpy
        kind = getattr(getattr(item, "dtype", None), "kind", "")
        return kind in tuple("iuf") and getattr(item, "shape", None) == ()
    return isinstance(item, float) or abs(item) < 10**300


def _same(value: Any, default: Any) -> bool:
    try:
        return bool(type(value) is type(default) and (value == default or value != value))
    except Exception:  # arrays and the like are never defaults
        return False


def _hexadecimal(value: bytes | bytearray) -> str:
    rows = (value[at : at + 16] for at in range(0, min(len(value), 256), 16))
    return "\n".join(f"{row.hex(' '):<48} {''.join(chr(c) if 32 <= c < 127 else '.' for c in row)}" for row in rows)
