"""Data that one edits: `art status` notices it, `art add -u` stores it, `artifacts.lock` pins it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from artvcs.vcs.storage.packs import chunking
from artvcs.vcs.worktree import comparing

from ..conftest import Art


@pytest.fixture
def data(art: Art, project: Path) -> Path:
    """A folder that was added as `raw`."""
    folder = project / "data"
    (folder / "sub").mkdir(parents=True)
    for number in range(300):
        (folder / f"{number:03}.csv").write_text(f"{number}\n")
    (folder / "sub" / "deep.csv").write_text("deep\n")
    assert art("add", "data", "--name", "raw").code == 0
    return folder


def edits(art: Art) -> list[dict[str, object]]:
    found: list[dict[str, object]] = art("status", "--json").json["data"]
    return found


def test_nothing_was_edited(art: Art, data: Path) -> None:
    assert edits(art) == []
    assert art("add", "-u").out == "Nothing was edited.\n"


def test_what_was_edited_added_and_deleted_is_listed(art: Art, data: Path) -> None:
    (data / "007.csv").write_text("other\n")
    (data / "new.csv").write_text("new\n")
    (data / "sub" / "deep.csv").unlink()
    assert edits(art) == [{
        "path": "data", "version": "raw@1", "changed": ["007.csv"], "added": ["new.csv"], "deleted": ["sub/deep.csv"],
        "error": None,
    }]  # fmt: skip
    shown = art("status").out
    assert "data (raw@1) was edited: 1 changed, 1 added, 1 deleted\n" in shown
    assert "  changed  data/007.csv\n  added    data/new.csv\n  deleted  data/sub/deep.csv\n" in shown
    assert "`art add -u` stores what was edited." in shown


def test_what_was_edited_is_stored_under_its_name(art: Art, data: Path) -> None:
    (data / "007.csv").write_text("other\n")
    done = art("add", "-u")
    assert done.out.endswith("  data\n")
    assert "stored as raw@2" in done.err
    assert edits(art) == []
    assert art("cat", "raw@2:007.csv").out == "other\n"
    (data / "007.csv").write_text("7\n")
    assert [each["version"] for each in edits(art)] == ["raw@2"]
    art("add", "-u", "data")
    assert art("show", "raw@latest", "--json").json["number"] == 1  # as it was


def test_a_file_that_was_checked_out_and_edited(art: Art, project: Path, data: Path) -> None:
    (project / "one.txt").write_text("first")
    art("add", "one.txt", "--name", "one")
    assert art("checkout", "one", "-o", "copies/one.txt").code == 0
    (project / "copies" / "one.txt").write_text("second")
    assert [(each["path"], each["version"]) for each in edits(art)] == [("copies/one.txt", "one@1")]
    assert "copies/one.txt (one@1) was edited\n" in art("status").out
    art("add", "-u")
    assert art("cat", "one").out == "second"


def test_an_edit_that_keeps_size_and_time_is_noticed(art: Art, data: Path) -> None:
    edits(art)
    file = data / "007.csv"
    info = file.stat()
    file.write_text("8\n")
    os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert [each["changed"] for each in edits(art)] == [["007.csv"]]


def test_a_folder_in_a_files_place_and_the_other_way_round(art: Art, data: Path) -> None:
    (data / "007.csv").unlink()
    (data / "007.csv").mkdir()
    (data / "007.csv" / "inside").write_text("x")
    shutil.rmtree(data / "sub")
    (data / "sub").write_text("a file now")
    [found] = edits(art)
    assert (found["added"], found["deleted"]) == (["007.csv/inside", "sub"], ["007.csv", "sub/deep.csv"])


def test_the_second_look_reads_nothing(art: Art, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(data, data.parent / "again")
    art("checkout", "raw", "-o", "again")
    time.sleep(0.05)  # what was written a moment ago may be written again unseen
    edits(art)
    edits(art)

    def never(*_: object) -> None:
        raise AssertionError("a file was read")

    monkeypatch.setattr(comparing, "blob_id", never)
    monkeypatch.setattr(chunking, "read_fully", never)
    assert edits(art) == []


def test_what_is_gone_is_said_once(art: Art, data: Path) -> None:
    shutil.rmtree(data)
    shown = art("status").out
    assert "data (raw@1) is gone; `art checkout raw@1 -o data` brings it back\n" in shown
    assert shown.endswith("`art add -u` looks no more at what is gone.\n")
    assert "data is gone, and is not looked at any more; raw@1 stays stored" in art("add", "-u").out
    assert "is gone" not in art("status").out
    assert art("checkout", "raw", "-o", "data").code == 0


def test_a_file_in_a_folder_and_the_folder_are_both_looked_at(art: Art, project: Path, data: Path) -> None:
    assert art("add", "data/007.csv", "--name", "seven").code == 0
    (data / "008.csv").write_text("other\n")
    assert [each["path"] for each in edits(art)] == ["data"]
    (data / "007.csv").write_text("other\n")
    assert [each["path"] for each in edits(art)] == ["data", "data/007.csv"]
    assert art("add", "-u").code == 0
    assert edits(art) == []
    assert (art("cat", "seven").out, art("cat", "raw:007.csv").out) == ("other\n", "other\n")
    art("lock")
    assert "data/007.csv" in (project / "artifacts.lock").read_text()
    assert art("checkout", "raw@1", "-o", "data").code == 0  # another seven stands there now
    assert edits(art) == []


def test_what_was_deleted_comes_back(art: Art, project: Path, data: Path) -> None:
    art("lock")
    (data / "007.csv").unlink()
    shutil.rmtree(data / "sub")
    done = art("checkout", "--lock")
    assert (done.code, done.err) == (0, "")
    assert (data / "007.csv").read_text() == "7\n"
    assert (data / "sub" / "deep.csv").read_text() == "deep\n"
    assert edits(art) == []
    (data / "007.csv").unlink()
    (data / "008.csv").write_text("an edit")
    refused = art("checkout", "raw", "-o", "data")
    assert refused.code != 0
    assert "008.csv holds changes that are not stored" in refused.err
    assert not (data / "007.csv").exists()


def test_a_run_says_that_what_it_took_was_edited_since(art: Art, project: Path, data: Path) -> None:
    (project / "flow.py").write_text(
        "from pathlib import Path\n"
        "from artvcs import Client, pipeline, step\n"
        "@step\ndef count(raw: Path) -> int:\n    return len(list(raw.rglob('*.csv')))\n"
        "@pipeline\ndef flow():\n    count(Client().get_artifact_version('raw'))\n"
    )
    assert "was edited" not in art("run", "flow.py").err
    (data / "new.csv").write_text("new\n")
    (project / "one.txt").write_text("first")
    art("add", "one.txt", "--name", "one")
    (project / "one.txt").write_text("second")  # which the run does not take
    warned = [line for line in art("run", "flow.py").err.splitlines() if line.startswith("warning: ")]
    assert warned == [
        "warning: data was edited since raw@1, which this run took; `art add -u` stores it for the next one."
    ]
    art("add", "-u")
    assert "was edited" not in art("run", "flow.py").err


def test_what_cannot_be_compared_hides_nothing_else(art: Art, project: Path, data: Path) -> None:
    (project / "one.txt").write_text("first")
    art("add", "one.txt", "--name", "one")
    (project / "one.txt").write_text("second")
    os.mkfifo(data / "pipe")
    shown = art("status")
    assert shown.code == 0
    assert "one.txt (one@1) was edited\n" in shown.out
    assert "data (raw@1) cannot be compared: " in shown.out
    done = art("add", "-u")
    assert "stored as one@2" in done.err
    assert done.code != 0


def test_git_leaves_what_is_checked_out_alone_if_asked_to(art: Art, project: Path, data: Path) -> None:
    done = art("checkout", "raw", "-o", "copy", "--gitignore")
    assert ".gitignore has /copy/ now" in done.err
    assert "/copy/" in (project / ".gitignore").read_text().splitlines()


def test_git_leaves_it_alone_if_asked_to(art: Art, project: Path, data: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    (project / ".gitignore").write_text("*.pyc")
    (project / "[x].txt").write_text("1")
    done = art("add", "[x].txt", "--name", "odd", "--gitignore")
    assert ".gitignore has /\\[x\\].txt now\n" in done.err
    art("add", "data", "--name", "raw", "--gitignore")
    art("add", "data", "--name", "raw", "--gitignore")
    assert (project / ".gitignore").read_text() == "*.pyc\n/\\[x\\].txt\n/data/\n"
    status = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True)
    assert "data" not in status.stdout
    assert "x" not in status.stdout.replace("adding", "")


LOCK = """\
# Which versions of data this revision uses: `art checkout --lock` brings them, `art lock` pins others.

["data"]
artifact = "raw@1"
id = "{id}"
"""


def test_versions_are_pinned_and_brought(art: Art, project: Path, data: Path) -> None:
    assert art("lock").out.splitlines()[1].split()[:2] == ["data", "raw@1"]
    lock = project / "artifacts.lock"
    artifact = art("show", "raw@1", "--json").json["id"]
    assert lock.read_text() == LOCK.format(id=artifact)
    (data / "007.csv").write_text("other\n")
    assert "artifacts.lock pins raw@2 at data now" in art("add", "-u").err
    lock.write_text(LOCK.format(id=artifact))  # as Git would check it out
    assert "data: artifacts.lock pins raw@1, which does not stand there (`art checkout --lock`)" in art("status").out
    assert art("checkout", "--lock").out == "data holds raw@1\n"
    assert (data / "007.csv").read_text() == "7\n"
    assert "does not stand there" not in art("status").out
    assert art("checkout", "--lock").out == "data holds raw@1 already\n"
    assert art("lock", "-d", "data").code == 0
    assert not lock.exists()


def test_what_is_pinned_is_not_deleted(art: Art, project: Path, data: Path) -> None:
    assert art("lock").code == 0
    refused = art("rm", "raw@1", "--yes")
    assert (refused.code, refused.err) == (
        1, "error: raw@1 is pinned by artifacts.lock at data; pin another first, or none (`art lock -d data`).\n",
    )  # fmt: skip
    assert art("prune", "--include-manual").out == "Every version is used.\n"
    shutil.rmtree(data)
    assert art("checkout", "--lock").code == 0
    assert (data / "007.csv").read_text() == "7\n"
    assert art("lock", "-d", "data").code == 0
    assert art("rm", "raw@1", "--yes").code == 0


def test_edits_are_not_overwritten_by_what_is_pinned(art: Art, project: Path, data: Path) -> None:
    (project / "one.txt").write_text("first")
    art("add", "one.txt", "--name", "one")
    art("lock")
    (data / "007.csv").write_text("mine\n")
    (project / "one.txt").unlink()
    done = art("checkout", "--lock")
    assert done.code != 0
    assert "one.txt holds one@1\n" in done.out
    assert (data / "007.csv").read_text() == "mine\n"
    assert done.err == art("checkout", "raw@1", "-o", "data").err, "as where one alone is asked for"


def test_each_that_cannot_be_put_where_it_is_pinned_is_said_once_as_seen_from_here(
    art: Art, project: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "one.txt").write_text("first")
    art("add", "one.txt", "--name", "one")
    art("lock")
    (data / "007.csv").write_text("mine\n")
    (project / "one.txt").write_text("edit")
    (project / "below").mkdir()
    monkeypatch.chdir(project / "below")
    done = art("checkout", "--lock")
    assert done.code == 7
    assert sorted(line.split(" holds ")[0] for line in done.err.splitlines()) == [
        "error: ../data/007.csv", "warning: ../one.txt",
    ]  # fmt: skip


def test_what_is_pinned_never_leaves_the_project_by_a_link(
    art: Art, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (project / "one.txt").write_text("first")
    art("add", "one.txt", "--name", "one")
    art("lock")
    (project / "link").symlink_to(outside)
    file = project / "artifacts.lock"
    file.write_text(file.read_text().replace("one.txt", "link/below/one.txt"))
    done = art("checkout", "--lock")
    assert "artifacts.lock: 'link/below/one.txt' leads out of the project by a link" in done.err
    assert list(outside.iterdir()) == []


def test_a_lock_that_nobody_can_read_is_said_and_stops_nothing(art: Art, project: Path) -> None:
    (project / "one.txt").write_text("first")
    art("add", "one.txt", "--name", "one")
    art("lock")
    (project / "artifacts.lock").write_text("<<<<<<< ours\n")
    (project / "one.txt").write_text("second")
    added = art("add", "one.txt", "--name", "one")
    assert (added.code, len(added.out.split()[0])) == (0, 64)
    assert added.err.startswith("warning: artifacts.lock cannot be understood (")
    assert (project / "artifacts.lock").read_text() == "<<<<<<< ours\n"
    (project / "artifacts.lock").unlink()
    assert "one@2" in art("lock").out


def test_a_pipe_in_place_of_the_lock_is_not_waited_for(art: Art, project: Path) -> None:
    art("init")
    os.mkfifo(project / "artifacts.lock")
    assert "artifacts.lock is no file" in art("checkout", "--lock").err


PINNED = f"['{{}}']\nartifact = 'raw@1'\nid = '{'0' * 64}'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data = 3", "artifacts.lock: 'data' is no table with artifact and id"),
        ("[data]\nartifact = 'raw@1'", "artifacts.lock: 'data' needs an artifact as NAME@VERSION and its id"),
        ("[data]\nartifact = 'raw@1'\nid = 'x'", "artifacts.lock: 'data' needs an artifact as NAME@VERSION and its id"),
        (PINNED.format("../out"), "artifacts.lock: '../out' is no path in the project"),
        (PINNED.format("/etc/x"), "artifacts.lock: '/etc/x' is no path in the project"),
        (PINNED.format(".git/x"), "artifacts.lock: '.git/x' is no path in the project"),
        ("[data\n", "artifacts.lock cannot be understood ("),
        (PINNED.format("data").replace("raw@1", "raw@9"), "raw@9, which artifacts.lock pins at data, is not known"),
    ],
)  # fmt: skip
def test_a_hostile_or_broken_lock_is_one_sentence(art: Art, project: Path, data: Path, text: str, message: str) -> None:
    (project / "artifacts.lock").write_text(text)
    done = art("checkout", "--lock")
    assert done.code != 0
    assert message in done.err
    assert not (project.parent / "out").exists()


def test_what_cannot_be_pinned_is_said(art: Art, project: Path, data: Path) -> None:
    assert "No version stands at other; `art add other --name NAME`" in art("lock", "other").err
    assert "lies outside of the project" in art("lock", "..").err
    assert "pins nothing at other" in art("lock", "-d", "other").err
    assert "There is no artifacts.lock that pins anything" in art("checkout", "--lock").err


def test_a_forged_note_leads_nowhere(art: Art, project: Path, data: Path) -> None:
    placed = project / ".artifacts" / "placed"
    for file in placed.iterdir():
        file.write_bytes(file.read_bytes().replace(b'"path":"data"', b'"path":"../x"'))
    (placed / "nonsense").write_text("{")
    assert edits(art) == []
    assert art("fsck").code == 0
