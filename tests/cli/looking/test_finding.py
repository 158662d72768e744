"""One word, one thing: names, runs, ids, and what was perhaps meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from artvcs.cli import main
from artvcs.cli.stored import finding
from artvcs.pipelines.history import lookup
from artvcs.pipelines.history.views import ArtifactVersion, PipelineRun
from artvcs.vcs.errors import AmbiguousName, UnknownName
from artvcs.vcs.maps import ref_names, versions
from artvcs.vcs.objects.kinds import Run
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.packs.table import Location

from ..conftest import Art


@pytest.fixture
def repository(art: Art) -> Repository:
    assert art("run", "adding.py").code == 0
    return Repository.discover()


def test_names_runs_and_ids(repository: Repository) -> None:
    version = finding.find(repository, "total")
    assert isinstance(version, ArtifactVersion)
    run = finding.find(repository, "adding-")
    assert isinstance(run, PipelineRun)
    assert isinstance(finding.find(repository, run.id[:12]), PipelineRun)
    same = finding.find(repository, version.id[:12])
    assert isinstance(same, ArtifactVersion)
    assert same.name == "total"
    assert version.record.commit is not None
    commit = finding.find(repository, version.record.commit[:12])
    assert isinstance(commit, Location)
    assert commit.kind == "commit"


def test_runs_are_meant_as_git_means_commits(art: Art, repository: Repository) -> None:
    for _ in range(2):
        assert art("run", "adding.py", "--no-cache").code == 0
    names = [run["name"] for run in art("log", "--json").json]
    for word, number in (("HEAD", 0), ("HEAD~1", 1), ("adding", 0), ("adding~2", 2), (f"{names[0]}~1", 1)):
        assert art("show", word, "--json").json["name"] == names[number]
        assert art("log", word).code == 0
    assert "There are not so many runs" in art("show", "adding~9").err


def test_a_run_and_an_object_with_the_same_digits(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    record = next(versions.of(repository.refs(), "total"))
    real: Callable[..., Run] = lookup.find_run
    monkeypatch.setattr(
        lookup, "find_run_spec", lambda refs, text: dataclasses.replace(real(refs, "adding-"), run=record.artifact)
    )
    with pytest.raises(AmbiguousName, match=r"could be run .* or artifact .*; give more digits"):
        finding.find(repository, record.artifact[:8])


def test_fewer_than_four_digits_name_no_object(repository: Repository) -> None:
    refs = repository.refs()
    runs = {ref_names.last_part(ref)[:3] for ref, _ in refs.items(ref_names.RUNS)}  # random, and found by any start
    digits = next(oid[:3] for _, oid in refs.items(ref_names.ARTIFACTS) if oid[:3] not in runs)
    with pytest.raises(UnknownName):
        finding.find(repository, digits)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["show", "totel"], "did you mean 'total'?"),
        (["log", "numbrs"], "did you mean 'numbers'?"),
        (["ls", "numbrs"], "did you mean 'numbers'?"),
        (["cat", "totl"], "did you mean 'total'?"),
        (["checkout", "totl"], "did you mean 'total'?"),
        (["why", "totl"], "did you mean 'total'?"),
        (["why", "totl", "--run", "HEAD"], "did you mean 'total'?"),
        (["why", "ading::total"], "did you mean 'adding'?"),
        (["why", "adding::totl"], "did you mean 'total'?"),
        (["why", "total", "--run", "ading"], "did you mean 'adding'?"),
        (["runs", "ading"], "did you mean 'adding'?"),
        (["show", "ading"], "did you mean 'adding'?"),
        (["rm", "ading"], "did you mean 'adding'?"),
        (["rm", "totl"], "did you mean 'total'?"),
        (["rm", "totl@1"], "did you mean 'total'?"),
        (["plot", "values", "ading"], "did you mean 'adding'?"),
        (["tag", "totl"], "did you mean 'total'?"),
        (["show", "total@latst"], "did you mean 'latest'?"),
        (["show", "totl@latest"], "did you mean 'total'?"),
        (["run", "adding.py:ading"], "did you mean 'adding'?"),
        (["run", "adding.py", "-p", "cuont=1"], "did you mean 'count'?"),
        (["shwo", "total"], "did you mean 'show'?"),
    ],
)
def test_what_was_perhaps_meant(art: Art, repository: Repository, arguments: list[str], hint: str) -> None:
    assert hint in art(*arguments).err


def offered(*words: str) -> set[str]:
    """What the shell offers for the last of the words, as fish asks for it."""
    environment = {"_ART_COMPLETE": "fish_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": words[-1]}
    done = CliRunner().invoke(main.art, [], env=environment, prog_name="art")
    return {line.split(",", 1)[1].split("\t")[0] for line in done.output.splitlines() if "," in line}


def test_the_shell_is_offered_verbs_and_names(repository: Repository) -> None:
    assert offered("art", "sh") == {"show"}
    assert offered("art", "show", "tot") == {"total"}
    assert offered("art", "ls", "n") == {"numbers"}
    assert offered("art", "why", "unn") == {"unnamed"}
    assert [name for name in offered("art", "log", "adding-") if name.startswith("adding-")]


@pytest.mark.usefixtures("project")
def test_the_shell_is_offered_parameters_of_a_file_that_is_not_run() -> None:
    source = "print('run')\nimport artvcs as a\n@a.pipeline(name='x')\ndef {}(depth: int, *, rate=0.1): ...\n"
    Path("one.py").write_text(source.format("one") + "@a.step\ndef other(count): ...\n")
    assert offered("art", "run", "one.py", "-p", "") == {"depth=", "rate="}
    assert offered("art", "run", "one.py", "-p", "ra") == {"rate="}
    assert offered("art", "run", "one.py:one", "--param", "d") == {"depth="}
    assert offered("art", "run", "one.py:two", "-p", "") == set()
    assert offered("art", "run", "missing.py", "-p", "") == set()
    assert offered("art", "run", "one.py", "-p", "rate=") == {"rate=0.1"}
    Path("one.py").write_text("def broken(")
    assert offered("art", "run", "one.py", "-p", "") == set()


@pytest.mark.usefixtures("project")
def test_the_shell_is_offered_values_that_a_parameter_may_have() -> None:
    takes = "yes: bool, kind: t.Literal['a', 'b'] = 'a', path: Path = None, *, any: str, count: int = 3"
    Path("one.py").write_text(f"@pipeline\ndef one({takes}): ...\n")
    assert offered("art", "run", "one.py", "-p", "yes=") == {"yes=true", "yes=false"}
    assert offered("art", "run", "one.py", "-p", "kind=") == {"kind=a", "kind=b"}
    assert offered("art", "run", "one.py", "-p", "path=a") == {"path=adding.py"}
    assert offered("art", "run", "one.py", "-p", "count=") == {"count=3"}
    assert offered("art", "run", "one.py", "-p", "any=") == set()
    assert offered("art", "run", "one.py", "-p", "other=") == set()


@pytest.mark.usefixtures("project")
def test_the_shell_is_offered_files_that_can_be_run_and_folders() -> None:
    for folder in ("data/deep", ".hidden", "__pycache__"):
        Path(folder).mkdir(parents=True)
    for file in ("data/a.py", "data/a.txt", "data/b c.py", "conf.yaml", "more.yml"):
        Path(file).touch()
    assert offered("art", "run", "") == {"adding.py", "data/"}
    assert offered("art", "run", "data/") == {"data/deep/", "data/a.py", "data/b c.py"}
    assert offered("art", "run", "./.h") == {"./.hidden/"}
    assert offered("art", "run", "adding.py:a") == {"adding.py:adding"}
    assert offered("art", "run", "missing/") == set()
    assert offered("art", "run", "adding.py", "-c", "") == {"conf.yaml", "more.yml", "data/"}


def test_the_shell_is_offered_versions(art: Art, repository: Repository) -> None:
    art("run", "adding.py", "-p", "count=4")
    art("tag", "numbers@1", "production")
    assert offered("art", "show", "numbers@") == {f"numbers@{each}" for each in ("latest", "production", 1, 2)}
    assert offered("art", "checkout", "numbers@p") == {"numbers@production"}
    assert offered("art", "rm", "numb") == {"numbers"}
    assert offered("art", "show", "other@") == set()


def test_a_verb_that_does_not_exist_is_no_error_while_somebody_is_typing(repository: Repository) -> None:
    assert offered("art", "shwo", "") == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_switches_it_on(art: Art, shell: str) -> None:
    assert f"_ART_COMPLETE={shell}_complete" in art("completion", shell).out


def test_without_a_repository_nothing_is_offered(project: object) -> None:
    assert offered("art", "show", "tot") == set()
