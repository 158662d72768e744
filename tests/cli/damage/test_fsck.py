"""`art fsck`, with and without `--repair`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from artvcs.cli import main
from artvcs.vcs.maps import ref_names
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import op_name
from artvcs.vcs.storage.packs.pack import FIRST_SIZE

from ..conftest import Art


@pytest.fixture
def folder(project: Path, art: Art) -> Path:
    """A repository with a run and two files."""
    for number in range(2):
        (project / f"{number}.txt").write_text(f"{number} " * 100)
        assert art("add", f"{number}.txt", "--name", f"file-{number}").code == 0
    assert art("run", "adding.py").code == 0
    return project / ".artifacts"


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def lose(folder: Path, oid: str) -> None:
    """Damages an object in every op."""
    for path in (folder / "ops").iterdir():
        if (place := path.read_bytes().find(bytes.fromhex(oid))) >= 0:
            flip(path, place + 40)


def newest(folder: Path) -> Path:
    return folder / op_name(Repository(folder).store.refresh().seq)


def test_a_whole_repository(folder: Path, art: Art) -> None:
    for arguments in ("fsck",), ("fsck", "--repair"):
        done = art(*arguments)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("Everything is as it was written")
    assert art("fsck", "--json").json == []
    assert art("fsck", "--repair", "--json").json == {"done": [], "older": [], "lost": [], "problems": []}


def test_what_is_wrong_is_named_with_what_needs_it(folder: Path, art: Art) -> None:
    text = art("add", "0.txt", "--name", "file-0", "--json").json["id"]
    lose(folder, text)
    done = art("fsck")
    assert done.code == 5
    assert "ops/000000000002: is damaged: its bytes are not those that were written" in done.out
    assert f"reference {text}: is missing or damaged; file-0@1 needs it" in done.out
    assert done.out.splitlines()[-1].endswith("`art fsck --repair` mends what can be mended.")
    assert {"where", "what"} == set(art("fsck", "--json").json[0])


def test_what_can_be_mended_is_and_nothing_is_lost(folder: Path, art: Art) -> None:
    (folder / ".gitignore").write_text("wrong")
    done = art("fsck", "--repair")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [".gitignore: is written anew", "Everything else is as it was written."]


def test_what_is_lost_is_said_once_with_exit_code_5(folder: Path, art: Art) -> None:
    text = art("add", "0.txt", "--name", "file-0", "--json").json["id"]
    lose(folder, text)
    done = art("fsck", "--repair")
    assert done.code == 5
    assert "Lost:" in done.out
    assert "  file-0@1: what it needs is lost" in done.out
    assert "  file-1" not in done.out
    assert art("fsck", "--repair").code == 0
    assert art("fsck").code == 0
    assert art("cat", "file-0").code == 3
    assert art("add", "0.txt", "--name", "file-0").code == 0
    assert art("cat", "file-0").out == "0 " * 100


def test_where_the_newest_op_is_damaged_it_is_said_what_may_be_older(folder: Path, art: Art) -> None:
    flip(newest(folder), FIRST_SIZE + 3)
    assert art("ls").code == 5
    done = art("fsck", "--repair")
    assert done.code == 5
    assert "perhaps older than it was" in done.out
    assert art("fsck").code == 0
    assert art("run", "adding.py").code == 0
    assert art("ls").code == 0


def test_what_cannot_be_written_is_not_repaired(folder: Path, art: Art, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    done = art("fsck", "--repair")
    assert done.code == 6
    assert done.err.endswith("copy it to where you may write, and repair the copy.\n")


def test_a_terminal_sees_how_far_it_is(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for arguments in ["fsck"], ["fsck", "--repair"]:
        capfdbinary.readouterr()
        assert main.run(arguments) == 0
        seen = capfdbinary.readouterr().err.decode()
        assert "%" in seen
        assert "/s" in seen
        assert seen.endswith("\x1b[K")
    assert main.run(["-q", "fsck"]) == 0
    assert capfdbinary.readouterr() == (b"", b"")


def test_gc_points_to_repair_where_something_is_lost(folder: Path, art: Art) -> None:
    version = Repository(folder).refs().get(ref_names.version("file-0", 1))
    assert version is not None
    lose(folder, version)
    done = art("gc")
    assert done.code == 0
    assert f"Lost: {version[:12]}" in done.out
    assert "`art fsck --repair`" in done.out
