"""What steps leave behind beside their outputs, and the hits that run again because a later step needs it.

What becomes of values is told by the stories `left_…` in tests/pipeline/traces/cases.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from artvcs.pipelines.trace.left import whereabouts
from artvcs.pipelines.trace.model import Trace
from artvcs.pipelines.trace.places import Places

PROGRAM = """\
import os
from pathlib import Path

from artvcs import pipeline, step

seen = []

@step
def collect() -> None:
    if os.umask(0o022) == 0o777:  # which nobody watches
        raise RuntimeError("no disk")
    seen.append("a")
    os.chdir("sub")

@step
def count() -> int:
    found = len(seen)
    return found

@pipeline
def flow():
    collect()
    count(after="collect")

if __name__ == "__main__":
    flow()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flow.py").write_text(PROGRAM)
    (tmp_path / "sub").mkdir()
    return tmp_path


def art(folder: Path, *arguments: str, umask: int = 0o022) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from artvcs.cli.main import main; main()", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, umask=umask)


def edit(folder: Path) -> None:
    (folder / "flow.py").write_text(PROGRAM.replace("return found", "return found + 1"))


@pytest.mark.long
def test_a_hit_that_runs_again_says_for_whom(folder: Path) -> None:
    art(folder, "run", "flow.py")
    assert "runs again" not in art(folder, "run", "flow.py").stderr
    edit(folder)
    said = art(folder, "run", "flow.py").stderr
    assert "collect  runs again: count uses what it leaves behind" in said
    assert "value: 2" in art(folder, "show", "flow::count::output").stdout


@pytest.mark.long
def test_one_that_fails_as_it_runs_again_says_so_and_a_second_try_works(folder: Path) -> None:
    art(folder, "run", "flow.py")
    edit(folder)
    failed = art(folder, "run", "flow.py", umask=0o777)
    assert failed.returncode == 1
    assert "'collect' had to run again, for what it leaves behind is used by 'count', and failed: " in failed.stderr
    assert "RuntimeError: no disk" in failed.stderr
    assert art(folder, "run", "flow.py").returncode == 0


WRITES = """\
from pathlib import Path

from artvcs import pipeline, step

@step
def make() -> None:
    for number in range(5):
        Path(f"{number}.txt").write_text("1")
    Path("passing.txt").write_text("1")

@step
def tidy() -> None:
    Path("passing.txt").unlink()

@pipeline
def flow():
    make()
    tidy(after="make")

if __name__ == "__main__":
    flow()
"""


@pytest.mark.long
def test_files_of_hits_that_are_gone_are_named_if_no_step_needs_them(folder: Path) -> None:
    (folder / "flow.py").write_text(WRITES)
    art(folder, "run", "flow.py")
    assert "Gone" not in art(folder, "run", "flow.py").stderr  # what a later step has removed is as it should be
    for number in range(5):
        (folder / f"{number}.txt").unlink()
    said = art(folder, "run", "flow.py").stderr.splitlines()[-1]
    assert said == (
        "Gone, and needed by no step that ran: 0.txt (by make), 1.txt (by make), 2.txt (by make), 2 more; "
        "--no-cache makes them again."
    )
    assert "Gone" not in art(folder, "run", "--no-cache", "flow.py").stderr
    assert (folder / "4.txt").exists()


REPORTS = """\
from pathlib import Path

from artvcs import pipeline, step

@step
def write(count: int) -> None:
    Path("report.txt").write_text(str(count))

@pipeline
def flow(count: int = 1):
    write(count)
"""


@pytest.mark.long
def test_files_of_hits_that_another_run_has_written_are_named_if_no_step_needs_them(folder: Path) -> None:
    (folder / "flow.py").write_text(REPORTS)
    report = folder / "report.txt"
    art(folder, "run", "flow.py")
    assert "From another" not in art(folder, "run", "flow.py", "-p", "count=2").stderr
    said = art(folder, "run", "flow.py").stderr.splitlines()[-1]
    assert said == (
        "From another run, and needed by no step that ran: report.txt (by write); --no-cache writes it again."
    )
    art(folder, "run", "flow.py", "--no-cache")
    assert report.read_text() == "1"
    assert "From another" not in art(folder, "run", "flow.py").stderr
    report.write_text("edited by hand")
    assert "From another" not in art(folder, "run", "flow.py").stderr


def test_a_plan_runs_nothing_again(folder: Path) -> None:
    art(folder, "run", "flow.py")
    edit(folder)
    planned = art(folder, "run", "flow.py", "--plan")
    assert "runs again" not in planned.stderr + planned.stdout
    assert planned.returncode == 0


def test_a_plan_says_what_would_run_again(folder: Path) -> None:
    art(folder, "run", "flow.py")
    edit(folder)
    first, second = art(folder, "run", "flow.py", "--plan").stdout.splitlines()[:2]
    assert first == "again  collect: It would be reused, but 'count' uses what it leaves."
    assert second.startswith("run    count: ")
    assert "2 steps, 1 run again" in art(folder, "run", "flow.py").stdout


def test_a_hit_that_runs_again_is_recorded_as_an_execution(folder: Path) -> None:
    art(folder, "run", "flow.py")
    edit(folder)
    art(folder, "run", "flow.py")
    [run] = json.loads(art(folder, "log", "-n", "1", "--json").stdout)
    assert {name: step["status"] for name, step in run["steps"].items()} == {
        "collect": "completed", "count": "completed"
    }  # fmt: skip
    why = art(folder, "why", "collect").stdout
    assert "It ran again, for 'count' uses what it leaves behind; else its result would have been reused." in why


FAILING = """\
import os
import uuid
from pathlib import Path
from artvcs import pipeline, step

@step
def name() -> str:
    name = uuid.uuid4().hex
    Path("name.txt").write_text(name)
    return name

@step
def check(name: str) -> str:
    if os.umask(0o022) == 0o777:  # which nobody watches
        raise ValueError("broken")
    return name

@step
def use(name: str) -> bool:
    return Path("name.txt").read_text() == name

@pipeline
def flow():
    use(check(name()))
"""


@pytest.mark.long
def test_a_step_that_fails_as_it_is_decided_anew_ends_the_run_as_any_other(folder: Path) -> None:
    (folder / "flow.py").write_text(FAILING)
    assert art(folder, "run", "flow.py").returncode == 0
    (folder / "name.txt").unlink()
    failed = art(folder, "run", "flow.py", umask=0o777)
    assert failed.returncode == 1
    assert "ValueError: broken" in failed.stderr
    [run] = json.loads(art(folder, "log", "-n", "1", "--json").stdout)
    assert [step["status"] for step in run["steps"].values()] == ["completed", "failed", "skipped"]
    assert art(folder, "run", "flow.py").returncode == 0
    assert "value: True" in art(folder, "show", "flow::use::output").stdout


MANY = """\
from pathlib import Path
from artvcs import pipeline, step

@step
def many(count: int) -> None:
    for number in range(count):
        Path(f"{number}.txt").write_text("")
    raise ValueError("after all")

@pipeline
def flow(count: int = 1):
    many(count)
"""


@pytest.mark.long
@pytest.mark.parametrize(("count", "told"), [(2, 2), (1001, 0)])
def test_a_record_tells_only_so_many_files_that_a_failed_step_left(folder: Path, count: int, told: int) -> None:
    (folder / "flow.py").write_text(MANY)
    assert art(folder, "run", "flow.py", "-p", f"count={count}").returncode == 1
    asking = (
        "from artvcs import Client; [run] = Client().list_pipeline_runs(); print(len(run.steps['many'].record.left))"
    )
    done = subprocess.run([sys.executable, "-c", asking], cwd=folder, capture_output=True, text=True)
    assert done.stdout == f"{told}\n"


REMOVING = """\
import os
import shutil
from pathlib import Path
from artvcs import pipeline, step

@step
def remove() -> None:
    Path("out/sub").mkdir(parents=True)
    Path("out/sub/a.txt").write_text("")
    shutil.rmtree("out")
    Path("kept").mkdir()
    folder = os.open("kept", os.O_RDONLY)
    os.mkdir("made", dir_fd=folder)
    os.rename("made", "named", src_dir_fd=folder, dst_dir_fd=folder)
    os.symlink("named", "link", dir_fd=folder)
    os.close(folder)
    raise ValueError("after all")

@pipeline
def flow():
    remove()
"""


def test_what_is_named_from_an_open_folder_is_in_that_folder(folder: Path) -> None:
    """As `shutil.rmtree` does: what has the same name where the process works is none of it."""
    (folder / "flow.py").write_text(REMOVING)
    (folder / "a.txt").write_text("")
    assert art(folder, "run", "flow.py").returncode == 1
    asking = "from artvcs import Client; [run] = Client().list_pipeline_runs(); print(*run.steps['remove'].record.left)"
    done = subprocess.run([sys.executable, "-c", asking], cwd=folder, capture_output=True, text=True)
    assert done.stdout.split() == [
        *("./kept", "./kept/link", "./kept/made", "./kept/named"),
        *("./out", "./out/sub", "./out/sub/a.txt"),
    ]


LEAVING = """\
import os
from pathlib import Path
from artvcs import pipeline, step
FOUND = {}

@step
def leave(n: int) -> None:
    os.environ["RATE"] = FOUND["rate"] = str(n)
    Path("rate.txt").write_text(str(n))

@step
def use() -> str:
    return os.environ["RATE"] + FOUND["rate"] + Path("rate.txt").read_text()

@pipeline
def flow(n: int = 1):
    leave(n)
    use(after="leave")
"""


@pytest.mark.long
def test_a_plan_knows_what_a_hit_would_leave(folder: Path) -> None:
    (folder / "flow.py").write_text(LEAVING)
    art(folder, "run", "flow.py", "-p", "n=1")
    art(folder, "run", "flow.py", "-p", "n=2")
    plan = art(folder, "run", "flow.py", "-p", "n=1", "--plan").stdout.splitlines()
    assert [line.split(":")[0].split() for line in plan[:-1]] == [["again", "leave"], ["reuse", "use"]]
    assert plan[-1].startswith("About ")  # so long, by how long it took
    assert (folder / "rate.txt").read_text() == "2"
    art(folder, "run", "flow.py", "-p", "n=1")
    assert (folder / "rate.txt").read_text() == "1"


def test_a_strangers_trace_leads_nowhere_out_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    (project / "lib").mkdir(parents=True)
    (project / "link").symlink_to(tmp_path)
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before, places = list(sys.path), Places(str(project), str(project / ".artifacts"))
    for outside in ("..", "link", str(tmp_path), "missing", "\0"):
        left = {"working directory": {outside: "here"}, "sys.path": {outside: "first"}}
        whereabouts.take(Trace(left=left), places)
    assert (sys.path, os.getcwd()) == (before, str(project))
    whereabouts.take(Trace(left={"working directory": {"lib": "here"}, "sys.path": {"lib": "last"}}), places)
    assert (sys.path[-1], os.getcwd()) == (str(project / "lib"), str(project / "lib"))


SEEDED = """\
import random
from artvcs import pipeline, step
SEEN = {}

@step
def seed(n: int) -> int:
    SEEN["n"] = n
    random.seed(n)
    return n

@step
def draw(n: int) -> list[float]:
    return [SEEN.get("n", 0), random.random()]

@pipeline
def flow():
    draw(seed(5))
"""


@pytest.mark.long
def test_a_hit_that_runs_again_seeds_again(folder: Path) -> None:
    """What it leaves of random numbers is known after that as it was before."""
    (folder / "flow.py").write_text(SEEDED)
    art(folder, "run", "flow.py", "-j", "2")
    assert "seed  runs again" in art(folder, "run", "flow.py").stderr
    again = art(folder, "run", "flow.py")
    assert "2 reused" in again.stdout
    assert "runs again" not in again.stderr
