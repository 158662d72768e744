"""Repositories that the real `dvc` and `git-lfs` have made."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from artvcs import Client

from ..servers import dvc
from ..servers.processes import apt
from .conftest import Project

pytestmark = pytest.mark.remotes


def run(project: Project, *command: str) -> None:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    subprocess.run(command, cwd=project.folder, env=environment, check=True, capture_output=True)


def test_a_repository_of_dvc(project: Project) -> None:
    dvc.make_project(project.folder)
    done = project.art("import", "dvc")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1].startswith("Brought 4 versions (")
    assert project.art("cat", "model.txt@HEAD").out == "0\n1\n2\n3\n"
    assert project.art("cat", "model.txt@HEAD~1").out == "0\n1\n2\n"
    model = Client().get_artifact_version("model.txt")
    assert model.commit is not None
    assert model.commit.inputs["raw"][0].artifact == Client().get_artifact_version("raw").id
    assert project.art("fsck").code == 0
    shutil.rmtree(project.folder / ".dvc" / "cache")
    assert project.art("checkout", "raw", "-o", "back").code == 0
    assert sorted(path.name for path in (project.folder / "back").iterdir()) == ["0.csv", "1.csv", "2.csv", "3.csv"]


PARTS = """
git init -qb main
dvc init -q
mkdir -p data/raw
echo word > data/word
dvc add -q data/word
cat > dvc.yaml <<END
stages:
  part: {cmd: cp data/raw/a.csv part, deps: [data/raw/a.csv], outs: [part]}
  whole: {cmd: cat data/raw/a.csv data/word > whole, deps: [data], outs: [whole]}
  inside: {wdir: sub, cmd: cp ../data/word copy, deps: [../data/word], outs: [copy]}
END
mkdir sub
for content in A B A; do
    echo $content > data/raw/a.csv
    dvc add -q data/raw
    dvc repro -q
    git add -A
    git commit -qm $content
done
"""


def test_what_came_back_and_what_was_made_of_parts(project: Project) -> None:
    dvc.make_project(project.folder, PARTS)
    done = project.art("import", "dvc")
    assert (done.code, done.err) == (0, "")
    for name in ("part", "raw:a.csv"):
        name, _, file = name.partition(":")
        shown = [project.art("cat", f"{name}{at}{file and ':'}{file}").out for at in ("", "@HEAD", "@HEAD~1")]
        assert shown == ["A\n", "A\n", "B\n"]
    assert "data/raw = raw@1" in project.art("show", "part").out
    shown_whole = project.art("show", "whole").out
    assert "data/raw = raw@1" in shown_whole
    assert "data/word = word@1" in shown_whole
    assert Client().get_artifact_version("copy").metadata["path"] == "sub/copy"


def test_a_repository_of_git_lfs(project: Project) -> None:
    apt("git-lfs", has="git-lfs")
    project.git("lfs", "install", "--local")
    project.git("lfs", "track", "*.bin")
    project.write("big.bin", b"one" * 1000)
    project.commit("first")
    project.write("big.bin", b"two" * 1000)
    project.commit("second")
    done = project.art("import", "lfs")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[:2] == ["big.bin@1", "big.bin@2"]
    assert project.art("cat", "big.bin@HEAD~1").out == "one" * 1000
