"""Whoever can write to a bucket can put a result under any key; whose results count is another question.

CVE-2025-36852: in a cache where whoever writes a key first wins, the job of a pull request can poison the main branch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import TRUST, Machine, last, poison

Clone = Callable[[str], Machine]


def test_where_everybody_is_trusted_whoever_writes_a_key_first_wins(machine: Clone) -> None:
    poison(machine("mallory"))
    main = machine("main")
    main.art("pull")
    assert main.ran() == set()
    assert last(main, "total", "load()") == "666"  # so the attack is one


@pytest.mark.long
def test_a_pull_request_that_poisons_a_key_is_no_hit(
    machine: Clone, trusting: Callable[..., Machine], keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(machine("mallory"))
    main, ada = trusting("main"), trusting("ada")
    main.art("pull")
    assert main.ran() == {"numbers", "total"}
    assert "does not count: nobody has signed it" in main.art("why", "total").out
    right = last(main, "total", "load()")
    assert right != "666"
    with monkeypatch.context() as job:
        job.setenv("ARTVCS_SIGNING_KEY", str(keys("ci")))
        assert "signed" in main.art("push").out
    ada.art("pull")
    assert ada.ran() == set()
    assert last(ada, "total", "load()") == right
    ada.art("fsck")


def test_what_others_pushed_can_be_seen_and_fetched(machine: Clone, trusting: Callable[..., Machine]) -> None:
    poison(machine("mallory"))
    ada = trusting("ada")
    ada.art("pull", "--data")
    assert ada.art("cat", "numbers").out
    assert ada.art("show", "total", "--json").json["signed"] == {}
    ada.art("fsck")


@pytest.mark.long
def test_a_signed_result_is_none_under_another_key(
    trusting: Callable[..., Machine], machine: Clone, keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ci = trusting("ci")
    ci.ran("-p", "seed=1")
    ci.ran("-p", "seed=2")
    with monkeypatch.context() as job:
        job.setenv("ARTVCS_SIGNING_KEY", str(keys("ci")))
        ci.art("push")
    mallory = machine("mallory")
    mallory.art("pull")
    mallory.python("""
from artvcs.vcs import Commit, Repository, ref_names
repository = Repository.discover()
with repository.transaction("mix up") as transaction:
    found = [(oid, repository.store.record(oid, Commit)) for _, oid in repository.refs().items(ref_names.CACHE)]
    for step in ("numbers", "total"):
        (one, first), (other, second) = [each for each in found if each[1].step == step]
        for key, held, instead in ((first.cache_key, one, other), (second.cache_key, other, one)):
            transaction.set_ref(ref_names.result(key, instead), instead)
            transaction.set_ref(ref_names.result(key, held), None)
""")
    mallory.art("push")
    ada = trusting("ada")
    ada.art("pull")
    ada.ran("-p", "seed=1")
    assert last(ada, "numbers", "id") == ci.art("show", "numbers@1", "--json").json["id"]


def test_a_branch_that_is_not_trusted_is_no_hit(
    trusting: Callable[..., Machine], keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    job, ada = trusting("job"), trusting("ada")
    job.ran()
    with monkeypatch.context() as env:
        env.setenv("ARTVCS_SIGNING_KEY", str(keys("ci")))
        env.setenv("GITHUB_ACTIONS", "true")
        env.setenv("GITHUB_REF", "refs/pull/7/merge")
        env.setenv("GITHUB_HEAD_REF", "main")  # as the author of the pull request has called it
        job.art("push")
    ada.art("pull")
    assert "ci@example.org on refs/pull/7/merge" in ada.art("show", "total").out
    assert ada.ran() == {"numbers", "total"}
    assert "signed by ci@example.org on refs/pull/7/merge, whose results do not count" in ada.art("why", "total").out


def test_one_s_own_results_count_and_are_signed_by_nobody_else(
    trusting: Callable[..., Machine], keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ci, ben = trusting("ada"), trusting("ci"), trusting("ben")
    ada.ran()
    assert ada.ran() == set()  # unsigned
    ada.art("push")
    with monkeypatch.context() as env:
        env.setenv("ARTVCS_SIGNING_KEY", str(keys("ci")))
        ci.art("pull")
        ci.art("push")  # what others have made is none of its making
    ben.art("pull")
    assert ben.ran() == {"numbers", "total"}


def test_git_s_own_key_signs(trusting: Callable[..., Machine], keys: Callable[[str], Path]) -> None:
    results = 'results = ["ada@example.org"]\n'
    ada, ben = (trusting(name, TRUST.partition("results")[0] + results) for name in ("ada", "ben"))
    ada.ran()
    said = ada.art("push").out
    assert "is not signed" in said
    ada.git("config", "gpg.format", "ssh")
    ada.git("config", "user.signingkey", str(keys("ada").with_suffix(".pub")))
    ada.ran("-p", "seed=2")
    assert "2 signed" in ada.art("push").out
    ben.art("pull")
    assert ben.ran("-p", "seed=2") == set()
    assert ben.ran() == {"numbers", "total"}
    assert "Signed:    ada@example.org on main" in ben.art("show", "total@2").out


def test_a_key_that_cannot_sign_pushes_nothing(
    trusting: Callable[..., Machine], shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = trusting("ada")
    ada.ran()
    monkeypatch.setenv("ARTVCS_SIGNING_KEY", str(tmp_path / "no-key"))
    failed = ada.art("push", code=1)
    assert "cannot be signed" in failed.err
    assert failed.err.count("\n") == 1
    assert ada.art("status", "--json").json["remotes"]["origin"]["runs"] == 1


def test_one_line_trusts_everybody_who_can_write(machine: Clone, trusting: Callable[..., Machine]) -> None:
    ada, ben = (trusting(name, '\n[tool.artvcs]\ntrust.results = "everyone"\n') for name in ("ada", "ben"))
    ada.ran()
    ada.art("push")
    ben.art("pull")
    assert ben.ran() == set()


PICKLING = """
from typing import Annotated
from artvcs import pipeline, step

class Model:
    pass

@step
def train() -> Annotated[object, "model"]:
    return Model()

@step
def use(model: object) -> Annotated[int, "used"]:
    return 7

@pipeline
def training():
    use(train())
"""


@pytest.mark.long
def test_pickles_of_those_who_are_trusted_with_it_load(
    trusting: Callable[..., Machine], keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = TRUST + 'pickles = [{ signer = "ci@example.org", branch = "ma*" }]\n'
    ci, ada, careful = trusting("ci", trust), trusting("ada", trust), trusting("careful")
    for each in (ci, ada, careful):
        (each.folder / "models.py").write_text(PICKLING)
    ci.art("run", "models.py")
    with monkeypatch.context() as env:
        env.setenv("ARTVCS_SIGNING_KEY", str(keys("ci")))
        ci.art("push")
    load = "import models; from artvcs import load_artifact; print(type(load_artifact('model')).__name__)"
    for each in (ada, careful):
        each.art("pull")
    assert ada.python(load) == "Model"
    refused = careful.run("-c", load)
    assert "art trust" in refused.err
    careful.art("trust", "model")
    assert careful.python(load) == "Model"


MODELS = """
from typing import Annotated, Any
from artvcs import pipeline, step

class Model:
    held = 1

@step
def fit() -> Annotated[Any, "model"]:
    return Model()

@step
def judge(model: Any) -> int:
    return model.held

@pipeline
def flow():
    judge(fit())
"""


def test_a_run_that_takes_what_somebody_else_pickled_says_what_to_trust(
    machine: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ada, ben = machine("ada"), machine("ben")
    for each in (ada, ben):
        (each.folder / "flow.py").write_text(MODELS)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-of-ada"))
    ada.art("run", "flow.py")
    ada.art("push")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-of-ben"))
    ben.art("pull")
    (ben.folder / "flow.py").write_text(MODELS.replace("model.held", "model.held + 1"))
    refused = ben.art("run", "flow.py", code=1)
    assert refused.err.splitlines()[-1].partition(" (`art show")[0] == (
        "error: Step 'judge' failed: UntrustedData: Loading model@1 by artvcs.pickle runs code that came with it, "
        "or can crash the process; `art trust model@1` says that you trust who made it, "
        "and `art run flow.py` goes on from there"
    )
    ben.art("trust", "model@1")
    assert ben.ran() == {"judge"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('trust = "ada"', "is no table"),
        ("trust = { results = ['ada'] }", "has to name a file of allowed signers"),
        ("trust = { signers = 'allowed_signers', results = 'ada' }", "`results` of `trust` in"),
        ("trust = { signers = 'allowed_signers', results = [{ branch = 'main' }] }", "cannot be understood"),
        ("trust = { signers = 'allowed_signers', singers = [] }", "has singers, which is not known"),
    ],
)
def test_what_cannot_be_understood_is_refused(trusting: Callable[..., Machine], wrong: str, said: str) -> None:
    ada = trusting("ada", f"\n[tool.artvcs]\n{wrong}\n")
    ada.art("init")
    failed = ada.try_art("run", "flow.py")
    assert failed.code != 0
    assert said in failed.err
    assert failed.err.count("\n") == 1


def test_without_the_file_of_signers_nothing_of_others_counts_and_it_is_said(
    machine: Clone, trusting: Callable[..., Machine]
) -> None:
    ada, ben = trusting("ada"), trusting("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    (ben.folder / "allowed_signers").unlink()
    assert ben.ran() == {"numbers", "total"}
