"""Two runs of the same step at the same time: one executes it, the other waits and takes the result.

The step ends when it is given a line.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from artvcs.pipelines.cache.claims import Claims
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import Layout
from artvcs.vcs.upkeep.check import fsck

KEY = Oid("ab" * 32)

SCRIPT = """
import sys
from pathlib import Path
from artvcs import pipeline, step

@step
def work(n: int) -> int:
    with open("executed", "a") as file:
        file.write("x")
    sys.stdin.readline()
    if Path("fail").exists() and not Path("failed").exists():
        Path("failed").touch()
        raise ValueError("the first fails")
    return n

@pipeline
def shared(n: int = 1):
    work(n)

if __name__ == "__main__":
    print(shared().steps["work"].status)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared.py").write_text(SCRIPT)
    Repository.init(tmp_path / ".artifacts")
    return tmp_path


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "shared.py", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def wait_until_claimed(folder: Path) -> None:
    import time

    deadline = time.time() + 20
    while not (folder / "executed").exists() and time.time() < deadline:
        time.sleep(0.01)


def test_the_second_takes_the_first_ones_result(folder: Path) -> None:
    first = start(folder)
    wait_until_claimed(folder)
    second = start(folder)
    assert first.communicate("\n")[0].strip() == "completed"
    assert second.communicate("\n")[0].strip() == "cached"
    assert (folder / "executed").read_text() == "x"
    assert list(fsck.fsck(folder / ".artifacts")) == []


@pytest.mark.long
def test_who_waits_long_says_for_which_process(folder: Path) -> None:
    first = start(folder)
    wait_until_claimed(folder)
    command = [sys.executable, "-c", "from artvcs.cli.main import main; main()", "run", "shared.py"]
    second = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert second.stderr is not None
    line = second.stderr.readline()
    assert f"waiting for another run in process {first.pid} that executes it" in line
    assert first.communicate("\n")[0].strip() == "completed"
    assert "cached" in second.communicate("\n")[1]


def test_when_the_first_fails_the_second_executes(folder: Path) -> None:
    (folder / "fail").touch()
    first = start(folder)
    wait_until_claimed(folder)
    second = start(folder)
    assert "the first fails" in first.communicate("\n")[1]
    assert second.communicate("\n")[0].strip() == "completed"


def test_when_the_first_is_killed_the_second_executes(folder: Path) -> None:
    first = start(folder)
    wait_until_claimed(folder)
    second = start(folder)
    first.kill()
    first.communicate()
    assert second.communicate("\n")[0].strip() == "completed"


def test_a_claim_is_given_up_when_its_result_is_published(tmp_path: Path) -> None:
    layout = Repository.init(tmp_path / ".artifacts").layout
    ours, theirs = Claims(layout), Claims(layout)
    assert ours.take(KEY)
    assert not theirs.take(KEY)
    ours.published()  # before its result landed: not this one
    assert not theirs.take(KEY)
    ours.landed(KEY)
    ours.published()
    assert theirs.take(KEY)
    theirs.close()
    assert ours.take(KEY)
    ours.close()


class Machines:
    """Other machines, one of which may execute something."""

    def __init__(self, *, busy: bool = False) -> None:
        self.busy = busy
        self.asked = list[str]()

    def take(self, key: Oid) -> bool:
        self.asked.append("take")
        return not self.busy

    def ended(self, key: Oid) -> None:
        self.asked.append("ended")

    def bring(self) -> None:
        self.asked.append("bring")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Repository.init(tmp_path / ".artifacts").layout


def claims(layout: Layout, elsewhere: Machines) -> Claims:
    found = Claims(layout)
    found.elsewhere = elsewhere
    return found


def test_other_machines_are_told_when_it_has_ended(layout: Layout) -> None:
    others = Machines()
    ours = claims(layout, others)
    assert ours.take(KEY)
    assert ours.take(KEY)
    ours.bring(KEY)  # nobody was at it: there is nothing to bring
    ours.landed(KEY)
    ours.published()
    assert others.asked == ["take", "ended"]
    assert ours.take(KEY, shared=False)
    assert others.asked == ["take", "ended"]


@pytest.mark.long
def test_what_another_machine_executes_is_left_to_it_and_brought(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = Machines(busy=True)
    ours, beside = claims(layout, others), Claims(layout)
    assert not ours.take(KEY)
    assert beside.take(KEY)  # another run here may wait for it in its own way
    beside.close()
    others.busy = False
    assert not ours.take(KEY)  # it was asked a moment ago
    monkeypatch.setattr("artvcs.pipelines.cache.claims._AGAIN", 0.0)
    said = list[int | None]()
    ours.wait(KEY, said.append)
    assert said == [None]
    ours.bring(KEY)
    assert others.asked == ["take", "take", "bring"]


def test_after_waiting_here_other_machines_are_asked(layout: Layout) -> None:
    others = Machines()
    ours = claims(layout, others)
    ours.wait(KEY, print)
    assert ours.take(KEY)
    assert others.asked == ["take"]
