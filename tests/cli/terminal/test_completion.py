"""What a shell is offered for half a word."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from artvcs import Client, Model, log_metadata, pipeline, step
from artvcs.cli import main
from artvcs.vcs.repository import Repository

from ...histories import run_name, write_runs
from ..conftest import Art


@pytest.fixture
def repository(art: Art) -> Repository:
    assert art("run", "adding.py").code == 0
    return Repository.discover()


def offered(*words: str) -> set[str]:
    """What the shell offers for the last of the words, as fish asks for it."""
    environment = {"_ART_COMPLETE": "fish_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": words[-1]}
    done = CliRunner().invoke(main.art, [], env=environment, prog_name="art")
    assert done.stderr == ""
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


def test_without_a_repository_nothing_is_offered(project: object) -> None:
    assert offered("art", "show", "tot") == set()


def test_the_shell_is_offered_measures_and_columns(art: Art, repository: Repository) -> None:
    run = Client().list_pipeline_runs()[0]
    log_metadata({"accuracy": 0.9, "mood": "good"}, run_id_name_or_prefix=run.id)
    log_metadata({"checked": 1}, artifact_name="total")
    Path("other.py").write_text(
        "from artvcs import log_metadata, pipeline, step\n"
        "@step\ndef train(depth: int) -> int:\n    log_metadata({'loss': 0.5}, step=1)\n    return depth\n"
        "@pipeline\ndef other(depth: int = 1):\n    train(depth)\n"
    )
    assert art("run", "other.py").code == 0
    assert offered("art", "plot", "") == {"accuracy", "checked", "loss", "values"}
    assert offered("art", "plot", "acc") == {"accuracy"}
    assert {"adding", "other", run.name} <= offered("art", "plot", "accuracy", "")
    given_and_noted = {"accuracy", "checked", "mood", "values", "count", "label"}
    assert offered("art", "plot", "accuracy", "--by", "") == {*given_and_noted, "loss", "depth"}
    assert offered("art", "plot", "accuracy", "adding", "--by", "") == given_and_noted
    assert offered("art", "plot", "loss", "other", "--by", "") == {"depth", "loss"}
    own = {"run", "id", "pipeline", "status", "started", "seconds", "took", "began"}
    assert offered("art", "runs", "--sort", "") == {*given_and_noted, "loss", "depth", *own}
    assert offered("art", "runs", "other", "--sort", "") == {"loss", "depth", *own}
    assert offered("art", "runs", "--columns", "acc") == {"accuracy"}
    assert offered("art", "runs", "--columns", "depth,acc") == {"depth,accuracy"}


def test_what_is_sorted_downwards_begins_with_a_dash(repository: Repository) -> None:
    assert offered("art", "runs", "--sort", "-val") == {"-values"}
    assert offered("art", "runs", "--sort=-val") == {"--sort=-values"}
    assert offered("art", "runs", "--sort=val") == {"--sort=values"}
    assert offered("art", "ls", "--sort", "") == {"name", "number", "created", "size"}
    assert offered("art", "ls", "--sort", "-s") == {"-size"}
    assert "--columns" in offered("art", "runs", "--sort", "values", "-")
    assert offered("art", "runs", "--so") == {"--sort"}


def test_the_shell_is_offered_stages(art: Art, repository: Repository) -> None:
    assert offered("art", "tag", "numbers", "") == {"staging", "production"}
    for name, stage in (("numbers", "production"), ("numbers", "shadow"), ("total", "canary")):
        assert art("tag", name, stage).code == 0
    assert art("tag", "-d", "numbers", "shadow").code == 0
    assert offered("art", "tag", "numbers@1", "") == {"staging", "production", "shadow", "canary"}
    assert offered("art", "tag", "-d", "numbers", "") == {"production"}
    assert offered("art", "tag", "numbers", "-d", "") == {"production"}
    assert offered("art", "tag", "-d", "unknown", "") == set()


def test_the_shell_is_offered_the_runs_that_have_a_step(art: Art, repository: Repository) -> None:
    other = Path("adding.py").read_text().replace("unnamed(total(numbers(count)))", "numbers(count)")
    Path("other.py").write_text(other.replace("def adding", "def other"))
    assert art("run", "other.py").code == 0
    [without, having] = [run["name"] for run in art("log", "--json").json]
    assert offered("art", "why", "total", "--run", "") == {having}
    assert offered("art", "why", "numbers", "--run", "") == {having, without}
    assert offered("art", "why", "numbers", "--run", "oth") == {without}
    assert offered("art", "why", "adding::numbers", "--run", "") == {having}
    assert offered("art", "why", "--run", "") == {having, without}
    assert offered("art", "why", "unknown", "--run", "") == set()


def test_the_shell_is_offered_the_files_of_a_version(art: Art, project: Path) -> None:
    for file in ("data/a.csv", "data/deep/b.csv", "data/deep/er/c.csv"):
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).write_text(file)
    assert art("add", "data", "--name", "data").code == 0
    assert offered("art", "cat", "da") == {"data"}
    assert offered("art", "cat", "data:") == {"data:a.csv", "data:deep/"}
    assert offered("art", "cat", "data@1:deep/") == {"data@1:deep/b.csv", "data@1:deep/er/"}
    assert offered("art", "cat", "data:deep/er/c") == {"data:deep/er/c.csv"}
    assert art("cat", "data:deep/er/c.csv").out == "data/deep/er/c.csv"
    for nothing in ("data:none/", "none:", "data@9:", "data:a.csv/"):
        assert offered("art", "cat", nothing) == set()


def test_the_shell_is_offered_models_by_their_names(art: Art, project: Path) -> None:
    @step
    def train() -> int:
        return 1

    @pipeline(model=Model("shop"))
    def shopping() -> None:
        train()

    shopping()
    assert art("tag", "shop", "production").code == 0
    assert offered("art", "show", "sh") >= {"shop"}
    assert offered("art", "show", "shop@") == {"shop@1", "shop@latest", "shop@production"}
    assert offered("art", "show", "models/shop@p") == {"models/shop@production"}
    assert offered("art", "tag", "-d", "shop", "") == {"production"}


def test_the_shell_is_offered_remotes(art: Art, project: Path) -> None:
    """Also those of a project that has no repository yet, which is not made."""
    (project / "pyproject.toml").write_text('[tool.artvcs.remotes]\norigin = "far"\nlab = "farther"\n')
    asked = (
        ("remote", "rm"), ("remote", "test"), ("remote", "policy"), ("push", "--to"), ("pull", "--from"), ("fetch",),
        ("mirror",), ("gc", "--remote"), ("rm", "x", "--remote"),
    )  # fmt: skip
    for words in asked:
        assert offered("art", *words, "") == {"origin", "lab"}
    assert offered("art", "push", "--to", "l") == {"lab"}
    assert not (project / ".artifacts").exists()
    (project / "pyproject.toml").write_text("[tool.artvcs]\nremotes = 1\n")
    assert offered("art", "push", "--to", "") == set()


def test_of_ten_thousand_the_shell_is_offered_those_that_start_so(repository: Repository) -> None:
    """Measures, columns, pipelines, stages and files: each answer is bounded, and comes while somebody waits for it."""
    Path("many").mkdir()
    for number in range(10_000):
        (Path("many") / f"f{number:05}").touch()
    many = {f"m{number:05}": number for number in range(900)}
    run = Client().list_pipeline_runs()[0]
    log_metadata(many, run_id_name_or_prefix=run.id)
    assert CliRunner().invoke(main.art, ["add", "many", "--name", "many"], prog_name="art").exit_code == 0
    offered("art", "plot", "m")
    began = time.monotonic()
    assert len(offered("art", "cat", "many:")) == 1000
    assert offered("art", "cat", "many:f0999") == {f"many:f0999{last}" for last in range(10)}
    assert len(offered("art", "plot", "m")) == 900
    assert offered("art", "runs", "--sort", "-m0089") == {f"-m0089{last}" for last in range(10)}
    assert time.monotonic() - began < 5


def test_nobody_who_types_waits_for_a_new_clone_to_be_read(art: Art, project: Path) -> None:
    """What is offered then is what was known before; a command that is asked reads what is new."""
    write_runs(Repository.discover(create=True), 400)
    assert offered("art", "plot", "") == set()
    assert offered("art", "why", "") == set()
    assert art("runs", "-n", "1").code == 0
    assert offered("art", "plot", "") == {"accuracy", "epochs"}
    write_runs(Repository.discover(), 100, first=400)
    assert offered("art", "why", "load", "--run", run_name(499)) == {run_name(499)}


@pytest.mark.parametrize(
    "words",
    [
        ("plot", ""), ("plot", "loss", ""), ("plot", "loss", "--by", ""), ("runs", "--columns", "de"),
        ("tag", "-d", "x", ""),
        ("why", "x", "--run", ""), ("cat", "x:"), ("remote", "rm", ""), ("show", "shop@"), ("push", "--to", ""),
    ],
)  # fmt: skip
def test_looking_for_words_makes_no_repository(project: Path, words: tuple[str, ...]) -> None:
    before = set(project.iterdir())
    assert offered("art", *words) == set()
    assert set(project.iterdir()) == before
