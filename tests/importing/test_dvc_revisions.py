"""`art import dvc`: which version belongs to which Git revision, what was made of what, and what it is called."""

from __future__ import annotations

import hashlib

from artvcs import Client
from artvcs.pipelines.keepers.cache import folder_digest
from artvcs.vcs import Repository, versions

from .conftest import Project, dvc_file, in_turn


def test_what_came_back_is_what_its_name_stands_for(project: Project) -> None:
    in_turn(project, b"A", b"B", b"A")
    project.git("tag", "t3")
    assert project.art("import", "dvc").out.splitlines()[:2] == ["raw.txt@1", "raw.txt@2"]
    for spec, content in (("", "A"), ("@HEAD", "A"), ("@t3", "A"), ("@HEAD~1", "B"), ("@HEAD~2", "A")):
        assert project.art("cat", f"raw.txt{spec}").out == content, spec
    in_turn(project, b"B")
    assert project.art("cat", "raw.txt@HEAD").out == "B", "Git says so, also before another import"
    project.art("import", "dvc")
    assert project.art("cat", "raw.txt").out == "B"


def test_a_merge_that_took_nothing_of_the_branch(project: Project) -> None:
    in_turn(project, b"base")
    project.git("checkout", "-qb", "exp")
    in_turn(project, b"exp")
    project.git("checkout", "-q", "main")
    project.git("merge", "-q", "-s", "ours", "-m", "merged", "exp")
    project.art("import", "dvc")
    assert project.art("cat", "raw.txt@main").out == "base"
    assert project.art("cat", "raw.txt@exp").out == "exp"
    assert project.art("cat", "raw.txt").out == "base"


def test_a_revision_whose_data_is_missing_stands_for_no_other(project: Project) -> None:
    in_turn(project, b"v1", b"v2", b"v3")
    files = {path.read_bytes(): path for path in (project.folder / ".dvc" / "cache").rglob("*") if path.is_file()}
    for content in (b"v2", b"v3"):
        files[content].rename(project.folder / f"{content.decode()}.away")
    project.art("import", "dvc")
    refused = project.art("cat", "raw.txt@HEAD")
    assert (refused.code, refused.err) == (
        3,
        "error: What dvc keeps at raw.txt as of HEAD was not brought here; `art import dvc` brings what it has.\n",
    )
    (project.folder / "v3.away").rename(files[b"v3"])
    project.art("import", "dvc")
    (project.folder / "v2.away").rename(files[b"v2"])
    assert project.art("import", "dvc").out.startswith("raw.txt@3\nBrought 1 version")
    assert project.art("cat", "raw.txt").out == "v3", "the older one that came last is not the newest"
    assert project.art("cat", "raw.txt@HEAD~1").out == "v2"
    (project.folder / "raw.txt.dvc").unlink()
    project.commit("removed")
    assert "dvc keeps no raw.txt as of HEAD" in project.art("cat", "raw.txt@HEAD").err


def stage(dep: str, digest: str, out: str, made: str, params: str = "{}") -> str:
    return (
        f"  {out.partition('.')[0]}:\n    cmd: make {out}\n    deps: [{{path: {dep}, md5: {digest}}}]\n"
        f"    params: {params}\n    outs: [{{path: {out}, md5: {made}, hash: md5}}]\n"
    )


def inputs(name: str, number: int) -> dict[str, int]:
    commit = Client().get_artifact_version(name, number).commit
    assert commit is not None
    refs = Repository.discover().refs()
    return {path: versions.number_of_value(refs, each.name, each.artifact) for path, (each,) in commit.inputs.items()}


def test_a_model_is_made_of_the_data_that_its_lock_names(project: Project) -> None:
    trained = ((b"A", 1), (b"B", 1), (b"A", 2))
    for data, rate in trained:
        model = stage(
            "raw.txt",
            project.cached(data),
            "model.txt",
            project.cached(data + b"%d" % rate),
            f"{{params.yaml: {{lr: {rate}}}}}",
        )
        project.write("dvc.lock", f"schema: '2.0'\nstages:\n{model}")
        in_turn(project, data)
        project.art("import", "dvc")  # also one by one: what was there before is known
    assert [inputs("model.txt", number) for number in (1, 2, 3)] == [{"raw.txt": 1}, {"raw.txt": 2}, {"raw.txt": 1}]
    assert project.art("cat", "model.txt").out == "A2"


def test_what_is_made_of_a_part_of_a_folder_or_of_several(project: Project) -> None:
    train, test = project.cached(b"1"), project.cached(b"2")
    raw = project.cached_folder({"test.csv": b"2", "train.csv": b"1"})
    files = {"raw/test.csv": test, "raw/train.csv": train, "word": project.cached(b"w")}
    project.write(".dvc/config", "")
    project.write("data/raw.dvc", dvc_file("raw", raw))
    project.write("data/word.dvc", dvc_file("word", project.cached(b"w")))
    in_git = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in (project.folder / "data").iterdir()}
    whole = folder_digest({**files, **in_git})
    project.write(
        "dvc.lock",
        "schema: '2.0'\nstages:\n"
        + stage("data/raw/train.csv", train, "m1.txt", project.cached(b"m1"))
        + stage("data", whole, "m2.txt", project.cached(b"m2"))
        + stage("data/raw/test.csv", train, "m3.txt", project.cached(b"m3")),
    )
    project.commit("made")
    project.art("import", "dvc")
    assert inputs("m1.txt", 1) == {"data/raw": 1}
    assert inputs("m2.txt", 1) == {"data/raw": 1, "data/word": 1}
    assert inputs("m3.txt", 1) == {}, "its hash says that it was made of something else"


def test_parameters_of_several_files_and_measures_in_git(project: Project) -> None:
    project.write(".dvc/config", "")
    measured = b'{"accuracy": 0.9, "by class": {"a": 0.8}}'
    project.write("metrics.json", measured)
    project.write("dvc.yaml", "stages:\n  fit:\n    cmd: fit\n    metrics: [{metrics.json: {cache: false}}]\n")
    project.write(
        "dvc.lock",
        "schema: '2.0'\nstages:\n  fit:\n    cmd: fit\n"
        "    params: {params.yaml: {lr: 0.1}, other.yaml: {lr: 99}}\n    outs:\n"
        f"    - {{path: metrics.json, md5: {hashlib.md5(measured).hexdigest()}, hash: md5}}\n"
        f"    - {{path: model, md5: {project.cached(b'm')}, hash: md5}}\n",
    )
    project.commit("fitted")
    done = project.art("import", "dvc")
    assert done.err == "", "what Git keeps is not missing"
    shown = project.art("show", "model").out
    assert "Params:    lr=0.1, other.yaml:lr=99\n" in shown
    assert "Measures:  accuracy=0.9" in shown
    assert [row["name"] for row in project.art("ls", "--where", "accuracy > 0.8", "--json").json] == ["model"]


def test_stages_that_run_in_another_folder(project: Project) -> None:
    project.write(".dvc/config", "")
    project.write(
        "dvc.yaml",
        "stages:\n  one: {wdir: one, cmd: x}\n  up: {wdir: two, cmd: x}\n  far: {wdir: '${where}', cmd: x}\n",
    )
    made = {name: project.cached(name.encode()) for name in ("one", "up", "far")}
    project.write(
        "dvc.lock",
        "schema: '2.0'\nstages:\n"
        f"  one: {{cmd: x, outs: [{{path: m, md5: {made['one']}, hash: md5}}]}}\n"
        f"  up: {{cmd: x, outs: [{{path: ../u, md5: {made['up']}, hash: md5}}]}}\n"
        f"  far: {{cmd: x, outs: [{{path: f, md5: {made['far']}, hash: md5}}]}}\n",
    )
    project.commit("made")
    done = project.art("import", "dvc")
    assert {name: Client().get_artifact_version(name).metadata["path"] for name in ("m", "u")} == {
        "m": "one/m",
        "u": "u",
    }
    assert "stage far of dvc.lock at " in done.err
    assert "by '${where}', which only DVC knows" in done.err


# Names


def test_a_name_that_was_given_is_kept_and_never_shared(project: Project) -> None:
    in_turn(project, b"one", path="data/raw")
    project.art("import", "dvc")
    in_turn(project, b"two", path="other/raw")
    in_turn(project, b"three", path="other-raw")
    project.art("import", "dvc")
    paths = {
        row["name"]: Client().get_artifact_version(row["name"]).metadata["path"]
        for row in project.art("ls", "--json").json
    }
    assert paths["raw"] == "data/raw"
    assert sorted(paths.values()) == ["data/raw", "other-raw", "other/raw"]
    assert len(Client().list_artifact_versions("raw")) == 1


def test_a_name_of_somebody_elses(project: Project) -> None:
    project.write("mine.txt", "mine")
    project.art("add", "mine.txt", "--name", "raw.txt")
    in_turn(project, b"theirs", path="sub/raw.txt")
    project.art("import", "dvc")
    assert project.art("cat", "raw.txt").out == "mine"
    assert project.art("cat", "sub-raw.txt").out == "theirs"
