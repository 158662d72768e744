"""Tracebacks as people read them: own frames with their lines, those of libraries folded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.tracebacks import folded, library_of


@pytest.mark.parametrize(
    ("file", "library"),
    [
        ("/home/ada/shop/pipeline.py", None),
        ("/home/ada/artvcs/pipelines/train.py", None),
        ("/tmp/ipykernel_12/345.py", None),
        ("<stdin>", None),
        ("<ipython-input-3-ab>", None),
        ("/home/ada/shop/.venv/lib/python3.12/site-packages/pandas/core/frame.py", "pandas"),
        ("/usr/lib/python3/dist-packages/six.py", "six"),
        ("/usr/lib64/python3.12/json/decoder.py", "json"),
        ("/usr/lib/python3.12/threading.py", "threading"),
        ("C:\\Python\\Lib\\site-packages\\numpy\\core.py", "numpy"),
        ("<frozen importlib._bootstrap>", "importlib._bootstrap"),
        ("<string>", "string"),
        ("pandas/_libs/index.pyx", "pandas"),
        (library_of.__code__.co_filename, "artvcs"),
    ],
)
def test_whose_code_it_is(file: str, library: str | None) -> None:
    assert library_of(file) == library


CHAINED = """Traceback (most recent call last):
  File "/v/lib/python3.11/site-packages/pandas/index.py", line 1, in get_loc
    return self.get(key)
           ^^^^^^^^^^^^^
  File "pandas/_libs/index.pyx", line 172, in pandas.get
KeyError: 'b'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/home/ada/shop/flow.py", line 15, in mean
    return helper(frame)
           ^^^^^^^^^^^^^
  File "/home/ada/shop/flow.py", line 9, in helper
    return helper(frame)
  [Previous line repeated 3 more times]
  File "/v/lib/python3.11/site-packages/pandas/frame.py", line 1, in __getitem__
    raise KeyError(key)
KeyError: 'b'
the message goes on
    File "flow.py", and is not a frame"""

FOLDED = """Traceback (most recent call last):
  … 2 frames of pandas
KeyError: 'b'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "flow.py", line 15, in mean
    return helper(frame)
           ^^^^^^^^^^^^^
  File "flow.py", line 9, in helper
    return helper(frame)
  [Previous line repeated 3 more times]
  … 1 frame of pandas
KeyError: 'b'
the message goes on
    File "flow.py", and is not a frame"""


def test_frames_of_libraries_are_one_line() -> None:
    assert folded(CHAINED, Path("/home/ada/shop")) == FOLDED


def test_an_error_within_a_library_that_is_raised_anew_is_told_once() -> None:
    once = CHAINED.replace("\nthe message goes on", "").replace('\n    File "flow.py", and is not a frame', "")
    told = folded(once, Path("/home/ada/shop")).splitlines()
    assert told[:2] == ["Traceback (most recent call last):", '  File "flow.py", line 15, in mean']
    assert told[-1] == "KeyError: 'b'"
    assert "The above exception" not in "\n".join(told)


def test_what_is_folded_stays_as_it_is() -> None:
    assert folded(FOLDED) == FOLDED


LINES = st.sampled_from([*CHAINED.splitlines(), "", "ValueError", '  File "x", line', "    x"])


@given(st.lists(LINES | st.text(max_size=20)))
def test_own_frames_and_messages_are_kept_whatever_the_text(lines: list[str]) -> None:
    told = folded("\n".join(lines))
    assert outermost(told.split("\n")) == outermost("\n".join(lines).splitlines())


def outermost(lines: list[str]) -> set[str]:
    return {line for line in lines if line and not line.startswith(("  ", "The above exception"))}
