"""Errors on their way from one process to another: what they say, where they come from, and what led to them."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

from tblib import Traceback
from tblib.pickling_support import pickle_traceback

from ...errors import text_of

_MOST_FRAMES = 200
"""So many frames of a traceback travel: of one that calls itself for ever, the first and the last."""


def reduced(error: BaseException) -> tuple[Any, ...]:
    """How an error is made anew elsewhere, as `object.__reduce__` says it."""
    how = error.__reduce_ex__(4)
    if isinstance(how, str):
        raise TypeError(f"A {type(error).__name__} cannot be sent.")
    make, arguments, *state = how
    about = error.__traceback__, error.__cause__, error.__context__, error.__suppress_context__
    return _made, (make, arguments, state[0] if state else None, about, list(getattr(error, "__notes__", ())))


def reduced_traceback(traceback: types.TracebackType) -> tuple[Any, ...]:
    """As `reduced`, of a traceback."""
    found: tuple[Any, ...] = pickle_traceback(traceback)
    return found


def _made(make: Callable[..., BaseException], arguments: tuple[Any, ...], state: Any, about: Any, notes: Any) -> Any:
    error = make(*arguments)
    if isinstance(state, dict):
        error.__dict__.update(state)
    error.__traceback__, error.__cause__, error.__context__, error.__suppress_context__ = about
    for note in notes if not getattr(error, "__notes__", None) else ():
        error.add_note(note)
    return error


def prepared(error: Exception, travels: Callable[[Exception], Exception]) -> Exception:
    """An error that can be sent: itself, or one of the same name that says the same.

    Args:
        error: The error; of long tracebacks the middle is taken out.
        travels: Sends an error and receives it, in this process.
    """
    _shorten(error)
    try:
        if type(found := travels(error)) is type(error) and str(found) == str(error):
            return error
    except BaseException:  # code of the user's: it may even end the process
        pass
    return _stand_in(error)


def _stand_in(error: Exception) -> Exception:
    made: Exception = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})(text_of(error))
    return made.with_traceback(error.__traceback__)


def _all(error: BaseException) -> Iterator[BaseException]:
    """An error, and all that led to it."""
    seen, todo = set[int](), [error]
    while todo:
        each = todo.pop()
        if id(each) not in seen:
            seen.add(id(each))
            todo += [other for other in (each.__cause__, each.__context__) if other is not None]
            yield each


def _shorten(error: BaseException) -> None:
    """Takes the middle out of long tracebacks, also of what led to the error."""
    for each in _all(error):
        frames, traceback = list[types.TracebackType](), each.__traceback__
        while traceback is not None:
            frames.append(traceback)
            traceback = traceback.tb_next
        if len(frames) > _MOST_FRAMES:
            frames[_MOST_FRAMES // 2 - 1].tb_next = frames[-_MOST_FRAMES // 2]


def rename_files(error: BaseException, name: Callable[[str], str]) -> None:
    """Gives files in the tracebacks of an error, and of what led to it, other names.

    Args:
        error: The error.
        name: What a file is called from now on.
    """
    for each in _all(error):
        if each.__traceback__ is not None:
            told = found = Traceback(each.__traceback__).to_dict()
            while told is not None:
                code = told["tb_frame"]["f_code"]
                code["co_filename"] = name(code["co_filename"])
                told = told["tb_next"]
            each.__traceback__ = Traceback.from_dict(found).as_traceback()
