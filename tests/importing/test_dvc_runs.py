"""`art import dvc`: what stages did in each Git revision becomes runs, to be compared and followed."""

from __future__ import annotations

import hashlib
import json

import pytest

from artvcs import Client, log_metadata

from .conftest import Project, dvc_file


def trained(project: Project, rows: int, rate: float, accuracy: float, *, model: bytes = b"2.5") -> None:
    """A revision of a project that cleans data, trains on it and measures the model in a file of Git's."""
    project.write(".dvc/config", "")
    measured = json.dumps({"accuracy": accuracy, "n": rows}).encode()
    raw, clean, made = project.cached(b"raw %d" % rows), project.cached(b"clean %d" % rows), project.cached(model)
    project.write("raw.dvc", dvc_file("raw", raw))
    project.write("metrics.json", measured)
    project.write(
        "dvc.yaml",
        "stages:\n  clean: {cmd: c}\n  train: {cmd: t}\n"
        "  evaluate: {cmd: e, metrics: [{metrics.json: {cache: false}}]}\n",
    )
    project.write(
        "dvc.lock",
        f"""\
schema: '2.0'
stages:
  clean: {{cmd: python clean.py, deps: [{{path: raw, md5: {raw}}}], outs: [{{path: clean, hash: md5, md5: {clean}}}]}}
  evaluate:
    cmd: python evaluate.py
    deps: [{{path: model.txt, md5: {made}}}]
    outs: [{{path: metrics.json, hash: md5, md5: {hashlib.md5(measured).hexdigest()}}}]
  train:
    cmd: python train.py
    deps: [{{path: clean, md5: {clean}}}]
    params: {{params.yaml: {{rate: {rate}}}}}
    outs: [{{path: model.txt, hash: md5, md5: {made}}}]
""",
    )
    project.commit(f"rate {rate}")


@pytest.fixture
def branched(project: Project) -> Project:
    """Two revisions that make the same model of other data, with another rate."""
    trained(project, 2, 0.5, 0.95)
    project.git("tag", "v1.0")
    project.git("checkout", "-qb", "exp")
    trained(project, 4, 0.25, 0.975)
    return project


def test_each_revision_with_other_stages_is_a_run_to_compare(branched: Project) -> None:
    done = branched.art("import", "dvc")
    assert done.out.splitlines()[-1].endswith(" and 2 runs of 2 revisions.")
    rows = branched.art("runs", "--sort", "accuracy", "--json").json
    assert [(row["run"], row["parameters"], row["measures"]) for row in rows] == [
        (f"dvc-{branched.git('rev-parse', revision)[:8]}", {"rate": rate}, {"accuracy": accuracy, "n": n})
        for revision, rate, accuracy, n in (("v1.0", 0.5, 0.95, 2), ("exp", 0.25, 0.975, 4))
    ]
    assert branched.art("plot", "accuracy").code == 0
    assert branched.art("fsck").code == 0


def test_a_stage_that_made_a_value_again_is_in_its_history_with_what_it_was_given(branched: Project) -> None:
    branched.art("import", "dvc")
    entries = branched.art("log", "model.txt", "--json").json
    made = {entry["git"]["commit"]: entry for entry in entries if entry["step"] == "train"}
    first, again = (made[branched.git("rev-parse", revision).strip()] for revision in ("v1.0", "exp"))
    assert (again["params"], first["params"]) == ({"rate": 0.25}, {"rate": 0.5})
    clean = Client().get_artifact_version("clean", 2)
    assert again["inputs"]["clean"] == [clean.id]
    run = branched.art("show", again["run"], "--json").json
    assert run["steps"]["train"]["inputs"] == {"clean": ["clean@2"]}
    assert "Used by:   train (dvc)" in branched.art("show", "clean@2").out


def test_a_stage_that_did_not_run_again_is_reused_in_the_run_of_a_revision(branched: Project) -> None:
    trained(branched, 4, 0.125, 0.98, model=b"3.5")
    branched.art("import", "dvc")
    run = f"dvc-{branched.git('rev-parse', 'HEAD')[:8]}"
    steps = branched.art("show", run, "--json").json["steps"]
    assert {name: step["status"] for name, step in steps.items()} == {
        "clean": "cached",
        "train": "completed",
        "evaluate": "completed",
    }
    assert steps["evaluate"]["inputs"] == {"model.txt": ["model.txt@2"]}


def test_what_is_said_again_is_no_other_run(branched: Project) -> None:
    branched.write("note", "x")
    branched.commit("nothing new")
    branched.git("checkout", "-q", "-b", "back", "v1.0")
    branched.write("note", "y")
    trained(branched, 4, 0.25, 0.975)
    assert " and 2 runs of 4 revisions" in branched.art("import", "dvc").out
    assert "Brought 0 versions (0 B) of 4 revisions" in branched.art("import", "dvc").out
    trained(branched, 8, 0.25, 0.99)
    assert " and 1 run of 5 revisions" in branched.art("import", "dvc").out
    assert len(branched.art("runs", "--json").json) == 3


def test_what_came_later_of_what_a_run_made_is_told_in_it(branched: Project) -> None:
    digest = hashlib.md5(b"2.5").hexdigest()
    file = branched.folder / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    file.unlink()
    branched.art("import", "dvc")
    branched.art("import", "dvc")
    run = f"dvc-{branched.git('rev-parse', 'v1.0')[:8]}"
    log_metadata({"seen": True}, run_id_name_or_prefix=run)
    assert Client().get_pipeline_run(run).steps["train"].record.outputs == {}
    file.write_bytes(b"2.5")
    assert branched.art("import", "dvc").out.splitlines()[0] == "model.txt@1"
    told = Client().get_pipeline_run(run)
    assert told.metadata == {"seen": True}
    assert [each.name for each in told.steps["train"].record.outputs.values()] == ["model.txt"]
    assert [entry["step"] for entry in branched.art("log", "model.txt", "--json").json].count("train") == 2


def test_the_command_of_a_stage_is_shown(branched: Project) -> None:
    branched.art("import", "dvc")
    assert "Command:   python train.py\n" in branched.art("show", "model.txt").out
    assert branched.art("show", "model.txt", "--json").json["command"] == "python train.py"


def test_nobody_knows_how_long_a_stage_took(branched: Project) -> None:
    branched.art("import", "dvc")
    for command in (("log", "model.txt"), ("log",), ("runs",), ("show", "model.txt"), ("status",)):
        assert " ms" not in branched.art(*command).out, command
    assert {row["seconds"] for row in branched.art("runs", "--json").json} == {None}


def test_a_dry_run_says_of_which_revision_each_version_is(branched: Project) -> None:
    done = branched.art("import", "dvc", "--dry-run")
    first, second = (branched.git("rev-parse", each)[:8] for each in ("v1.0", "exp"))
    assert done.out.splitlines() == [
        f"raw@{first}",
        f"clean@{first}",
        f"model.txt@{first}",
        f"raw@{second}",
        f"clean@{second}",
        "Would bring 5 versions (27 B) and 2 runs of 2 revisions.",
    ]


def test_stages_of_several_folders_are_runs_of_several_pipelines(project: Project) -> None:
    project.write(".dvc/config", "")
    for folder in ("one", "two"):
        made = project.cached(folder.encode())
        project.write(
            f"{folder}/dvc.lock", f"stages:\n  fit: {{cmd: x, outs: [{{path: m, md5: {made}, hash: md5}}]}}\n"
        )
    project.commit("both")
    project.art("import", "dvc")
    assert {row["pipeline"] for row in project.art("runs", "--json").json} == {"dvc-one", "dvc-two"}
    runs = {Client().get_artifact_version(name).record.run for name in ("one-m", "two-m")}
    assert runs == {run.id for run in Client().list_pipeline_runs()}
