"""`art checkout`: where files come, and what is said when they cannot."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from artvcs.cli import main
from artvcs.vcs.storage.disk import system

from ...vcs.faults.inject import Say
from ...vcs.faults.inject import run as in_a_process
from ..conftest import Art


def add(art: Art, path: Path, name: str, content: str = "content") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    assert art("add", str(path), "--name", name).code == 0
    path.unlink()


@pytest.mark.parametrize(
    ("stored", "name", "place"),
    [
        ("data.csv", "data", "data.csv"),
        ("data.csv", "raw", "raw.csv"),
        ("data.csv", "raw.csv", "raw.csv"),
        ("data.CSV", "raw.csv", "raw.csv"),
        ("model.v2.tar.gz", "model", "model.tar.gz"),
        ("model.v2.bin", "model", "model.bin"),
        (".bashrc", "settings", "settings"),
        ("Makefile", "settings", "settings"),
        ("conftest.py", "settings", "settings.py"),
        ("a.b c", "spaced", "spaced"),
        ("data.csv", "shop::load::raw", "shop-load-raw.csv"),
    ],
)
def test_a_file_comes_under_the_name_that_was_typed(
    art: Art, project: Path, stored: str, name: str, place: str
) -> None:
    add(art, project / stored, name)
    before = {path.name for path in project.iterdir()}
    assert f"{place} holds {name}@1" in art("checkout", name).out
    assert {path.name for path in project.iterdir()} - before == {place}


def test_an_id_that_was_typed_is_the_name_too(art: Art, project: Path) -> None:
    add(art, project / "x.py", "conftest")
    found = art("ls", "--json").json[0]["id"][:12]
    art("checkout", found)
    assert (project / f"{found}.py").read_text() == "content"
    assert not (project / "conftest.py").exists()


def test_a_folder_comes_under_the_name_that_was_typed(art: Art, project: Path) -> None:
    (project / ".ssh").mkdir()
    (project / ".ssh" / "authorized_keys").write_text("mine")
    art("add", ".ssh", "--name", "keys")
    assert art("checkout", "keys").code == 0
    assert (project / "keys" / "authorized_keys").read_text() == "mine"


def test_a_file_comes_into_a_folder_that_is_there(art: Art, project: Path) -> None:
    add(art, project / "data.csv", "raw")
    (project / "old").mkdir()
    art("checkout", "raw", "-o", "old")
    assert (project / "old" / "raw.csv").exists()


@pytest.mark.parametrize(
    ("place", "code"), [(".artifacts", 1), (".artifacts/x", 1), ("sub/../.artifacts/packs/x", 1), (".git/hooks/x", 1)]
)
def test_nothing_comes_into_a_repository(art: Art, project: Path, place: str, code: int) -> None:
    (project / "sub").mkdir()
    (project / ".git" / "hooks").mkdir(parents=True)
    add(art, project / "data.csv", "raw")
    refused = art("checkout", "raw", "-o", place)
    assert (refused.code, refused.err.count("error:")) == (code, 1)
    assert "lies in a repository" in refused.err
    assert art("fsck").code == 0


def test_a_folder_that_may_not_be_read_is_an_error_that_says_so(
    art: Art, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "secret").mkdir()
    (project / "secret" / "a").write_text("a")
    art("add", "secret", "--name", "things")
    listdir = os.listdir

    def refused(path: str | Path | int = ".") -> list[str]:
        name = os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else path
        if Path(name).name == "secret":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refused)
    for arguments in (["add", "secret", "--name", "x"], ["checkout", "things", "-o", "secret"]):
        done = art(*arguments)
        assert done.code == 6
        assert "Permission was denied while reading" in done.err


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("mode", "place"), [(0, "sub"), (0o444, "sub"), (0o111, "sub"), (0, "."), (0, "sub/b")])
def test_no_permission_is_unexpected(art: Art, project: Path, mode: int, place: str) -> None:
    """As another user, with files and folders that are really closed to it."""
    for arguments in (["add", "adding.py", "--name", "warm"], ["checkout", "warm", "-o", "warm.py"]):
        art(*arguments)  # what these import may lie where only root can read
    folder = Path(tempfile.mkdtemp())
    (folder / "data" / "sub").mkdir(parents=True)
    (folder / "data" / "sub" / "b").write_text("b")
    os.chown(folder, 65534, 65534)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)

    def as_nobody(say: Say) -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        os.environ.update(USER="nobody", HOME=str(folder))
        os.chdir(folder)
        main.run(["add", "data", "--name", "data"])
        (folder / "data" / place).chmod(mode)
        for arguments in (
            ["add", "data", "--name", "x"],
            ["add", "data/sub/b", "--name", "x"],
            ["checkout", "data", "-o", "data"],
            ["checkout", "data", "-o", "data/sub"],
            ["checkout", "data", "-o", "data/sub/b"],
        ):
            say(f"{main.run(arguments)} {' '.join(arguments)}")

    done = in_a_process(as_nobody)
    shutil.rmtree(folder)
    assert done.error == ""
    assert len(done.said) == 5
    # Refused, or done where that part was not closed; or it holds what is not stored.
    assert {said.split()[0] for said in done.said} <= {"0", "6", "7"}
    assert any(said.startswith("6 ") for said in done.said)


def test_edits_that_a_killed_checkout_moved_away_are_named(
    art: Art, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(art, project / "data.csv", "data", "one")
    add(art, project / "data.csv", "data", "two")
    art("checkout", "data@1")
    exchange = system.exchange

    def edit_and_die(one: Path, other: Path) -> bool:
        (project / "data.csv").write_text("edited at the last moment")
        exchange(one, other)
        os._exit(0)

    with monkeypatch.context() as patched:
        patched.setattr(system, "exchange", edit_and_die)
        in_a_process(lambda say: say(art("checkout", "data@2").out))
    said = art("checkout", "data@1").out
    [edits] = project.glob("edits-*")
    assert f"{edits} holds edits" in said
    assert edits.read_text() == "edited at the last moment"
    assert (project / "data.csv").read_text() == "one"


def work_of_hours(place: Path) -> dict[str, tuple[int, bytes]]:
    """What lies there: mode and content of each file."""
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): (path.stat().st_mode & 0o111, path.read_bytes()) for path in files}


def labelled(folder: Path) -> None:
    for name in ("cat", "dog"):
        (folder / name).mkdir()
    (folder / "1.png").rename(folder / "cat" / "1.png")
    (folder / "2.png").rename(folder / "dog" / "2.png")


def swapped(folder: Path) -> None:
    (folder / "1.png").rename(folder / "aside")
    (folder / "2.png").rename(folder / "1.png")
    (folder / "aside").rename(folder / "2.png")


def set_to_what_another_file_holds(folder: Path) -> None:
    (folder / "1.png").write_bytes((folder / "2.png").read_bytes())


def one_deleted(folder: Path) -> None:
    (folder / "1.png").unlink()


def executable(folder: Path) -> None:
    (folder / "1.png").chmod(0o755)


def empty_folder_added(folder: Path) -> None:
    (folder / "later").mkdir()


EDITS = [labelled, swapped, set_to_what_another_file_holds, one_deleted, executable, empty_folder_added]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_that_brings_no_new_bytes_is_an_edit(art: Art, project: Path, edit: Callable[[Path], None]) -> None:
    """Each file alone can be had again; which is where cannot, until it is stored."""
    folder = project / "images"
    folder.mkdir()
    (folder / "3.png").write_bytes(b"old")
    art("add", "images", "--name", "images")
    for number in (1, 2, 3):
        (folder / f"{number}.png").write_bytes(b"%d" % number * 100)
    art("add", "images", "--name", "images")
    edit(folder)
    before = work_of_hours(folder)
    refused = art("checkout", "images@1")
    assert refused.code == 7
    assert "`art add` it first" in refused.err
    assert work_of_hours(folder) == before
    art("add", "images", "--name", "other-name")
    art("checkout", "images@1")
    assert work_of_hours(folder) == {"3.png": (0, b"old")}
    art("checkout", "other-name", "-o", "images")
    assert work_of_hours(folder) == before


@pytest.mark.parametrize("away", [["rm", "notes"], ["prune", "--include-manual", "--only-artifact"]])
def test_what_was_deleted_is_not_stored_any_more_though_it_is_not_collected_yet(
    art: Art, project: Path, away: list[str]
) -> None:
    (project / "notes.txt").write_text("the only copy")
    (project / "other.txt").write_text("other")
    art("add", "notes.txt", "--name", "notes")
    assert art(*away).code == 0
    art("add", "other.txt", "--name", "other")
    assert art("checkout", "other", "-o", "notes.txt").code == 7
    assert (project / "notes.txt").read_text() == "the only copy"


def test_files_of_a_value_may_be_replaced_by_those_of_another(art: Art, project: Path) -> None:
    """Whatever made them: a version gives exactly these."""
    save = "from artvcs import save_artifact; save_artifact({'a': 1}, name='one'); save_artifact([1], name='two')"
    subprocess.run([sys.executable, "-c", save], cwd=project, check=True)
    assert art("checkout", "one", "-o", "out").code == 0
    assert art("checkout", "two", "-o", "out").code == 0
    assert art("checkout", "one", "-o", "out").code == 0


def test_a_place_that_is_spelt_as_a_folder_is_one(art: Art, project: Path) -> None:
    add(art, project / "data.csv", "data")
    assert "old/data.csv holds data@1" in art("checkout", "data", "-o", "old/").out
    assert (project / "old" / "data.csv").read_text() == "content"


def test_the_folder_one_is_in_is_not_replaced(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be gone from under the shell."""
    folder = project / "data"
    folder.mkdir()
    for text in ("1", "2"):
        (folder / "file").write_text(text)
        art("add", "data", "--name", "data")
    monkeypatch.chdir(folder)
    for place in (".", "../data", str(folder)):
        refused = art("checkout", "data@1", "-o", place)
        assert refused.code == 7
        assert "the folder you are in" in refused.err
    assert (folder / "file").read_text() == "2"
