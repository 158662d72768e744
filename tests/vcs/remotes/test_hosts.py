"""Other machines as remotes, by OpenSSH's and nginx's own servers; `make remotes` starts them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from artvcs.testing import CommitPointContract, FilesContract
from artvcs.vcs.errors import DamagedError, RemoteRefused, RemoteUnreachable
from artvcs.vcs.remotes.exchange.fetch import fetch
from artvcs.vcs.remotes.exchange.push import push
from artvcs.vcs.remotes.places import opening
from artvcs.vcs.remotes.places.address import Address, parse
from artvcs.vcs.remotes.places.folder import FolderFiles
from artvcs.vcs.remotes.remote import Remote
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.files import Files
from tests.vcs.remotes import places

from ..helpers import put_text

pytestmark = pytest.mark.remotes


class TestSsh(FilesContract, CommitPointContract):
    @pytest.fixture
    def files(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Files:
        self.address: Address = places.ssh(monkeypatch, tmp_path / "it's shared")
        return places.files(self.address)

    def other(self, files: Files) -> Files:
        return places.files(self.address)


def test_who_is_not_known_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    address = places.ssh(monkeypatch, tmp_path)
    without_key = os.environ["ARTVCS_SSH_COMMAND"].replace("/user ", "/nobody ")
    monkeypatch.setenv("ARTVCS_SSH_COMMAND", without_key)
    with pytest.raises(RemoteUnreachable, match="Permission denied"):
        places.files(address).read("ops/1")


@pytest.fixture
def shown() -> Path:
    """A repository's folder that the web server shows, and that can be pushed to beside it."""
    return Path(places.endpoint("ARTVCS_TEST_WEB_FOLDER")) / secrets.token_hex(8)


@pytest.fixture
def near(tmp_path: Path, shown: Path) -> Repository:
    """A repository whose state is shown."""
    near = Repository.init(tmp_path / "near" / ".artifacts")
    put_text(near, "tags/large", "x" + os.urandom(400_000).hex())
    push(near, Remote("origin", str(shown), FolderFiles(shown), near))
    return near


def at_web(shown: Path, near: Repository) -> Remote:
    where = f"{places.endpoint('ARTVCS_TEST_WEB')}/{shown.name}"
    return Remote("web", where, opening.opened(parse(where, base=Path())), near)


def test_a_web_server_is_fetched_from_and_not_pushed_to(tmp_path: Path, shown: Path, near: Repository) -> None:
    far = Repository.init(tmp_path / "far" / ".artifacts")
    remote = at_web(shown, far)
    fetch(far, remote)
    assert far.refs().get("tags/large") == near.refs().get("tags/large")
    put_text(far, "tags/own", "mine")
    with pytest.raises(RemoteRefused, match="can only be read"):
        push(far, remote)
    put_text(near, "tags/more", "later")
    push(near, Remote("origin", str(shown), FolderFiles(shown), near))
    fetch(far, at_web(shown, far))
    assert far.refs().get("tags/more") == near.refs().get("tags/more")


def test_what_a_web_server_shows_is_verified(tmp_path: Path, shown: Path, near: Repository) -> None:
    for path in (path for path in (shown / "packs").rglob("*") if path.is_file()):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    far = Repository.init(tmp_path / "far" / ".artifacts")
    with pytest.raises(DamagedError):
        fetch(far, at_web(shown, far))
    assert far.refs().get("tags/large") is None


def test_a_page_that_is_no_repository_is_told(tmp_path: Path, shown: Path) -> None:
    shown.mkdir()
    far = Repository.init(tmp_path / "far" / ".artifacts")
    with pytest.raises(Exception, match="Nothing has been pushed"):
        fetch(far, at_web(shown, far))
