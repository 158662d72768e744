"""Files of another machine, asked for through a program there; a shell stands in for `ssh` here, the real one is met
in `test_servers`.
"""

from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from artvcs.testing import CommitPointContract, FilesContract
from artvcs.vcs.errors import DamagedError, InvalidName, RemoteRefused, RemoteUnreachable
from artvcs.vcs.remotes.places.address import Address
from artvcs.vcs.remotes.places.far_files import PlaceMissing
from artvcs.vcs.remotes.places.probe import probe
from artvcs.vcs.remotes.places.ssh import COMMAND_VARIABLE, SshFiles
from artvcs.vcs.storage.files import Files

START = "from artvcs.cli import start; start()"


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture(autouse=True)
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for `ssh` that runs what it is told on this machine, where `art` is found."""
    programs = tmp_path / "programs"
    programs.mkdir()
    program(programs / "art", f'exec "{sys.executable}" -c "{START}" "$@"')
    ssh = program(tmp_path / "ssh", 'for last; do :; done; exec sh -c "$last"')
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(COMMAND_VARIABLE, str(ssh))


def files_in(folder: Path) -> SshFiles:
    return SshFiles(Address("ssh", "host", str(folder)))


class TestSshFiles(FilesContract, CommitPointContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> Files:
        return files_in(tmp_path / "shared")

    def other(self, files: Files) -> Files:
        assert isinstance(files, SshFiles)
        return SshFiles(files._address)


def test_a_folder_there_keeps_what_pushing_needs(tmp_path: Path) -> None:
    assert probe(files_in(tmp_path / "it's shared")).refusal is None


def test_names_that_lead_elsewhere_are_refused_on_both_sides(tmp_path: Path) -> None:
    files = files_in(tmp_path / "shared")
    with pytest.raises(InvalidName):
        files.read("../secret")
    (tmp_path / "secret").write_text("x")
    with pytest.raises(RemoteRefused, match="cannot be the name"), files._asked({"ask": "read", "name": "../secret"}):
        pass
    assert not files.exists("ops/1")  # and the connection goes on


def test_an_answer_that_is_not_read_to_its_end_is_not_taken_for_the_next(tmp_path: Path) -> None:
    files = files_in(tmp_path / "shared")
    files.put("packs/x", bytes(5_000_000))
    files.put("ops/1", b"x")
    for _ in files.pieces("packs/x", 0):
        break
    assert files.read("ops/1") == b"x"


@pytest.mark.parametrize(
    ("ssh", "said", "kind"),
    [
        ("echo 'host: Permission denied (publickey).' >&2; exit 255", "Permission denied", RemoteUnreachable),
        ("exit 127", "has no `art`", RemoteRefused),
        ("echo 'Welcome to this machine!'; sleep 9", "none", DamagedError),
        ("printf '\\000\\000\\000\\014{\"serves\":9}'; sleep 9", "same version", RemoteRefused),
        ("printf '\\377\\377\\377\\377'; sleep 9", "none", DamagedError),
        ("printf '\\000\\000\\000\\014{\"serves\":1}'; exit 1", "cannot be reached", RemoteUnreachable),
    ],
)
def test_what_goes_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ssh: str, said: str, kind: type[Exception]
) -> None:
    monkeypatch.setenv(COMMAND_VARIABLE, str(program(tmp_path / "wrong", ssh)))
    with pytest.raises(kind, match=said):
        files_in(tmp_path / "shared").read("ops/1")


def test_a_program_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMAND_VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(RemoteUnreachable, match="install OpenSSH"):
        files_in(tmp_path / "shared").read("ops/1")


def test_a_command_that_is_none_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMAND_VARIABLE, "ssh -i 'key")
    with pytest.raises(RemoteRefused, match="is no command"):
        files_in(tmp_path / "shared").read("ops/1")


def test_a_connection_that_ends_while_names_come_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greeting, head = '\\000\\000\\000\\014{"serves":1}', '\\000\\000\\000\\015{"size":1000}'
    cut = f"printf '{greeting}'; head -c 4 > /dev/null; printf '{head}ops/1'"
    monkeypatch.setenv(COMMAND_VARIABLE, str(program(tmp_path / "cut", cut)))
    with pytest.raises(RemoteUnreachable, match="cannot be reached"):
        list(files_in(tmp_path / "shared").list("ops"))


def test_what_an_address_says_is_no_command(tmp_path: Path) -> None:
    files = files_in(tmp_path / f"x; touch {tmp_path}/broken")
    assert not files.exists("ops/1")
    assert not (tmp_path / "broken").exists()


def test_many_threads_ask_at_once(tmp_path: Path) -> None:
    files = files_in(tmp_path / "shared")
    for number in range(8):
        files.put(f"ops/{number}", b"%d" % number * 1000)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: files.read(f"ops/{number % 8}"), range(80)))
    assert found == [b"%d" % (number % 8) * 1000 for number in range(80)]


def test_a_folder_that_is_not_there_is_told_from_a_file_that_is_not_in_it(tmp_path: Path) -> None:
    files = files_in(tmp_path / "shared")
    with pytest.raises(PlaceMissing):
        files.read("format")
    (tmp_path / "shared").mkdir()
    with pytest.raises(FileNotFoundError) as raised:
        files.read("format")
    assert not isinstance(raised.value, PlaceMissing)
