"""A few kills and refusals at chosen moments; all of them are in tests/vcs/faults."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from artvcs.vcs.errors import NoPermission
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep.gc.collection import collect

from .faults import scenarios
from .faults.inject import Say, needs_strace, run
from .helpers import problems, put_text, put_text_in, tags


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "tester")


@pytest.mark.long
@needs_strace
@pytest.mark.parametrize(
    "moment",
    ["fsync:1", "fsync:4", "rename:1", "link:1", "fsync:5", "ftruncate:1", "pwrite64:3", "unlink:1"],
)
def test_a_killed_publish_loses_nothing_and_leaves_nothing(tmp_path: Path, moment: str) -> None:
    call, number = moment.split(":")
    scenarios.prepare(tmp_path / "repository")
    outcome = run(lambda say: scenarios.publish(tmp_path / "repository", say), f"{call}:signal=KILL:when={number}")
    assert outcome.killed
    assert problems(tmp_path / "repository") == []
    scenarios.check_promises(tmp_path / "repository", outcome)
    scenarios.check_second_try(tmp_path / "repository")


@pytest.mark.long
@needs_strace
@pytest.mark.parametrize("moment", ["fsync:1", "link:1", "rename:1", "unlink:2", "unlink:4", "rename:3", "link:4"])
def test_a_killed_collection_loses_nothing(tmp_path: Path, moment: str) -> None:
    call, number = moment.split(":")
    scenarios.prepare(tmp_path / "repository")
    outcome = run(lambda say: scenarios.collect(tmp_path / "repository", say), f"{call}:signal=KILL:when={number}")
    assert outcome.killed
    assert problems(tmp_path / "repository") == []
    scenarios.check_promises(tmp_path / "repository", outcome)
    scenarios.check_second_try(tmp_path / "repository")


@pytest.mark.long
@needs_strace
@pytest.mark.parametrize(("error", "typed"), [("ENOSPC", "DiskFull"), ("EDQUOT", "DiskFull"), ("EIO", "StorageError")])
@pytest.mark.parametrize("moment", ["fsync:1", "fsync:4", "link:1", "rename:1", "pwrite64:4+"])
def test_a_refused_publish_is_a_typed_error(tmp_path: Path, moment: str, error: str, typed: str) -> None:
    call, number = moment.split(":")
    scenarios.prepare(tmp_path / "repository")
    scenarios.publish(scenarios.copy(tmp_path / "repository", tmp_path / "warm"), lambda _: None)
    injection = f"{call}:error={error}:when={number}"
    outcome = run(lambda say: scenarios.publish(tmp_path / "repository", say), injection)
    assert outcome.error == typed
    assert problems(tmp_path / "repository") == []
    scenarios.check_promises(tmp_path / "repository", outcome)
    scenarios.check_second_try(tmp_path / "repository")


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path: Path) -> None:
    scenarios.prepare(tmp_path / "repository")

    def limited(say: Say) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        with Repository(tmp_path / "repository").transaction("large") as transaction:
            transaction.set_ref("tags/large", transaction.put_blob(os.urandom(3_000_000)))

    assert run(limited).error == "DiskFull"
    assert problems(tmp_path / "repository") == []
    scenarios.check_second_try(tmp_path / "repository")


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user can reach: those of pytest only its owner can."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user; see also test_repository")
def test_somebody_elses_repository_can_be_read_and_not_written(open_to_all: Path) -> None:
    folder = open_to_all / ".artifacts"
    oid = put_text(Repository.init(folder), "tags/a", "a")

    def as_nobody(say: Say) -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        repository = Repository(folder)
        say(repository.store.read(oid, "blob").decode())
        for refused in (lambda: repository.transaction("write"), lambda: Repository.init(open_to_all / "other")):
            try:
                refused()
            except NoPermission as error:
                say(str(error).partition(" while ")[0])

    assert run(as_nobody).said == ["a", "Permission was denied", "Permission was denied"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_what_another_users_killed_run_left_keeps_no_reader_out(open_to_all: Path) -> None:
    folder = open_to_all / ".artifacts"
    scenarios.prepare(folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    repository = Repository(folder)
    transaction = repository.transaction("alive")
    put = transaction.put_blob(b"landed")
    transaction.set_ref("tags/a", put)
    transaction.checkpoint()

    def as_nobody(say: Say) -> None:
        os.setgroups([])
        os.setuid(65534)
        say(" ".join(ref for ref, _ in Repository(folder).refs().items()))

    assert run(as_nobody).said == ["other tags/kept tags/old"]
    transaction.publish()
    transaction.close()
    assert problems(folder) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_two_users_who_share_a_repository_keep_each_other_from_nothing(open_to_all: Path) -> None:
    """They share its folders; the files that one makes the other may only read."""
    folder = open_to_all / ".artifacts"
    scenarios.prepare(folder)
    dead = Repository(folder).transaction("dies")
    put_text_in(dead, "tags/a", "landed")
    dead.checkpoint()
    dead._incoming.leave()  # as if its process had been killed
    alive = Repository(folder).begin("alive")
    put_text_in(alive, "tags/b", "b" * 100)
    alive.checkpoint()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o644)

    def as_nobody(say: Say) -> None:
        os.setgroups([])
        os.setuid(65534)
        put_text(Repository(folder), "tags/theirs", "x")
        collect(Repository(folder))
        say(" ".join(ref for ref, _ in Repository(folder).refs().items("tags/")))

    outcome = run(as_nobody)
    assert outcome.error == ""
    assert outcome.said == ["tags/kept tags/old tags/theirs"]
    alive.publish()
    alive.close()
    Repository(folder).recover()
    assert {"tags/a", "tags/b", "tags/theirs"} < tags(Repository(folder)).keys()
    assert problems(folder) == []
