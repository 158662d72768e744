"""Files that land where nobody may have meant them, under names that say something else: that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Art


@pytest.fixture
def data(art: Art, project: Path) -> Path:
    """A folder that was added as `raw`, beside a run that made `total`."""
    (project / "data").mkdir()
    (project / "data" / "jan.csv").write_text("1\n")
    assert art("add", "data", "--name", "raw").code == 0
    assert art("run", "adding.py").code == 0
    return project / "data"


def warnings(said: str) -> list[str]:
    return [line.removeprefix("warning: ") for line in said.splitlines() if line.startswith("warning: ")]


def test_what_is_put_into_a_folder_of_data_becomes_part_of_it(art: Art, data: Path) -> None:
    said = "data/total.json lies in data (raw@1), and `art add -u` makes it part of that; move it away if it is none."
    assert warnings(art("checkout", "total", "-o", "data").err) == [said]
    assert warnings(art("checkout", "total", "-o", "other/total.json").err) == []


def test_a_name_that_says_another_kind_of_file(art: Art, data: Path) -> None:
    said = "t.csv is a .json file, as total@1 is stored, whatever its name says."
    assert warnings(art("checkout", "total", "-o", "t.csv").err) == [said]
    assert warnings(art("checkout", "total", "-o", "t.JSON").err) == []
    assert warnings(art("checkout", "total", "-o", "t").err) == []


def test_a_file_that_becomes_the_next_version_of_a_value(art: Art, data: Path) -> None:
    assert warnings(art("add", "adding.py", "--name", "total").err) == [
        "total@2 is of type path, and total@1 of type int; if it is to be something else, `art rm total@2` takes it "
        "back, and another --name tells them apart."
    ]
    assert warnings(art("add", "adding.py", "--name", "total").err) == []
    assert warnings(art("add", "adding.py", "--name", "fresh").err) == []
