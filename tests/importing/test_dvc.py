"""`art import dvc`: each tracked file and folder of each Git revision, verified; what cannot be had is listed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from artvcs import Client
from artvcs.pipelines.importing import bringing
from artvcs.vcs import Repository
from artvcs.vcs.git import History

from .conftest import Project, dvc_file, in_turn


@pytest.fixture
def tracked(project: Project) -> Project:
    """A file of two versions, a folder of two, and a model that a stage made of the folder."""
    project.write(".dvc/config", "[core]\n    remote = x\n")
    project.write("data/big.bin.dvc", dvc_file("big.bin", project.cached(b"one")))
    project.write("data/raw.dvc", dvc_file("raw", project.cached_folder({"a.csv": b"1\n", "sub/b.csv": b"2\n"})))
    project.commit("first")
    project.write("data/big.bin.dvc", dvc_file("big.bin", project.cached(b"two")))
    raw = project.cached_folder({"a.csv": b"1\n", "sub/b.csv": b"22\n"})
    project.write("data/raw.dvc", dvc_file("raw", raw))
    project.write("params.yaml", "rate: 0.1\n")
    project.write(
        "dvc.lock",
        f"""\
schema: '2.0'
stages:
  train:
    cmd: python train.py
    deps:
    - path: data/raw
      md5: {raw}
    - path: train.py
      md5: {"0" * 32}
    params:
      params.yaml:
        rate: 0.1
    outs:
    - path: model.pkl
      hash: md5
      md5: {project.cached(b"model")}
      size: 5
""",
    )
    project.commit("second")
    project.git("tag", "v1")
    return project


def test_versions_are_made_of_each_revision(tracked: Project) -> None:
    done = tracked.art("import", "dvc")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1].startswith("Brought 5 versions (")
    assert tracked.art("cat", "big.bin@1").out == "one"
    assert tracked.art("cat", "big.bin@v1").out == "two"
    assert tracked.art("cat", "big.bin@v1~1").out == "one"  # the newest of that Git revision
    assert tracked.art("cat", "raw@2:sub/b.csv").out == "22\n"
    version = Client().get_artifact_version("raw", 1)
    assert version.metadata["path"] == "data/raw"
    assert version.commit is not None
    assert version.commit.git is not None
    assert version.commit.git.commit == tracked.git("rev-parse", "HEAD~1").strip()
    assert version.commit.author == "Ada <ada@example.org>"
    assert tracked.art("fsck").code == 0


def test_the_lineage_of_stages_comes_along(tracked: Project) -> None:
    tracked.art("import", "dvc")
    model = Client().get_artifact_version("model.pkl")
    assert model.commit is not None
    assert (model.commit.step, model.commit.pipeline) == ("train", "dvc")
    assert model.load().read_bytes() == b"model"
    shown = tracked.art("show", "model.pkl").out
    assert "Params:    rate=0.1\n" in shown
    assert "Input:     data/raw = raw@2\n" in shown
    assert [entry["step"] for entry in tracked.art("log", "model.pkl", "--json").json] == ["train", "dvc add"]


def test_what_was_added_by_hand_is_the_same_artifact(tracked: Project) -> None:
    tracked.write("data/raw/a.csv", "1\n")
    tracked.write("data/raw/sub/b.csv", "2\n")
    tracked.art("import", "dvc")
    added = tracked.art("add", "data/raw", "--name", "raw", "--json").json
    assert added["artifact"] == Client().get_artifact_version("raw", 1).id


def test_another_import_brings_only_what_is_new(tracked: Project) -> None:
    tracked.art("import", "dvc")
    before = tracked.art("ls", "--json").json
    again = tracked.art("import", "dvc")
    assert again.out.splitlines() == ["Brought 0 versions (0 B) of 2 revisions; 5 were here already."]
    assert tracked.art("ls", "--json").json == before
    tracked.write("data/big.bin.dvc", dvc_file("big.bin", tracked.cached(b"three")))
    tracked.commit("third")
    assert tracked.art("import", "dvc").out.startswith("big.bin@3\nBrought 1 version")


def test_an_import_that_was_interrupted_goes_on(tracked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bringing, "_AT_ONCE", 2)
    make, made = bringing.Bringing._make, list[str]()

    def killed(self: bringing.Bringing, *arguments: object) -> object:
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append("")
        return make(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(bringing.Bringing, "_make", killed)
    assert tracked.art("import", "dvc").code != 0
    monkeypatch.setattr(bringing.Bringing, "_make", make)
    done = tracked.art("import", "dvc")
    assert "2 were here already" in done.out
    assert [len(Client().list_artifact_versions(name)) for name in ("big.bin", "raw", "model.pkl")] == [2, 2, 1]


def test_a_dry_run_changes_nothing(tracked: Project) -> None:
    shutil.rmtree(tracked.folder / ".artifacts")
    done = tracked.art("import", "dvc", "--dry-run", "--json").json
    assert sorted(each.partition("@")[0] for each in done["made"]) == ["big.bin", "big.bin", "model.pkl", "raw", "raw"]
    assert (done["dry_run"], done["revisions"], done["size"]) == (True, 2, 20)
    assert not (tracked.folder / ".artifacts").exists()


def test_a_branch_that_went_its_own_way_is_there_too(tracked: Project) -> None:
    tracked.git("checkout", "-qb", "side", "HEAD~1")
    tracked.write("data/big.bin.dvc", dvc_file("big.bin", tracked.cached(b"side")))
    tracked.commit("side")
    tracked.git("checkout", "-q", "main")
    tracked.art("import", "dvc")
    assert {Client().get_artifact_version("big.bin", n).load().read_bytes() for n in (1, 2, 3)} == {
        b"one", b"two", b"side",
    }  # fmt: skip
    assert tracked.art("cat", "big.bin@side").out == "side"


def test_what_is_missing_or_corrupt_is_listed_and_left_out(tracked: Project) -> None:
    cache = tracked.folder / ".dvc" / "cache" / "files" / "md5"
    files = {path.read_bytes(): path for path in cache.rglob("*") if path.is_file()}
    files[b"one"].unlink()
    files[b"22\n"].write_bytes(b"xx\n")
    done = tracked.art("import", "dvc")
    assert done.code == 0
    assert "warning: data/big.bin at " in done.err
    assert "is left out: data/big.bin is not in the cache" in done.err
    assert "data/raw/sub/b.csv is not what its hash says" in done.err
    assert [row["name"] for row in tracked.art("ls", "--json").json] == ["big.bin", "model.pkl", "raw"]
    assert tracked.art("cat", "raw:sub/b.csv").out == "2\n"
    files[b"22\n"].write_bytes(b"22\n")
    assert tracked.art("import", "dvc").out.splitlines()[0] == "raw@2"


def test_a_file_that_is_to_be_run(project: Project) -> None:
    project.write(".dvc/config", "")
    project.write("run.sh.dvc", dvc_file("run.sh", project.cached(b"#!/bin/sh\n"), "hash: md5\n  isexec: true"))
    project.commit("script")
    project.art("import", "dvc")
    project.art("checkout", "run.sh", "-o", "out.sh")
    assert os.access(project.folder / "out.sh", os.X_OK)


def test_the_cache_that_the_user_has_configured(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project.folder / "home"))
    project.write("home/dvc/config", f"[cache]\n    dir = {project.folder / 'shared'}\n")
    in_turn(project, b"x")
    shutil.move(project.folder / ".dvc" / "cache", project.folder / "shared")
    assert project.art("import", "dvc").err == ""
    assert project.art("cat", "raw.txt").out == "x"


def test_what_was_not_downloaded_is_said(project: Project) -> None:
    project.write(".dvc/config", "")
    project.write("model.pkl.dvc", "deps: [{url: https://example.org}]\nouts:\n- path: model.pkl\n  hash: md5\n")
    project.write("no.dvc", f"outs:\n- md5: {'0' * 32}\n  hash: md5\n")
    project.commit("imported")
    done = project.art("import", "dvc")
    assert "names 'model.pkl' without a hash of its content, and was not downloaded" in done.err
    assert "no.dvc does not say which file it is of" in done.err


def test_many_revisions_read_each_file_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    in_turn(project, *[b"%d" % number for number in range(3)])
    for number in range(5):
        project.write("note", f"again {number}")
        project.commit("nothing new")
    reads = list[str]()
    read = History.read

    def noted(self: History, blob: str) -> bytes:
        reads.append(blob)
        return read(self, blob)

    monkeypatch.setattr(History, "read", noted)
    project.art("import", "dvc")
    assert len(reads) == len(set(reads)) == 3


def test_version_2_of_dvc(project: Project) -> None:
    project.write(".dvc/config", "[cache]\n    dir = elsewhere\n")
    digest = project.cached(b"a\nb\n", old=True)  # the hash of a text, as if it ended its lines as Unix does
    shutil.move(project.folder / ".dvc" / "cache", project.folder / ".dvc" / "elsewhere")
    file = project.folder / ".dvc" / "elsewhere" / digest[:2] / digest[2:]
    file.write_bytes(b"a\r\nb\r\n")
    project.write("text.csv.dvc", f"md5: 00\nouts:\n- md5: {digest}\n  size: 6\n  path: text.csv\nwdir: sub\n")
    project.commit("old")
    done = project.art("import", "dvc")
    assert (done.code, done.err) == (0, "")
    assert Client().get_artifact_version("text.csv").load().read_bytes() == b"a\r\nb\r\n"
    assert Client().get_artifact_version("text.csv").metadata["path"] == "sub/text.csv"


def test_a_text_of_version_2_whose_lines_end_where_it_was_read(project: Project) -> None:
    """Version 2 read a MiB at once, and hashed a line that ended across two of them as it was."""
    content = (b"x" * 1023 + b"\n") * 1023 + b"z" * 1023 + b"\r\nlast\r\n"
    pieces = [content[: 1 << 20], content[1 << 20 :]]
    digest = hashlib.md5(b"".join(piece.replace(b"\r\n", b"\n") for piece in pieces)).hexdigest()
    project.write(".dvc/config", "")
    project.write(f".dvc/cache/{digest[:2]}/{digest[2:]}", content)
    project.write("s.csv.dvc", f"outs:\n- md5: {digest}\n  path: s.csv\n")
    project.commit("old")
    assert project.art("import", "dvc").err == ""
    assert Client().get_artifact_version("s.csv").load().read_bytes() == content


def test_names_that_several_paths_would_have(project: Project) -> None:
    (project.folder / ".dvc").mkdir()
    project.write("a/x.csv.dvc", dvc_file("x.csv", project.cached(b"a")))
    project.write("b/x.csv.dvc", dvc_file("x.csv", project.cached(b"b")))
    project.write("c/y@1.csv.dvc", dvc_file("y@1.csv", project.cached(b"c")))
    project.commit("names")
    project.art("import", "dvc")
    names = [row["name"] for row in project.art("ls", "--json").json]
    assert {"a-x.csv", "b-x.csv"} < {*names}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("x.dvc", "outs: [", "x.dvc cannot be understood"),
        ("x.dvc", "outs: 3", "x.dvc cannot be understood: '3' stands where a list should"),
        ("x.dvc", "- 1", "stands where names and values should"),
        ("x.dvc", dvc_file("../../etc/passwd", "0" * 32), "which lies outside of the repository"),
        ("x.dvc", dvc_file("/etc/passwd", "0" * 32), "which lies outside of the repository"),
        ("x.dvc", dvc_file("x", "../../../etc/passwd"), "x has a hash that is none"),
        ("x.dvc", dvc_file("x", "0" * 32, "hash: etag"), "by etag, which is not known here"),
        ("dvc.lock", "stages: {a: {outs: [3]}}", "stands where names and values should"),
        ("x.dvc", "outs: !!python/object/apply:os.system ['true']", "x.dvc cannot be understood"),
    ],
)
def test_what_is_hostile_or_broken_is_said(project: Project, file: str, text: str, message: str) -> None:
    (project.folder / ".dvc").mkdir()
    project.write("good.bin.dvc", dvc_file("good.bin", project.cached(b"good")))
    project.commit("good")
    project.write(file, text)
    project.commit("bad")
    done = project.art("import", "dvc")
    assert done.code == 0
    assert message in done.err
    assert project.art("cat", "good.bin").out == "good"


def test_a_hostile_list_of_a_folder(project: Project) -> None:
    (project.folder / ".dvc").mkdir()
    good = project.cached(b"x")
    for number, name in enumerate(("../out", "/etc/x", ".git/x", "a//b", "")):
        listed = json.dumps([{"md5": good, "relpath": name}]).encode()
        project.write(f"f{number}.dvc", dvc_file(f"f{number}", project.cached(listed, ".dir")))
    project.commit("hostile")
    done = project.art("import", "dvc")
    assert len([line for line in done.err.splitlines() if "cannot be stored" in line]) == 5
    assert project.art("ls", "--json").json == []


def test_where_there_is_nothing_to_import(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    project.write("readme", "x")
    project.commit("x")
    assert "is in no repository of DVC" in project.art("import", "dvc").err
    outside = tmp_path_factory.mktemp("outside")
    assert f"{outside} is in no Git repository" in project.art("import", "dvc", str(outside)).err
    (outside / ".dvc").mkdir()
    assert "is kept by DVC without Git" in project.art("import", "dvc", str(outside)).err


def test_from_a_folder_within(tracked: Project) -> None:
    assert "Brought 5 versions" in tracked.art("import", "dvc", "data").out


def test_from_another_folder(
    tracked: Project, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(here)
    shutil.rmtree(tracked.folder / ".artifacts")
    assert tracked.art("import", "dvc", str(tracked.folder)).code == 0
    assert (here / ".artifacts").is_dir()
    assert not (tracked.folder / ".artifacts").exists()
    assert Repository.discover().layout.folder == Path(here, ".artifacts")


def test_what_is_odd_hides_nothing_else(project: Project) -> None:
    (project.folder / ".dvc").mkdir()
    project.write("a.dvc", dvc_file("/elsewhere/out", "0" * 32))
    project.write("b.dvc", b"\x00\xff[[[")
    project.write(
        "c.dvc", f"outs:\n- path: 3\n  hash: etag\n- md5: {project.cached(b'good')}\n  path: good\n  hash: md5\n"
    )
    project.write("d.dvc", dvc_file('"x\\0y"', project.cached(b"zero")))
    project.write("e.dvc", dvc_file("deep", project.cached(b"[" * 100_000, ".dir")))
    clash = [{"md5": project.cached(b"x"), "relpath": name} for name in ("a", "a/b")]
    project.write("f.dvc", dvc_file("clash", project.cached(json.dumps(clash).encode(), ".dir")))
    project.write("g.dvc", dvc_file("twice", project.cached(json.dumps([clash[0], clash[0]]).encode(), ".dir")))
    stage = f"{{deps: [{{path: /data/raw}}], outs: [{{md5: {project.cached(b'b')}, path: b}}]}}"
    project.write("dvc.lock", f"stages:\n  a: {{outs: 5}}\n  b: {stage}\n")
    project.commit("odd")
    done = project.art("import", "dvc")
    assert done.code == 0
    assert {row["name"] for row in project.art("ls", "--json").json} == {"good", "b"}
    left = "".join(line.partition(" is left out")[0] for line in done.err.splitlines())
    for what in (
        "a.dvc",
        "b.dvc",
        "output 1 of c.dvc",
        "y at",
        "deep at",
        "clash at",
        "twice at",
        "stage a of dvc.lock",
    ):
        assert what in left
