"""Models that follow scikit-learn's conventions: parameters, and what they weigh their inputs with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .. import wording
from ..summary import Block, Facts, Summary, Table
from . import mapping

_SHOWN = 20
_FITTED = ("classes_", "n_features_in_", "n_iter_", "intercept_")


def of_model(model: Any) -> Summary:
    """What there is to say of an estimator, fitted or not."""
    blocks: list[Block] = []
    facts = _fitted(model)
    if facts:
        blocks.append(Facts(facts))
    steps = getattr(model, "steps", None)
    if isinstance(steps, list) and steps:
        blocks.append(_steps(steps))
    else:
        values = _parameters(model)
        if values:
            blocks.append(mapping.parameters(values, "Parameters", _defaults(type(model))))
    final = steps[-1][1] if isinstance(steps, list) and steps else model
    weights = _weights(final)
    if weights is not None:
        blocks.append(weights)
    return Summary(type(model).__name__, tuple(blocks))


def _parameters(model: Any) -> Mapping[str, Any]:
    try:
        found = model.get_params(deep=False)
    except Exception:  # a model's own code
        return {}
    return {str(name): value for name, value in found.items()}


def _defaults(cls: type) -> dict[str, Any]:
    try:
        signature = inspect.signature(cls)
    except (TypeError, ValueError):
        return {}
    empty = inspect.Parameter.empty
    return {name: each.default for name, each in signature.parameters.items() if each.default is not empty}


def _fitted(model: Any) -> tuple[tuple[str, str], ...]:
    found = ((name.rstrip("_"), _attribute(model, name)) for name in _FITTED)
    return tuple((name, wording.value(_plain(value))) for name, value in found if value is not None)


def _steps(steps: list[Any]) -> Table:
    rows = []
    for name, part in steps:
        values, defaults = _parameters(part) if hasattr(part, "get_params") else {}, _defaults(type(part))
        changed = mapping.parameters(values, defaults=defaults)
        words = [f"{row[0]}={row[1]}" for row in changed.rows if len(row) == 3 and row[2]]
        rows.append((str(name), type(part).__name__ if not isinstance(part, str) else part, ", ".join(words)))
    return Table(("step", "class", "changed parameters"), tuple(rows), "Steps")


def _weights(model: Any) -> Table | None:
    """The features that count most, with bars."""
    for name, caption in (("feature_importances_", "Feature importances"), ("coef_", "Coefficients")):
        values = _attribute(model, name)
        if getattr(getattr(values, "dtype", None), "kind", "") not in tuple("iuf") or values.ndim not in (1, 2):
            continue
        if values.ndim == 2 and len(values) != 1:
            values, caption = abs(values).mean(axis=0), f"{caption}, mean size over {len(values)} classes or targets"
        flat = [float(value) for value in values.reshape(-1)]
        named = sorted(zip(_features(model, len(flat)), flat, strict=True), key=lambda each: -abs(each[1]))
        table = mapping.bars(named[:_SHOWN], ("feature", "weight"), caption)
        hidden = len(named) - len(table.rows)
        note = f"… and {wording.count(hidden, 'more feature')}" if hidden else ""
        return Table(table.heads, table.rows, table.caption, table.numeric, note)
    return None


def _features(model: Any, number: int) -> list[str]:
    names = _attribute(model, "feature_names_in_")
    if names is not None and len(names) == number:
        return [str(name) for name in names]
    return [f"feature {at}" for at in range(number)]


def _attribute(model: Any, name: str) -> Any:
    try:
        return getattr(model, name, None)
    except Exception:  # computed attributes raise what they like before fitting
        return None


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
