"""What each verb prints, for people and as JSON."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from blake3 import blake3

from artvcs.cli import main

from .conftest import Art, Once


@pytest.fixture
def ran(art: Art, once: Once) -> Art:
    """Two runs: the second with another count."""

    def make() -> None:
        assert art("run", "adding.py").code == 0
        assert art("run", "adding.py", "-p", "count=4").code == 0

    once("ran", make)
    return art


def test_init_makes_a_repository_that_git_ignores(art: Art, project: Path) -> None:
    assert "Made an artifact repository" in art("init").out
    assert (project / ".artifacts" / ".gitignore").read_text().endswith("*\n")
    assert "There is already" in art("init").out


def test_run_tells_each_step_and_what_was_made(art: Art) -> None:
    art("init")
    first = art("run", "adding.py")
    assert [line.split()[1:3] for line in first.err.splitlines()] == [
        ["numbers", "completed"], ["total", "completed"], ["unnamed", "completed"],
    ]  # fmt: skip
    assert "counting" in first.out
    assert "made numbers@1, total@1" in first.out
    second = art("run", "adding.py")
    assert [line.split()[1:3] for line in second.err.splitlines()] == [
        ["numbers", "cached"], ["total", "cached"], ["unnamed", "cached"],
    ]  # fmt: skip
    assert "3 steps, 3 reused" in second.out


def test_run_quietly_says_nothing_of_its_own(art: Art) -> None:
    done = art("-q", "run", "adding.py")
    assert (done.out, done.err) == ("counting\n", "")


def test_run_without_the_cache_runs_all(ran: Art) -> None:
    steps = ran("run", "adding.py", "--no-cache", "--json").out
    assert "cached" not in steps


def test_run_as_json(art: Art) -> None:
    document = art("-q", "run", "adding.py", "-p", "count=2", "-p", "label=y", "--json")
    assert document.err == "counting\n", "what steps print is no part of the document"
    run = document.json
    assert run["status"] == "completed"
    assert run["parameters"] == {"count": 2, "label": "y"}
    assert run["steps"]["total"]["outputs"] == {"total": "total@1"}


def test_run_plan_says_what_would_run_and_why(ran: Art) -> None:
    plan = ran("run", "adding.py", "-p", "count=9", "--plan").out
    assert plan.splitlines()[:2] == [
        "run    numbers: Since its last execution a parameter changed.",
        "  parameter count: 4 → 9",
    ]
    assert [each["action"] for each in ran("run", "adding.py", "--plan", "--json").json] == ["reuse"] * 3


def test_why_names_the_parameter(ran: Art) -> None:
    assert "parameter count: 3 → 4" in ran("why", "numbers").out
    [reason] = ran("why", "numbers", "--json").json["reasons"]
    assert (reason["kind"], reason["subject"], reason["old"], reason["new"]) == ("parameter", "count", "3", "4")


def test_why_shows_the_changed_code(ran: Art, project: Path) -> None:
    file = project / "adding.py"
    file.write_text(file.read_text().replace("FACTOR = 10", "FACTOR = 100"))
    ran("run", "adding.py", "-p", "count=4")
    out = ran("why", "total").out
    assert "-FACTOR = 10" in out
    assert "+FACTOR = 100" in out
    assert "all of its code could be followed" in ran("why", "total", "--code").out


def test_log_lists_runs_newest_first(ran: Art) -> None:
    lines = ran("log").out.splitlines()
    assert "count=4" in lines[1]
    assert sum(line.startswith("run adding-") for line in lines) == 2
    assert len(ran("log", "-n", "1", "--json").json) == 1
    assert len(ran("log", "--oneline").out.splitlines()) == 3


def test_log_of_an_artifact_walks_back_to_the_raw_data(ran: Art) -> None:
    history = ran("log", "total", "--json").json
    assert [entry["step"] for entry in history] == ["total", "numbers", "total", "numbers"]
    assert history[0]["parents"] == [history[1]["commit"]]
    assert history[0]["made"] == ["total@2"]
    assert history[0]["metadata"] == {"values": 4}
    assert [entry["made"] for entry in ran("log", "total@1", "--json").json] == [["total@1"], ["numbers@1"]]


def test_log_as_a_graph(ran: Art) -> None:
    lines = ran("log", "total", "--graph", "--oneline").out.splitlines()
    assert [line[:4] for line in lines] == [
        "* " + lines[0][2:4],
        "* " + lines[1][2:4],
        "* " + lines[2][2:4],
        "* " + lines[3][2:4],
    ]
    assert "(total@2)" in lines[0]


def test_log_of_a_commit_by_the_start_of_its_id(ran: Art) -> None:
    commit = ran("log", "total", "--json").json[0]["commit"]
    assert [entry["step"] for entry in ran("log", commit[:10], "--json").json] == ["total", "numbers"]


def test_show_an_artifact(ran: Art) -> None:
    out = ran("show", "total").out
    for expected in ("artifact total@2", "int (artvcs.scalar)", "values = numbers@2", "unnamed (adding)", "value.json"):
        assert expected in out
    document = ran("show", "total@1", "--json").json
    assert document["inputs"] == {"values": ["numbers@1"]}
    assert document["metadata"] == {"value": 30}
    assert set(document["files"]) == {"value.json"}


def test_show_a_run_a_commit_and_objects(ran: Art) -> None:
    run = ran("log", "--json").json[0]
    assert "total@2" in ran("show", run["name"]).out
    assert ran("show", run["id"][:6], "--json").json["name"] == run["name"]
    commit = run["steps"]["total"]["commit"]
    assert f"commit {commit}" in ran("show", commit[:12]).out
    version = ran("show", "total", "--json").json
    assert ran("show", version["id"][:12]).out.startswith("artifact total@2")
    blob = version["files"]["value.json"]["id"]
    assert ran("show", blob).out.startswith(f"blob {blob}")


def test_ls_lists_the_newest_version_of_each_artifact(ran: Art) -> None:
    names = {row["name"]: row["version"] for row in ran("ls", "--json").json}
    assert names == {"adding::unnamed::output": "2", "numbers": "2", "total": "2"}
    assert [row["version"] for row in ran("ls", "total", "--json").json] == ["1", "2"]
    assert [row["version"] for row in ran("ls", "total", "--where", "value > 30", "--json").json] == ["2"]
    assert "total@2" in ran("ls").out


def test_cat_writes_the_file_as_it_is(ran: Art) -> None:
    assert ran("cat", "total@1").out == "30"
    assert ran("cat", "total:value.json").out == "60"
    assert "has no file 'other'" in ran("cat", "total:other").err


def test_cat_file(ran: Art) -> None:
    artifact = ran("ls", "total", "--json").json[0]["id"]
    assert ran("cat-file", "-t", artifact[:12]).out == "artifact\n"
    assert ran("cat-file", "-p", artifact[:12]).json["type"] == "builtins.int"
    assert int(ran("cat-file", "-s", artifact[:12]).out) > 100


def test_add_prints_the_id_that_b3sum_prints(art: Art, project: Path) -> None:
    art("init")
    (project / "data.bin").write_bytes(b"some data" * 100)
    done = art("add", "data.bin", "--name", "data", "--version", "1.0", "--tag", "raw")
    assert done.out == f"{blake3(b'some data' * 100).hexdigest()}  data.bin\n"
    assert done.err == f"stored as data@1.0, artifact {art('ls', 'data', '--json').json[0]['id'][:12]}\n"
    assert art("ls", "data", "--json").json[0]["tags"] == ["raw"]
    assert art("cat", "data").out == "some data" * 100


def test_rm_says_what_it_would_delete(art: Art, project: Path) -> None:
    assert art("run", "adding.py").code == 0
    art("add", "adding.py", "--name", "code")
    run = art("log", "--json").json[0]["name"]
    assert art("rm", "code@1", "--dry-run").out.startswith("Would delete code@1 (")
    assert art("rm", run, "-n").out.startswith(f"Would delete the record of {run} (")
    assert "used by the run" in art("rm", "total@1", "--dry-run").err
    assert (len(art("log", "--json").json), len(art("ls", "code", "--json").json)) == (1, 1)
    assert art("rm", "code@1").code == 0  # nobody sits there who could be asked
    assert "There is no artifact named 'code'" in art("ls", "code").err


def test_rm_takes_no_word_that_is_another_run_tomorrow(art: Art, project: Path) -> None:
    for _ in range(2):
        assert art("run", "adding.py", "--no-cache").code == 0
    names = [run["name"] for run in art("log", "--json").json]
    for word in ("HEAD", "adding~1"):
        done = art("rm", word)
        assert done.code == 3
        assert f"A run is deleted by its name or id, and {word!r} may be another tomorrow; now it is " in done.err
        assert names[0 if word == "HEAD" else 1] in done.err
    assert len(art("log", "--json").json) == 2


def test_add_and_check_out_a_folder(art: Art, project: Path) -> None:
    (project / "folder" / "sub").mkdir(parents=True)
    (project / "folder" / "sub" / "b.txt").write_text("b")
    (project / "folder" / "a.txt").write_text("a")
    tree = art("add", "folder", "--name", "things").out.split()[0]
    assert art("cat-file", "-t", tree).out == "tree\n"
    assert art("checkout", "things", "-o", "copy").code == 0
    assert (project / "copy" / "sub" / "b.txt").read_text() == "b"
    assert "already" in art("checkout", "things", "-o", "copy").out
    assert art("cat", "things:sub/b.txt").out == "b"


def test_checkout_never_overwrites_edits(art: Art, project: Path) -> None:
    (project / "data.txt").write_text("one")
    art("add", "data.txt", "--name", "data")
    (project / "data.txt").write_text("two")
    art("add", "data.txt", "--name", "data")
    assert art("checkout", "data@1").code == 0, "two is stored, so it may go"
    assert (project / "data.txt").read_text() == "one"
    (project / "data.txt").write_text("edited")
    refused = art("checkout", "data@2")
    assert refused.code == 7
    assert (project / "data.txt").read_text() == "edited"


def test_status(ran: Art) -> None:
    assert "3 artifacts, 6 versions, 2 runs" in ran("status").out
    assert ran("status", "--json").json["versions"] == 6


def test_fsck_names_what_is_wrong(ran: Art, project: Path) -> None:
    assert ran("fsck").code == 0
    pack = max((project / ".artifacts" / "ops").iterdir())
    data = bytearray(pack.read_bytes())
    data[len(data) // 3] ^= 4
    pack.write_bytes(data)
    damaged = ran("fsck")
    assert damaged.code == 5
    assert pack.name in damaged.out
    assert ran("fsck", "--json").json


def test_gc_says_what_goes_and_frees_it(ran: Art) -> None:
    ran("rm", ran("log", "--json").json[-1]["name"])
    ran("prune")
    planned = ran("gc", "--dry-run", "--json").json
    assert planned["dead"] > 0
    assert ran("gc", "--json").json["dead"] >= planned["dead"]
    again = ran("gc", "--dry-run", "--json").json
    assert again["dead"] == 0
    assert ran("cat", "total").out == "60"


def test_deleting_a_run_and_pruning_what_only_it_used(ran: Art) -> None:
    oldest = ran("log", "--json").json[-1]
    assert ran("rm", "total@1").code == 1
    assert ran("rm", oldest["name"]).code == 0
    planned = {(row["name"], row["version"]) for row in ran("prune", "--dry-run", "--json").json}
    assert planned == {("numbers", "1"), ("total", "1"), ("adding::unnamed::output", "1")}
    assert "3 versions gone" in ran("prune").out
    assert [row["version"] for row in ran("ls", "total", "--json").json] == ["2"]


def test_data_that_was_pruned_is_said_to_be(ran: Art) -> None:
    assert ran("rm", ran("log", "--json").json[-1]["name"]).code == 0
    assert ran("prune", "--only-artifact").code == 0
    assert ran("gc", "--max-unused", "0").code == 0
    for verb in ("cat", "checkout"):
        done = ran(verb, "total@1")
        assert done.code == 3
        assert "The data of total@1 was pruned; run its pipeline again to make it anew." in done.err


def test_another_folder_with_c(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "inner").mkdir()
    assert art("-C", "inner", "init").code == 0
    assert (project / "inner" / ".artifacts").is_dir()


@pytest.mark.parametrize("verb", ["run", "log", "show", "ls", "cat", "checkout", "why", "prune"])
def test_help_has_an_example(art: Art, verb: str) -> None:
    out = art(verb, "--help").out
    assert f"art {verb}" in out.partition("Example:")[2]


def test_help_lists_the_verbs_of_each_room(art: Art) -> None:
    sections = art("--help").out.split("\n\n")
    rooms = Path(main.__file__).parent / "commands"
    for room in ("working", "looking", "upkeep"):
        [listed] = [section.splitlines()[1:] for section in sections if section.startswith(f"{room.capitalize()}:")]
        verbs = [path for path in (rooms / room).glob("[a-z]*") if path.suffix in ("", ".py")]
        modules = {path.stem.rstrip("_").replace("_", "-") for path in verbs}
        assert {line.split()[0] for line in listed} == modules


@pytest.mark.long
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_stop_nothing(art: Art, project: Path, closed: str) -> None:
    """As daemons and some schedulers have them."""
    (project / "a.txt").write_text("a")
    art("init")
    code = "import sys; from artvcs.cli.main import run; sys.exit(run(sys.argv[1:]))"
    words = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    for verb, expected in (("add a.txt --name a", 0), ("ls", 0), ("show a", 0), ("show nothing", 3)):
        assert subprocess.run(f"{words} {verb} {closed}", shell=True, cwd=project, check=False).returncode == expected
    assert [each["name"] for each in art("ls", "--json").json] == ["a"]


def test_init_makes_it_where_the_environment_says(
    art: Art, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTVCS_DIR", str(tmp_path / "store"))
    assert art("ls").code == 4
    art("init")
    assert art("ls").code == 0
    assert not (project / ".artifacts").exists()


def test_an_empty_path_is_no_path(art: Art, project: Path) -> None:
    (project / "a.txt").write_text("a")
    art("add", "a.txt", "--name", "a")
    for words in (["add", "", "--name", "x"], ["checkout", "a", "-o", ""]):
        refused = art(*words)
        assert refused.code == 2
        assert "empty" in refused.err


def test_a_run_tells_what_is_new_from_what_was_made_again(art: Art, project: Path) -> None:
    assert "made numbers@1, total@1" in art("run", "adding.py").out
    again = art("run", "adding.py", "--no-cache").out
    assert "made again numbers@1, total@1" in again
    assert "\nmade numbers" not in again


def test_a_step_that_is_asked_for_as_an_artifact_is_told_to_be_one(art: Art, project: Path) -> None:
    art("run", "adding.py")
    refused = art("show", "unnamed")
    assert refused.code == 3
    assert "'unnamed' is a step" in refused.err
    assert "`art why unnamed`" in refused.err
    assert "adding::unnamed::output" in refused.err


CLOCK = """
import time
from artvcs import CachePolicy, pipeline, step

@step(cache=CachePolicy(unverified="forbid"))
def now() -> float:
    return time.time()

@pipeline
def telling():
    now()
"""


def test_what_a_policy_forbids_is_said_when_the_step_runs_and_afterwards(art: Art, project: Path) -> None:
    (project / "telling.py").write_text(CLOCK.replace('cache=CachePolicy(unverified="forbid")', ""))
    art("run", "telling.py")
    (project / "telling.py").write_text(CLOCK)
    forbidden = "it used the clock, by time.time, which its CachePolicy forbids"
    assert "now  completed" in art("run", "telling.py").err
    why = art("why", "now").out
    assert "because its CachePolicy forbids the result of the run" in why
    assert forbidden in why
    assert "nothing → nothing" not in why
    done = art("run", "telling.py")
    assert done.err.count(forbidden) == 1
