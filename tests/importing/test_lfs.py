"""`art import lfs`: each file of which Git has a pointer, in each revision."""

from __future__ import annotations

import os
import shutil

from artvcs import Client

from .conftest import Project


def test_versions_are_made_of_each_revision(project: Project) -> None:
    project.write("big.bin", project.pointer(b"one"))
    project.write("small.txt", "no pointer")
    project.commit("first")
    project.write("big.bin", project.pointer(b"two"))
    project.write("sub/other.bin", project.pointer(b"other"))
    project.commit("second")
    done = project.art("import", "lfs")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[:3] == ["big.bin@1", "big.bin@2", "other.bin@1"]
    assert project.art("cat", "big.bin@HEAD~1").out == "one"
    assert Client().get_artifact_version("other.bin").metadata["path"] == "sub/other.bin"
    assert "3 were here already" in project.art("import", "lfs").out
    assert project.art("fsck").code == 0


def test_a_dry_run_stores_nothing(project: Project) -> None:
    project.write("big.bin", project.pointer(b"one"))
    project.commit("first")
    shutil.rmtree(project.folder / ".artifacts")
    done = project.art("import", "lfs", "--dry-run")
    assert (done.code, done.out.splitlines()[0]) == (0, f"big.bin@{project.git('rev-parse', 'HEAD')[:8]}")
    assert not (project.folder / ".artifacts").exists()
    assert project.art("import", "lfs").out.splitlines()[0] == "big.bin@1"


def test_what_is_missing_or_corrupt_is_listed_and_left_out(project: Project) -> None:
    project.write("gone.bin", project.pointer(b"gone", keep=False))
    project.write("bad.bin", project.pointer(b"bad"))
    project.write("good.bin", project.pointer(b"good"))
    project.write("odd.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:../../etc\nsize 3\n")
    project.write("long.bin", project.pointer(b"long").replace(b"size 4", b"size 77"))
    (project.folder / os.fsdecode(b"x\xff.bin")).write_bytes(project.pointer(b"name"))
    project.commit("first")
    for file in (project.folder / ".git" / "lfs" / "objects").rglob("*"):
        if file.is_file() and file.read_bytes() == b"bad":
            file.write_bytes(b"worse")
    done = project.art("import", "lfs")
    assert done.code == 0
    assert "gone.bin is not here" in done.err
    assert "`git lfs fetch --all` may bring it" in done.err
    assert "bad.bin is not what its hash says" in done.err
    assert "odd.bin at" in done.err
    assert "its pointer is not as Git LFS writes them" in done.err
    assert "long.bin is not as large as its pointer says: it has 4 bytes" in done.err
    assert "holds what cannot be stored" in done.err
    assert [row["name"] for row in project.art("ls", "--json").json] == ["good.bin"]


def test_what_came_back_is_what_its_name_stands_for(project: Project) -> None:
    for number, content in enumerate((b"A", b"B", b"A")):
        project.write("q.bin", project.pointer(content))
        project.write("note", str(number))
        project.commit("next")
    project.art("import", "lfs")
    assert [project.art("cat", f"q.bin{at}").out for at in ("", "@HEAD", "@HEAD~1")] == ["A", "A", "B"]


def test_files_that_are_kept_elsewhere(project: Project) -> None:
    project.write("q.bin", project.pointer(b"x"))
    project.commit("first")
    (project.folder / ".git" / "lfs").rename(project.folder / ".git" / "elsewhere")
    project.git("config", "lfs.storage", "elsewhere")
    assert project.art("import", "lfs").err == ""
    assert project.art("cat", "q.bin").out == "x"
