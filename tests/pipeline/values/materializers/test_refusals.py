"""What is a way to data and no data is refused, each kind alike, and the error says what to return instead."""

from __future__ import annotations

import csv
import io
import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import PickleFallbackWarning

from .harness import load, save
from .samples import Plain


class Countdown:
    """A user's own iterator."""

    def __init__(self) -> None:
        self.left = 3

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.left -= 1
        return self.left


def refusal(value: Any, folder: Path) -> str:
    with pytest.raises(MaterializerError) as caught:
        save(value, folder)
    return str(caught.value)


ITERATORS: dict[str, Any] = {
    "generator": lambda: (item for item in "ab"),
    "list": lambda: iter([1]),
    "dict": lambda: iter({1: 2}),
    "set": lambda: iter({1}),
    "range": lambda: iter(range(3)),
    "text": lambda: iter("ab"),
    "map": lambda: map(str, [1]),
    "filter": lambda: filter(None, [1]),
    "zip": lambda: zip([1], [2], strict=True),
    "enumerate": lambda: enumerate([1]),
    "reversed": lambda: reversed([1]),
    "count": itertools.count,
    "chain": lambda: itertools.chain([1], [2]),
    "calls": lambda: iter(lambda: 1, 2),
    "csv": lambda: csv.reader(["a,b"]),
    "array": lambda: np.arange(3).flat,
    "a user's": Countdown,
}


@pytest.mark.parametrize("name", ITERATORS)
def test_iterators_are_refused_alike(name: str, tmp_path: Path) -> None:
    message = refusal(ITERATORS[name](), tmp_path / "alone")
    assert message.startswith("An iterator (")
    assert "cannot be stored" in message
    assert message.endswith("return its items, as in list(items).")
    assert refusal({"a": [ITERATORS[name]()]}, tmp_path / "inside") == message


def test_an_iterator_that_was_refused_can_still_be_read(tmp_path: Path) -> None:
    items = map(str, [1, 2])
    refusal(items, tmp_path)
    assert list(items) == ["1", "2"]


@pytest.mark.parametrize("mode", ["r", "w", "rb", "r+b"])
def test_open_files_are_refused(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("abc")
    with path.open(mode) as file:
        message = refusal([file], tmp_path / "stored")
    assert message.startswith("An open file (")
    assert "return its Path" in message


def test_streams_and_temporary_files_are_refused(tmp_path: Path) -> None:
    assert "An open file" in refusal(sys.__stdout__, tmp_path / "stream")
    with tempfile.NamedTemporaryFile("w+") as file:
        assert "cannot be stored" in refusal(file, tmp_path / "temporary")


@pytest.mark.parametrize("view", [memoryview(b"abc"), np.eye(2).data])
def test_memoryviews_are_refused(view: Any, tmp_path: Path) -> None:
    message = refusal([view], tmp_path)
    assert message.startswith("A memoryview cannot be stored")
    assert "return bytes(view), or numpy.asarray(view)" in message


def test_objects_that_hold_an_open_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("abc")
    with path.open() as file:
        assert "it holds a _io.TextIOWrapper" in refusal(Plain(file), tmp_path / "file")
    assert "it holds a builtins.memoryview" in refusal(Plain([memoryview(b"a")]), tmp_path / "view")


@pytest.mark.parametrize("file", [io.StringIO("a\r\nb", newline=""), io.BytesIO(b"ab")])
def test_files_in_memory_come_back_as_they_were(file: Any, tmp_path: Path) -> None:
    file.read(1)
    with pytest.warns(PickleFallbackWarning):
        save(file, tmp_path)
    loaded = load(tmp_path, "artvcs.pickle", "object")
    assert type(loaded) is type(file)
    assert (loaded.tell(), loaded.getvalue()) == (1, file.getvalue())
