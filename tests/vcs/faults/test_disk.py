"""A file system that is really full, and one whose power is really cut."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from gc import collect as collect_objects
from pathlib import Path

import pytest

from artvcs.vcs.errors import DiskFull
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import op_name
from artvcs.vcs.storage.packs.pack import FIRST_SIZE
from artvcs.vcs.upkeep import gc
from artvcs.vcs.upkeep.mend.repair import repair

from ..helpers import packs, problems, put_text, random_text, tags
from . import checkouts, scenarios
from .inject import killing, nearly_all, needs_strace, run, watch

pytestmark = pytest.mark.faults

SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2


def mount(*arguments: object) -> None:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mounting is not possible here: {done.stderr.strip()}")


def unmount(folder: Path) -> None:
    collect_objects()  # what this process still has mapped keeps the disk busy
    subprocess.run(["umount", folder], check=True, capture_output=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # a failure's traceback may keep files open


def test_a_full_disk_loses_nothing_and_can_be_gone_on_with(small_disk: Path) -> None:
    folder = small_disk / ".artifacts"
    repository = Repository.init(folder)
    stored = [put_text(repository, "tags/first", "first")]
    with pytest.raises(DiskFull, match="nothing stored is lost"):
        for number in range(1000):
            with repository.transaction("fill") as transaction:
                stored.append(transaction.put_blob(os.urandom(50_000)))
                transaction.set_ref(f"tags/{number}", stored[-1])
    stored.pop()
    assert problems(folder) == []
    again = Repository(folder)  # can be opened and read while the disk is full
    assert [oid for oid in stored if not again.store.has(oid)] == []
    mount("-o", "remount,size=2m", small_disk)
    put_text(again, "tags/last", "there is room again")
    assert problems(folder) == []
    assert again.store.read(stored[0], "blob") == b"first"


def fill_up(disk: Path) -> None:
    """Takes all space that is left, to the last page."""
    with suppress(OSError), (disk / "full").open("wb") as file:
        while True:
            file.write(bytes(4096))
            file.flush()
    found = os.statvfs(disk)
    assert found.f_bavail == 0


def test_at_zero_bytes_something_can_be_deleted_and_its_space_is_free_again(small_disk: Path) -> None:
    mount("-o", "remount,size=4m", small_disk)
    folder = small_disk / ".artifacts"
    repository = Repository.init(folder)
    put_text(repository, "tags/dead", random_text(1))
    put_text(repository, "tags/half/dead", random_text(2))
    kept = put_text(repository, "tags/half/kept", random_text(3))
    for number in range(30):
        put_text(repository, "tags/a", str(number))
    fill_up(small_disk)
    with pytest.raises(DiskFull):
        put_text(repository, "tags/new", random_text(4))
    repository.store.files.close()  # type: ignore[attr-defined]  # what a process has open takes space though deleted
    again = Repository(folder)
    assert again.store.read(kept, "blob").decode() == random_text(3)
    with again.freeing(), again.transaction("delete") as transaction:
        for ref in ("tags/dead", "tags/half/dead"):
            transaction.set_ref(ref, None)
    done = gc.collect(again)
    free = os.statvfs(small_disk)
    assert free.f_bavail * free.f_frsize > 400_000
    assert len(done.deleted) > 1
    assert problems(folder) == []
    put_text(Repository(folder), "tags/new", "there is room again")
    assert Repository(folder).store.read(kept, "blob").decode() == random_text(3)


FLOW = """
import random
from artvcs import pipeline, step

@step
def noise(seed: int) -> str:
    return random.Random(seed).randbytes(600_000).hex()

@pipeline
def making(seed: int):
    noise(seed)
"""


def art(project: Path, *arguments: str, code: int = 0) -> str:
    """Runs `art`, which must end with this code; returns what it wrote."""
    done = subprocess.run(
        [Path(sys.executable).with_name("art"), *arguments], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize("ways", [["rm RUN", "prune", "gc"], ["rm data@1", "gc"], ["prune --include-manual", "gc"]])
def test_at_zero_bytes_rm_prune_and_gc_work_and_free_it(small_disk: Path, tmp_path: Path, ways: list[str]) -> None:
    """Also with a catalog that is not up to date, and that cannot be written either."""
    mount("-o", "remount,size=8m", small_disk)
    art(small_disk, "init")
    (small_disk / "flow.py").write_text(FLOW)
    (tmp_path / "data").write_bytes(os.urandom(600_000))
    for seed in (1, 2):
        art(small_disk, "run", "flow.py", "-p", f"seed={seed}")
    art(small_disk, "add", str(tmp_path / "data"), "--name", "data")
    [_, oldest] = json.loads(art(small_disk, "log", "--json"))
    fill_up(small_disk)
    art(small_disk, "run", "flow.py", "-p", "seed=3", code=6)
    for way in ways:
        art(small_disk, *way.replace("RUN", oldest["name"]).split())
    free = os.statvfs(small_disk)
    assert free.f_bavail * free.f_frsize > 400_000  # and what is kept back for the next time
    assert problems(small_disk / ".artifacts") == []
    assert json.loads(art(small_disk, "cat", "making::noise::output")) == random_text(2, 600_000)
    art(small_disk, "add", "flow.py", "--name", "flow")


@pytest.mark.parametrize("pages", range(8))
def test_with_hardly_any_space_nothing_is_lost_whatever_is_tried(small_disk: Path, pages: int) -> None:
    mount("-o", "remount,size=2m", small_disk)
    folder = small_disk / ".artifacts"
    repository = Repository.init(folder)
    kept = put_text(repository, "tags/kept", random_text(1, 300_000))
    put_text(repository, "tags/dead", random_text(2, 300_000))
    (small_disk / "spare").write_bytes(bytes(4096 * pages))
    fill_up(small_disk)
    (small_disk / "spare").unlink()
    for attempt in range(3):
        with suppress(DiskFull):
            put_text(repository, f"tags/{attempt}", "small")
        with suppress(DiskFull), repository.freeing(), repository.transaction("delete") as transaction:
            transaction.set_ref("tags/dead", None)
        with suppress(DiskFull):
            gc.collect(repository)
        assert problems(folder) == []
    again = Repository(folder)
    assert again.store.read(kept, "blob").decode() == random_text(1, 300_000)
    assert "tags/dead" not in tags(again)


@pytest.fixture
def disk(tmp_path: Path, few_objects: None) -> Iterator[Disk]:
    if os.getuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("only root can mount an ext4 of its own")
    made = Disk(tmp_path)
    yield made
    with suppress(subprocess.CalledProcessError):
        unmount(made.folder)


class Disk:
    """An ext4 in a file, whose power can be cut."""

    def __init__(self, tmp_path: Path) -> None:
        self.image, self.folder = tmp_path / "image", tmp_path / "disk"
        self.folder.mkdir()
        with self.image.open("wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)
        self.start()

    def start(self) -> None:
        mount("-o", "loop", self.image, self.folder)

    def sync(self) -> None:
        """Makes all that is on it durable, and nothing of other disks."""
        subprocess.run(["sync", "--file-system", self.folder], check=True)

    def cut_power(self) -> None:
        """What was not made durable is gone; then the machine starts again."""
        fd = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(fd)
        unmount(self.folder)
        self.start()


@pytest.mark.parametrize("times", range(5))
def test_what_was_published_survives_a_power_cut(disk: Disk, times: int) -> None:
    folder = disk.folder / ".artifacts"
    scenarios.prepare(folder)
    for _ in range(times + 1):
        outcome = run(lambda say: scenarios.publish(folder, say))
        assert outcome.said[-1] == "published tags/c"
        disk.cut_power()
        assert problems(folder) == []
        scenarios.check_promises(folder, outcome, landed=False)
    scenarios.check_second_try(folder)


def test_what_had_only_landed_is_recovered_or_gone_but_never_torn(disk: Disk) -> None:
    folder = disk.folder / ".artifacts"
    scenarios.prepare(folder)
    disk.sync()
    outcome = run(lambda say: scenarios.publish(folder, say), "fsync:signal=KILL:when=1")
    assert outcome.killed
    disk.cut_power()
    assert problems(folder) == []
    scenarios.check_promises(folder, outcome, landed=False)
    scenarios.check_second_try(folder)


CHANGING = (
    "rename",
    "renameat2",
    "link",
    "fsync",
    "syncfs",
    "write",
    "pwrite64",
    "ftruncate",
    "unlink",
    "unlinkat",
    "mkdir",
)


@needs_strace
@pytest.mark.parametrize("work", [scenarios.publish, scenarios.collect], ids=["publish", "collect"])
def test_power_is_cut_in_every_state(disk: Disk, work: scenarios.Work) -> None:
    template, folder = disk.image.with_name("template"), disk.folder / ".artifacts"
    scenarios.prepare(template)
    work(scenarios.copy(template, template.with_name("warm")), lambda _: None)
    scenarios.copy(template, folder)
    injections = killing(watch(lambda say: work(folder, say), syncs=True), CHANGING)
    assert len(injections) > 40
    killed = 0
    for injection in injections:
        scenarios.copy(template, folder)
        disk.sync()
        outcome = run(lambda say: work(folder, say), injection)
        killed += outcome.killed
        disk.cut_power()
        assert problems(folder) == [], injection
        scenarios.check_promises(folder, outcome, landed=False)
        scenarios.check_second_try(folder)
    assert nearly_all(killed, injections)


def test_what_was_checked_out_survives_a_power_cut(disk: Disk) -> None:
    checkouts.prepare(disk.folder)
    disk.sync()
    for target in checkouts.NAMES:
        outcome = run(lambda say, target=target: checkouts.checkout(disk.folder, target, say))  # type: ignore[misc]
        disk.cut_power()
        assert outcome.said == [f"new {target}"]
        checkouts.check(disk.folder, target, outcome.said)


@needs_strace
@pytest.mark.parametrize("target", list(checkouts.NAMES))
def test_power_is_cut_in_every_state_of_a_checkout(disk: Disk, target: str) -> None:
    template, folder = disk.image.with_name("template"), disk.folder / "project"
    checkouts.prepare(template)
    checkouts.checkout(scenarios.copy(template, template.with_name("warm")), target, lambda _: None)
    scenarios.copy(template, folder)
    injections = killing(watch(lambda say: checkouts.checkout(folder, target, say), syncs=True), CHANGING)
    assert len(injections) > 10
    killed = 0
    for injection in injections:
        scenarios.copy(template, folder)
        disk.sync()
        outcome = run(lambda say: checkouts.checkout(folder, target, say), injection)
        killed += outcome.killed
        disk.cut_power()
        checkouts.check(folder, target, outcome.said)
        checkouts.check_second_try(folder, target)
    assert nearly_all(killed, injections)


def test_a_full_disk_is_repaired_as_far_as_that_needs_no_space(small_disk: Path) -> None:
    """The newest op is damaged, so that nobody can publish, and a pack, of which nothing can be copied."""
    folder = small_disk / ".artifacts"
    repository = Repository.init(folder)
    put_text(repository, "tags/large", random_text(1))
    put_text(repository, "tags/lost", "lost")
    for path, place in ((packs(folder)[0], 10), (folder / op_name(3), FIRST_SIZE + 5)):
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)
    with suppress(OSError), open(small_disk / "full", "wb") as file:
        while True:
            file.write(b"x" * 4096)
            file.flush()
    done = repair(folder)
    assert "disk" in [problem.where for problem in done.done]
    again = Repository(folder)
    assert again.store.read(tags(again)["tags/large"], "blob") == random_text(1).encode()
    (small_disk / "full").unlink()
    repair(folder)
    assert problems(folder) == []
    again = Repository(folder)
    assert again.store.read(tags(again)["tags/large"], "blob") == random_text(1).encode()
    put_text(again, "tags/new", "new")
