"""Recovery: what a killed process had landed is published by the next one to open the repository."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from artvcs.vcs.objects.kinds import Run
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import collect as gc

from ..helpers import a_run, add_version, files, problems, put_text, versions


def killed(folder: Path, work: str) -> None:
    """Runs `work` on `transaction` in a process that is then killed."""
    script = f"""
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from artvcs.vcs.repository import Repository
from tests.vcs.helpers import *
repository = Repository(Path({str(folder)!r}))
transaction = repository.transaction("killed")
{work}
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def incoming(repository: Repository) -> list[str]:
    return sorted(path.suffix for path in repository.layout.incoming.iterdir())


LAND = """
put_text_in(transaction, "tags/a", "a")
add_version(transaction, "model", "x")
transaction.checkpoint()
put_text_in(transaction, "tags/never", "never landed")
"""


def test_what_had_landed_is_published_and_the_rest_is_dropped(repository: Repository, folder: Path) -> None:
    killed(folder, LAND)
    assert problems(folder) == []
    again = Repository(folder)
    assert {ref.split("/")[0] for ref, _ in again.refs().items()} == {"tags", "artifacts", "values", "newest"}
    assert again.refs().get("tags/never") is None
    assert again.store.read(dict(again.refs().items())["tags/a"], "blob") == b"a"
    assert incoming(again) == []
    assert problems(folder) == []


def test_what_had_not_landed_leaves_nothing(repository: Repository, folder: Path) -> None:
    killed(folder, 'put_text_in(transaction, "tags/a", "a" * 10)\ntransaction._open_pack().writer.flush()')
    assert incoming(repository) == [".journal", ".pack"]
    again = Repository(folder)
    assert incoming(again) == []
    assert again.refs().root is None


def test_recovered_versions_give_way_to_those_published_since(repository: Repository, folder: Path) -> None:
    killed(folder, LAND)
    with repository.transaction("meanwhile, in a process that had opened before") as transaction:
        add_version(transaction, "model", "y")
    assert [version.number for version in versions(Repository(folder), "model")] == [1, 2]


def test_a_run_whose_process_died_is_interrupted(repository: Repository, folder: Path) -> None:
    killed(
        folder,
        """
run = transaction.put(a_run("r1"))
transaction.set_ref("runs/r1", run)
transaction.set_ref("latest/train", run)
done = transaction.put(a_run("r2", "completed"))
transaction.set_ref("runs/r2", done)
transaction.checkpoint()
""",
    )
    again = Repository(folder)
    refs = dict(again.refs().items())
    states = {ref: again.store.record(oid, Run).status for ref, oid in refs.items()}
    assert states == {"runs/r1": "interrupted", "latest/train": "interrupted", "runs/r2": "completed"}


def test_a_living_process_is_left_alone_at_every_moment(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process opens the repository between any two steps of a publish."""

    def look() -> None:
        other = Repository(folder)
        run = other.refs().get("runs/r1")
        assert run is None or other.store.record(run, Run).status == "running"

    moments = [
        ("artvcs.vcs.changes.incoming.Incoming.finish", "after"),
        ("artvcs.vcs.storage.segments.Index.add_pack", "before"),
        ("artvcs.vcs.storage.segments.Index.add_pack", "after"),
        ("artvcs.vcs.changes.incoming.Incoming.drop", "before"),
    ]
    for name, when in moments:
        _call_around(monkeypatch, name, when, look)
    with repository.transaction("alive") as transaction:
        transaction.set_ref("runs/r1", transaction.put(a_run("r1")))
        transaction.checkpoint()
        look()
        transaction.publish()
        look()
    assert repository.read_root().seq == 1  # nobody else published it
    assert problems(folder) == []


def _call_around(monkeypatch: pytest.MonkeyPatch, name: str, when: str, look: object) -> None:
    module, cls, method = name.rsplit(".", 2)
    owner = getattr(sys.modules[module], cls)
    original = getattr(owner, method)

    def around(*arguments: object) -> object:
        if when == "before":
            look()  # type: ignore[operator]
        result = original(*arguments)
        if when == "after":
            look()  # type: ignore[operator]
        return result

    monkeypatch.setattr(owner, method, around)


def test_a_process_killed_after_the_root_moved_is_not_published_twice(repository: Repository, folder: Path) -> None:
    killed(
        folder,
        """
put_text_in(transaction, "tags/a", "a")
write_root = repository.write_root
def and_die(seq, op):
    write_root(seq, op)
    os.kill(os.getpid(), signal.SIGKILL)
repository.write_root = and_die
transaction.publish()
""",
    )
    newer = put_text(repository, "tags/a", "newer")
    again = Repository(folder)
    assert again.refs().get("tags/a") == newer
    assert incoming(again) == []


def test_a_process_killed_between_pack_and_root_is_published(repository: Repository, folder: Path) -> None:
    killed(
        folder,
        """
put_text_in(transaction, "tags/a", "a")
repository.write_root = lambda seq, op: os.kill(os.getpid(), signal.SIGKILL)
transaction.publish()
""",
    )
    assert incoming(repository) == [".journal"]
    again = Repository(folder)
    assert [ref for ref, _ in again.refs().items()] == ["tags/a"]
    assert problems(folder) == []


def test_a_journal_whose_moved_pack_is_gone_publishes_no_dangling_ref(repository: Repository, folder: Path) -> None:
    kept = put_text(repository, "tags/kept", "kept")
    killed(
        folder,
        f"""
put_text_in(transaction, "tags/a", "a")
transaction.set_ref("tags/b", {kept!r})
add_version(transaction, "model", "x")
repository.write_root = lambda seq, op: os.kill(os.getpid(), signal.SIGKILL)
transaction.publish()
""",
    )
    newest = max(repository.layout.pack_files(), key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    again = Repository(folder)
    assert dict(again.refs().items()) == {"tags/kept": kept, "tags/b": kept}
    assert problems(folder) == []


@pytest.mark.parametrize("damage", ["shorter", "zeros at the end", "flipped bit", "empty"])
def test_a_pack_torn_by_a_power_cut_is_good_up_to_its_last_whole_checkpoint(
    repository: Repository, folder: Path, damage: str
) -> None:
    killed(
        folder,
        """
put_text_in(transaction, "tags/a", "a" * 50)
transaction.checkpoint()
put_text_in(transaction, "tags/b", "b" * 50)
transaction.checkpoint()
""",
    )
    [pack] = repository.layout.incoming.glob("*.pack")
    data = pack.read_bytes()
    pack.write_bytes(
        {
            "shorter": data[:-10],
            "zeros at the end": data[:-10] + bytes(10),
            "flipped bit": data[:-10] + b"B" + data[-9:],
            "empty": b"",
        }[damage]
    )
    assert problems(folder) == []
    again = Repository(folder)
    assert [ref for ref, _ in again.refs().items()] == ([] if damage == "empty" else ["tags/a"])
    assert incoming(again) == []
    assert problems(folder) == []


@pytest.mark.parametrize("moment", ["take over", "publish", "clean up"])
def test_a_recovery_that_is_killed_itself_is_recovered(repository: Repository, folder: Path, moment: str) -> None:
    killed(folder, LAND)
    patch = {
        "take over": "import artvcs.vcs.changes.recovery as r; r._mark_interrupted = die",
        "publish": "Repository.write_root = die",
        "clean up": "from artvcs.vcs.changes.incoming import Incoming; Incoming.drop = die",
    }[moment]
    script = f"""
import os, signal
from pathlib import Path
from artvcs.vcs.repository import Repository
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
{patch}
Repository(Path({str(folder)!r}))
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == -signal.SIGKILL
    assert problems(folder) == []
    again = Repository(folder)
    assert again.refs().get("tags/a") is not None
    assert [version.number for version in versions(again, "model")] == [1]
    assert incoming(again) == []
    assert problems(folder) == []


def test_a_full_disk_does_not_keep_readers_out(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = put_text(repository, "tags/old", "old")
    killed(folder, LAND)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        assert Repository(folder).store.read(old, "blob") == b"old"
    assert Repository(folder).refs().get("tags/a") is not None
    assert problems(folder) == []


def test_a_passive_reader_changes_nothing(repository: Repository, folder: Path) -> None:
    killed(folder, LAND)
    before = files(folder)
    assert Repository(folder, passive=True).refs().root is None
    assert problems(folder) == []
    assert files(folder) == before


def test_gc_first_publishes_what_a_killed_process_left(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/x", "shared")
    killed(folder, 'put_text_in(transaction, "tags/landed", "shared")\ntransaction.checkpoint()')
    with repository.transaction("now only the landed ref needs it") as transaction:
        transaction.set_ref("tags/x", None)
    gc.collect(repository)
    assert repository.store.read(dict(repository.refs().items())["tags/landed"], "blob") == b"shared"
    assert problems(folder) == []


def test_a_journal_that_cannot_be_understood_keeps_nobody_out(repository: Repository, folder: Path) -> None:
    killed(folder, LAND)
    [journal] = repository.layout.incoming.glob("*.journal")
    journal.write_bytes(b"nonsense\n" * 3)
    again = Repository(folder)
    assert again.refs().root is None
    assert incoming(again) == []


def test_recovery_does_not_depend_on_a_clock_or_a_name(repository: Repository, folder: Path, tmp_path: Path) -> None:
    killed(folder, LAND)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert Repository(copy).refs().get("tags/a") is not None
