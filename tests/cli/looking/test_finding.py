"""One word, one thing: names, runs, ids, and what was perhaps meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from artvcs.cli.stored import finding
from artvcs.pipelines.history.finding import run_lookup
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
    real: Callable[..., Run] = run_lookup.find_run
    monkeypatch.setattr(
        run_lookup, "find_run_spec", lambda refs, text: dataclasses.replace(real(refs, "adding-"), run=record.artifact)
    )
    with pytest.raises(AmbiguousName, match=r"could be run .* or artifact .*; give more digits"):
        finding.find(repository, record.artifact[:8])


def test_fewer_than_four_digits_name_no_object(repository: Repository) -> None:
    refs = repository.refs()
    runs = {ref_names.last_part(ref)[:3] for ref, _ in refs.items(ref_names.RUNS)}  # random, and found by any start
    digits = next(oid[:3] for _, oid in refs.items(ref_names.ARTIFACTS) if oid[:3] not in runs)
    with pytest.raises(UnknownName):
        finding.find(repository, digits)


@pytest.mark.long
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


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_switches_it_on(art: Art, shell: str) -> None:
    assert f"_ART_COMPLETE={shell}_complete" in art("completion", shell).out
