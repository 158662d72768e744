"""`model@main`, `model@v1`, `model@HEAD~1`: the newest version made at a Git revision or before it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Annotated

import pytest

from artvcs import Client, ExternalArtifact, Model, pipeline, register_artifact, save_artifact, step
from artvcs.pipelines.history.finding import lookup
from artvcs.vcs import Repository
from artvcs.vcs.errors import UnknownName


@step
def fit(n: int) -> Annotated[int, "model"]:
    return n


@step
def use(model: int) -> int:
    return model + 1


@pipeline
def training(n: int) -> None:
    fit(n)


@pipeline
def using_the_one_of_v1() -> None:
    use(Client().get_artifact_version("model", rev="v1"))


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.invalid"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three commits: one version is made at the first (tagged v1), one on a branch, one at the third."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch=main")
    git("commit", "--allow-empty", "-m", "one")
    git("tag", "v1")
    training(1)
    git("checkout", "--quiet", "-b", "side")
    git("commit", "--allow-empty", "-m", "aside")
    training(2)
    git("checkout", "--quiet", "main")
    git("commit", "--allow-empty", "-m", "two")
    git("commit", "--allow-empty", "-m", "three")
    training(3)


@pytest.mark.parametrize(
    ("revision", "made"), [("main", 3), ("v1", 1), ("side", 2), ("HEAD~1", 1), ("HEAD", 3), ("main~2", 1)]
)
def test_the_newest_version_at_a_revision(revision: str, made: int) -> None:
    assert Client().get_artifact_version("model", rev=revision).load() == made


def test_without_a_revision_it_is_the_newest_of_all() -> None:
    assert Client().get_artifact_version("model").load() == 3


def test_a_revision_in_a_pipeline_is_looked_up_when_it_runs() -> None:
    assert using_the_one_of_v1().steps["use"].output.load() == 2


def test_what_somebody_stored_is_found_by_the_revision_that_was_checked_out_then(tmp_path: Path) -> None:
    git("checkout", "--quiet", "--orphan", "other")
    git("commit", "--allow-empty", "-m", "from which nothing follows")
    for at, value in (("v1", "one"), ("main", "two")):
        git("checkout", "--quiet", at)
        (tmp_path / "raw.csv").write_text(value)
        register_artifact("raw.csv", "raw")
        save_artifact(value, "text")
    client = Client()
    for name in ("raw", "text"):
        assert [client.get_artifact_version(name, rev=rev).number for rev in ("v1", "main~1", "main")] == [1, 1, 2]
        with pytest.raises(UnknownName, match=f"No version of '{name}' was made at that Git revision or before it"):
            client.get_artifact_version(name, rev="other")
    stored = client.get_artifact_version("raw").record
    assert (stored.author, stored.commit, stored.run) == (Repository.discover().author(), None, None)


def test_what_a_pipeline_was_given_from_outside_is_found_so_too() -> None:
    @pipeline
    def given(value: int) -> None:
        use(ExternalArtifact(value, name="outside"))  # type: ignore[arg-type]

    given(1)
    git("commit", "--allow-empty", "-m", "four")
    given(2)
    assert Client().get_artifact_version("outside", rev="main~1").load() == 1
    assert Client().get_artifact_version("outside", rev="main").load() == 2


def test_a_version_of_a_model_is_found_by_the_revision_of_its_run() -> None:
    modelled = training.with_options(model=Model("churn"))
    modelled(5)
    git("commit", "--allow-empty", "-m", "four")
    modelled(6)
    refs, project = Repository.discover().refs(), Path.cwd()
    assert lookup.find_spec(refs, "churn@main~1", project).number == 1
    assert lookup.find_spec(refs, "churn@main", project).number == 2


def test_an_unknown_revision_is_named() -> None:
    with pytest.raises(UnknownName, match="'nowhere' is neither a version nor a Git revision"):
        Client().get_artifact_version("model", rev="nowhere")


def test_a_commit_records_the_git_state(tmp_path: Path) -> None:
    (tmp_path / "work.txt").write_text("a\n")
    git("add", "work.txt")
    git("commit", "-m", "four")
    (tmp_path / "work.txt").write_text("b\n")
    training(4)
    repository = Client().repository
    commit = Client().get_artifact_version("model").commit
    assert commit is not None
    assert commit.git.branch == "main"
    assert b"-a\n+b\n" in repository.store.read(commit.git.diff, "blob")
    assert commit.author == "A <a@example.invalid>" or "@" in commit.author
