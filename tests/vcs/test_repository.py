"""A repository: made once, found from below, refused when it is not understood."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from artvcs.vcs.errors import DamagedError, NoPermission, RepositoryNotFound, UnknownName, UnsupportedFormat
from artvcs.vcs.maps.refs import RefMap
from artvcs.vcs.objects.oid import hash_bytes
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.disk.registers import write_register
from artvcs.vcs.storage.layout import FORMAT_VERSION, Layout

from .helpers import files, problems, put_text, random_text


def test_a_new_repository_holds_exactly_these_files(repository: Repository, folder: Path) -> None:
    assert sorted(files(folder)) == [".gitignore", "format", "ops/000000000001", "reserve", "root"]
    assert problems(folder) == []


def test_making_it_again_changes_nothing(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    before = files(folder)
    Repository.init(folder)
    assert files(folder) == before


def test_git_does_not_see_it(repository: Repository, folder: Path) -> None:
    subprocess.run(["git", "init", "-q", folder.parent], check=True)
    status = subprocess.run(["git", "-C", folder.parent, "status", "--porcelain"], capture_output=True, check=True)
    assert status.stdout == b""


def test_it_is_found_from_a_folder_below(repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTVCS_DIR", raising=False)
    below = folder.parent / "a" / "b"
    below.mkdir(parents=True)
    assert Repository.discover(below).layout.folder == folder
    assert Repository.discover(below).project == folder.parent
    assert Repository.open(folder).layout.folder == Repository.open(folder.parent).layout.folder == folder


def test_where_there_is_none_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTVCS_DIR", raising=False)
    with pytest.raises(RepositoryNotFound, match="art init"):
        Repository.discover(tmp_path)
    with pytest.raises(RepositoryNotFound, match="art init"):
        Repository(tmp_path)


def test_it_is_made_at_the_top_of_the_git_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTVCS_DIR", raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    assert Repository.discover(tmp_path / "src", create=True).project == tmp_path


def test_the_environment_names_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTVCS_DIR", str(tmp_path / "elsewhere"))
    assert Repository.discover(tmp_path, create=True).layout.folder == tmp_path / "elsewhere"
    assert Repository.discover(tmp_path).layout.folder == tmp_path / "elsewhere"


def test_a_newer_format_is_refused(repository: Repository, folder: Path) -> None:
    layout = Layout(folder)
    write_register(layout.format, dict.fromkeys(("read", "write", "gc"), FORMAT_VERSION + 1), layout.tmp)
    with pytest.raises(UnsupportedFormat, match="upgrade"):
        Repository(folder)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[]\n", b'{"check":1}\n', b"\xff", b'{"read":2}\n'])
def test_a_damaged_register_is_named(repository: Repository, folder: Path, content: bytes) -> None:
    (folder / "format").write_bytes(content)
    with pytest.raises(DamagedError, match="format"):
        Repository(folder)


def test_lost_ops_are_not_replaced_by_an_empty_repository(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", random_text(1))
    shutil.rmtree(folder / "ops")
    with pytest.raises(DamagedError, match="ops"):
        Repository(folder).refs()
    (folder / "format").unlink()
    with pytest.raises(DamagedError, match="its ops are lost"):
        Repository.init(folder)


def test_opening_and_reading_changes_nothing(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    before = files(folder)
    assert len(list(Repository(folder).refs().items())) == 1
    assert files(folder) == before


@pytest.mark.long
def test_two_that_make_it_at_once_do_not_reset_each_other(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from artvcs.vcs.repository import Repository\n"
        "repository = Repository.init(Path(sys.argv[1]))\n"
        "with repository.transaction('first') as t: t.set_ref('tags/' + sys.argv[2], t.put_blob(b'x'))"
    )
    for attempt in range(3):
        at = folder / str(attempt)
        at.parent.mkdir(parents=True, exist_ok=True)
        made = [subprocess.Popen([sys.executable, "-c", script, at, str(number)]) for number in range(4)]
        assert [process.wait() for process in made] == [0] * 4
        assert len(list(Repository(at).refs().items("tags/"))) == 4


@pytest.mark.parametrize("name", ["index", "incoming", "tmp"])
def test_a_folder_that_a_copy_left_out_is_made_again(repository: Repository, folder: Path, name: str) -> None:
    oid = put_text(repository, "tags/a", "a")
    for path in (folder / name).iterdir():
        path.unlink()
    (folder / name).rmdir()
    again = Repository(folder)
    assert again.store.read(oid, "blob") == b"a"
    put_text(again, "tags/b", "b")
    assert problems(folder) == []


def test_a_folder_that_vanishes_while_it_is_open_is_no_riddle(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    (folder / "tmp").rmdir()
    put_text(repository, "tags/b", "b")
    assert len(list(repository.refs().items())) == 2


def test_older_states_of_the_refs_can_be_read(repository: Repository) -> None:
    first = put_text(repository, "tags/a", "first")
    older = repository.store.refresh()
    put_text(repository, "tags/a", "second")
    assert RefMap(repository.store, older.state.refs).get("tags/a") == first
    assert [repository.store.log.entry(seq).op.why for seq in (1, 2, 3)] == ["init", "set tags/a", "set tags/a"]  # type: ignore[union-attr]


def test_an_unknown_id_is_unknown(repository: Repository) -> None:
    with pytest.raises(UnknownName):
        repository.store.location(hash_bytes(b"nowhere"))


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere; see tests/vcs/faults for another user")
def test_a_read_only_folder_can_be_read_and_not_written(repository: Repository, folder: Path) -> None:
    oid = put_text(repository, "tags/a", "a")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    reader = Repository(folder)
    assert reader.store.read(oid, "blob") == b"a"
    with pytest.raises(NoPermission):
        reader.transaction("write")
