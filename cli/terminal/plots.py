"""Plots: drawn in the terminal by plotext, and as a picture by matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from artvcs.pipelines import cells
from artvcs.pipelines.errors import ParameterError
from artvcs.pipelines.escaping import printable
from artvcs.pipelines.history.plots import Plot
from artvcs.vcs import writing

PICTURES = (".png", ".svg", ".pdf")
"""How the names of pictures end."""

_LEAST, _MOST = 20, 160
"""Columns between which a plot in the terminal is wide."""

_LARGEST = 1e300
"""What plotext can still reckon with: it takes differences of what it draws, and a little more."""

_MANY = 300
"""So many points are drawn as fine ones, for else they hide one another."""

_MARKS = 6
"""So many whole numbers stand below a plot."""

_SHORT = 120
"""Seconds between moments of which the minutes are not enough to tell them apart."""

_LABELS = 20
"""So many texts stand below a picture."""

_COLOURS = 6
"""So many series are told apart by colours; more have letters as well."""


_CHARACTERS, _MARK, _ROW = 90, 8, 0.18
"""Below a picture: so many characters stand side by side, a mark takes so many, and a row so many inches."""


class Drawn(NamedTuple):
    """A plot as text.

    Attributes:
        lines: The lines.
        nameless: The texts for which there is no room below their places.
    """

    lines: list[str]
    nameless: list[str]


def as_text(plot: Plot, width: int, *, colour: bool, blocks: bool) -> Drawn:
    """A plot as lines of text. What each of several series is called stands below them, where it covers none.

    Args:
        plot: The plot.
        width: Columns.
        colour: Whether series have colours; else each has another mark.
        blocks: Whether the terminal has more characters than ASCII.
    """
    import plotext as plt

    width = max(_LEAST, min(width, _MOST))
    places = _places(plot)
    plt.clear_figure()
    plt.theme("clear")
    plt.plotsize(width, max(10, min(24, width // 4)))
    legend = []
    for number, series in enumerate(plot.series):
        points = [(places(x), y) for x, y in zip(series.x, series.y, strict=True)]
        drawn = [each for each in points if all(map(is_drawable, each))]
        x, y = [each for each, _ in drawn], [each for _, each in drawn]
        marker = "*" if not blocks else "braille" if plot.are_lines or len(x) > _MANY else "●"
        if len(plot.series) > (_COLOURS if colour else 1):
            marker = _LETTERS[number % len(_LETTERS)]
        hue = number % _COLOURS + 1 if colour else None
        draw = plt.plot if plot.are_lines else plt.scatter
        draw(x, y, marker=marker, color=hue)
        mark = "●" if marker == "braille" else marker
        legend += _named(mark if hue is None else f"\x1b[38;5;{hue}m{mark}{_PLAIN}", printable(series.label), width)
    names = None if plot.categories is None else [printable(each) for each in plot.categories]
    if names is not None:
        plt.xticks(list(range(len(names))), names)
    elif plot.series and any(isinstance(each, datetime) for each in plot.series[0].x):
        moments = sorted(each.timestamp() for series in plot.series for each in series.x)
        labels = {_moment(each, moments[-1] - moments[0]): each for each in (moments[0], moments[-1])}
        plt.xticks(list(labels.values()), list(labels))
    elif ticks := _whole([each for series in plot.series for each in series.x]):
        plt.xticks(ticks, [f"{each}" for each in ticks])
    picture: list[str] = plt.build().splitlines()
    axis = f" {picture[-1].removesuffix(_PLAIN)} "
    lines = [
        *_centred(plot.title, width),
        *picture,
        *_centred(plot.x, width),
        *(legend if len(plot.series) > 1 else []),
    ]
    return Drawn(
        lines if blocks else [line.translate(_ASCII) for line in lines],
        [each for each in names or [] if f" {each} " not in axis],
    )


def _centred(text: str, width: int) -> list[str]:
    """A text over the whole width, on as many lines as it takes: plotext leaves out what has no room on one."""
    lines = cells.broken(printable(text), width)
    return [" " * ((width - cells.width(line)) // 2) + line for line in lines]


def _named(mark: str, name: str, width: int) -> list[str]:
    """What a mark stands for, on as many lines as it takes."""
    first, *others = cells.broken(name, width - 2)
    return [f"{mark} {first}", *(f"  {each}" for each in others)]


def _moment(seconds: float, span: float) -> str:
    return f"{datetime.fromtimestamp(seconds):{'%Y-%m-%d %H:%M' if span >= _SHORT else '%H:%M:%S'}}"


def _whole(found: list[Any]) -> list[int]:
    """Where the axis is marked if all on it are whole numbers: at each of a few, else at some between them."""
    distinct = sorted(set(found))
    if not all(isinstance(each, int) for each in distinct):
        return []
    if len(distinct) <= _MARKS:
        return distinct
    first, last = distinct[0], distinct[-1]
    return sorted({round(first + (last - first) * each / (_MARKS - 1)) for each in range(_MARKS)})


_PLAIN = "\x1b[0m"
"""How plotext ends each line."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"

_ASCII = str.maketrans({**dict.fromkeys("┌┐└┘┤├┬┴┼", "+"), "─": "-", "│": "|"})


def is_drawable(value: float) -> bool:
    """Whether a number has a place on a plot in the terminal: no NaN, and nothing near or at infinity."""
    return abs(value) <= _LARGEST


def _places(plot: Plot) -> Callable[[Any], float]:
    """Where something stands on the horizontal axis."""
    categories = plot.categories
    if categories is not None:
        place = {name: float(at) for at, name in enumerate(categories)}
        return lambda each: place[str(each)]
    return lambda each: each.timestamp() if isinstance(each, datetime) else float(each)


def save(plot: Plot, path: Path) -> None:
    """Writes a plot as a picture, in the format that its name ends with.

    Raises:
        ParameterError: The name ends otherwise, or matplotlib is missing.
        StorageError: It cannot be written.
    """
    if path.suffix.lower() not in PICTURES:
        raise ParameterError(f"{path} ends with none of {', '.join(PICTURES)}; choose one of these.")
    try:
        import matplotlib

        matplotlib.use("agg")
        from matplotlib import pyplot
    except ImportError:
        raise ParameterError("A picture needs matplotlib; install artvcs[plots], or plot in the terminal.") from None
    with pyplot.rc_context({"text.parse_math": False}):  # a name is no formula
        figure = _drawn(plot, pyplot)
        try:
            with writing(path):
                figure.savefig(path, dpi=150)
        finally:
            pyplot.close(figure)


def _drawn(plot: Plot, pyplot: Any) -> Any:
    names = [printable(each.label) for each in plot.series] if len(plot.series) > 1 else []
    columns = max(1, _CHARACTERS // (max(map(len, names), default=0) + _MARK))
    rows = -(-len(names) // columns)
    figure, axes = pyplot.subplots(figsize=(7, 4.2 + rows * _ROW), layout="constrained")
    places = _places(plot) if plot.categories is not None else lambda each: each
    for series in plot.series:
        x, label = [places(each) for each in series.x], printable(series.label)
        if plot.are_lines:
            axes.plot(x, series.y, label=label)
        else:
            axes.scatter(x, series.y, s=36 if len(x) <= _MANY else 4, label=label, alpha=0.8)
    if plot.categories is not None:
        some = range(0, len(plot.categories), -(-len(plot.categories) // _LABELS))
        axes.set_xticks(some, [printable(plot.categories[each]) for each in some], rotation=30, ha="right")
    elif any(isinstance(each, datetime) for series in plot.series for each in series.x):
        figure.autofmt_xdate()
    axes.set(title=printable(plot.title), xlabel=printable(plot.x), ylabel=printable(plot.y))
    axes.grid(alpha=0.3)
    if names:
        figure.legend(loc="outside lower center", ncols=columns, fontsize="small")  # where it covers nothing
    return figure
