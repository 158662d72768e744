"""Whoever can write to a bucket can put a result under any key; whose results count is another question.

CVE-2025-36852: in a cache where whoever writes a key first wins, the job of a pull request can poison the main branch.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import Done
from .conftest import Machine
from .poison import POISON

Clone = Callable[[str], Machine]

TRUST = """
[tool.artvcs.trust]
signers = "allowed_signers"
results = [{ signer = "ci@example.org", branch = "main" }]
"""


@pytest.fixture
def keys(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a key for somebody."""

    def make(name: str) -> Path:
        path = tmp_path / f"key-{name}"
        if not path.exists():
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@example.org", "-f", str(path)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    return make


@pytest.fixture
def trusting(machine: Clone, keys: Callable[[str], Path]) -> Callable[..., Machine]:
    """A machine of a project that trusts what the service for its main branch has made."""

    def make(name: str, trust: str = TRUST) -> Machine:
        clone = machine(name)
        lines = [f"{who}@example.org {keys(who).with_suffix('.pub').read_text()}" for who in ("ci", "ada")]
        (clone.folder / "allowed_signers").write_text("".join(lines))
        with (clone.folder / "pyproject.toml").open("a") as file:
            file.write(trust)
        return clone

    return make


def poison(job: Machine) -> None:
    """What the job of a hostile pull request does: it knows the project, and may write to the bucket."""
    job.ran()
    job.python(POISON.format(step="total", value=666))
    job.art("push")


def last(machine: Machine, step: str, what: str) -> str:
    """Something of the output that a step has in the last run."""
    return machine.python(
        f"from artvcs import Client; print(Client().list_pipeline_runs()[0].steps[{step!r}].output.{what})"
    )


def test_where_everybody_is_trusted_whoever_writes_a_key_first_wins(machine: Clone) -> None:
    poison(machine("mallory"))
    main = machine("main")
    main.art("pull")
    assert main.ran() == set()
    assert last(main, "total", "load()") == "666"  # so the attack is one


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


# What an adversary has tried


@pytest.fixture
def signing(keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Pushes with somebody's key."""

    def push(machine: Machine, who: str = "ci", **environment: str) -> Done:
        with monkeypatch.context() as job:
            job.setenv("ARTVCS_SIGNING_KEY", str(keys(who)))
            for name, value in environment.items():
                job.setenv(name, value)
            return machine.art("push")

    return push


def test_a_repository_that_the_environment_names_is_trusted_as_its_project_says(
    machine: Clone, trusting: Callable[..., Machine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(machine("mallory"))
    ben = trusting("ben")
    ben.art("pull", "--data")
    (tmp_path / "job").mkdir()
    elsewhere = Machine(tmp_path / "job")
    monkeypatch.setenv("ARTVCS_DIR", str(ben.folder / ".artifacts"))
    done = elsewhere.art("run", str(ben.folder / "flow.py"), "--json").json
    assert {step["status"] for step in done["steps"].values()} == {"completed"}


def test_what_stands_beside_the_pipeline_counts_in_a_larger_project(
    machine: Clone, trusting: Callable[..., Machine]
) -> None:
    poison(machine("mallory"))
    ben = machine("ben")
    sub = Machine(ben.folder / "sub")
    sub.folder.mkdir()
    (sub.folder / "flow.py").write_text((ben.folder / "flow.py").read_text())
    (sub.folder / "allowed_signers").write_text("")
    (sub.folder / "pyproject.toml").write_text(TRUST)
    ben.art("pull")
    assert sub.ran() == {"numbers", "total"}
    assert "does not count" in sub.art("why", "total").out


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        ("ci@example.org", True), ("*@example.org", True), ("c?@example.org", False), ("[c]i@example.org", False),
        ("ci@example.org*", True), ("i@example.org", False),
    ],
)  # fmt: skip
def test_only_an_asterisk_stands_for_letters(
    trusting: Callable[..., Machine], signing: Callable[..., Done], rule: str, counts: bool
) -> None:
    ci, ben = trusting("ci"), trusting("ben", TRUST.replace('"ci@example.org"', f'"{rule}"'))
    ci.ran()
    signing(ci)
    ben.art("pull")
    assert (ben.ran() == set()) == counts


@pytest.mark.parametrize(
    ("environment", "branch"),
    [
        ({"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/7/merge"}, "refs/pull/7/merge"),
        ({"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_REF": "refs/heads/main"}, "refs/events/workflow_run/main"),
        ({"GITHUB_EVENT_NAME": "issue_comment", "GITHUB_REF": "refs/heads/main"}, "refs/events/issue_comment/main"),
        ({"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/tags/main"}, "refs/tags/main"),
    ],
)  # fmt: skip
def test_what_others_can_start_is_on_no_branch(
    trusting: Callable[..., Machine], signing: Callable[..., Done], environment: dict[str, str], branch: str
) -> None:
    job, ben = trusting("job"), trusting("ben", TRUST.replace('"main"', '"*"'))
    job.ran()
    signing(job, GITHUB_ACTIONS="true", **environment)
    ben.art("pull")
    assert f"ci@example.org on {branch}" in ben.art("show", "total").out
    assert ben.ran() == {"numbers", "total"}


def test_a_tag_with_the_name_of_the_branch_changes_nothing(
    trusting: Callable[..., Machine], signing: Callable[..., Done]
) -> None:
    ci, ben = trusting("ci"), trusting("ben")
    ci.git("tag", "main")
    ci.ran()
    signing(ci)
    ben.art("pull")
    assert ben.ran() == set()


def test_a_key_can_be_given_as_it_is_and_is_never_shown(
    trusting: Callable[..., Machine], keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ci, ben = trusting("ci"), trusting("ben")
    ci.ran()
    secret = keys("ci").read_text()
    monkeypatch.setenv("ARTVCS_SIGNING_KEY", secret.replace("A", "B"))
    failed = ci.art("push", code=1)
    assert "the key in ARTVCS_SIGNING_KEY" in failed.err
    assert not any(line in failed.err + failed.out for line in secret.splitlines()[1:-1])
    monkeypatch.setenv("ARTVCS_SIGNING_KEY", secret.strip())
    assert "2 signed" in ci.art("push").out
    ben.art("pull")
    assert ben.ran() == set()


def test_what_was_pushed_before_is_signed_once_it_is_used_where_it_counts(
    trusting: Callable[..., Machine], signing: Callable[..., Done]
) -> None:
    ci, ben = trusting("ci"), trusting("ben")
    ci.git("checkout", "-q", "-b", "feature")
    ci.ran()
    ci.art("push")  # without a key
    assert ci.ran() == set()
    assert "2 signed" in signing(ci).out
    ci.git("checkout", "-q", "main")
    assert ci.ran() == set()
    assert "2 signed" in signing(ci).out
    assert ci.ran() == set()
    assert "signed" not in signing(ci).out  # once is enough
    ben.art("pull")
    assert ben.ran() == set()


def test_a_key_that_nobody_knows_is_said(trusting: Callable[..., Machine], signing: Callable[..., Done]) -> None:
    ada = trusting("ada")
    ada.ran()
    assert "is in no line of the file" in signing(ada, "stranger").err


@pytest.mark.parametrize("program", ["true", "echo"])
def test_a_program_that_does_not_sign_is_found_out(
    trusting: Callable[..., Machine], keys: Callable[[str], Path], program: str
) -> None:
    ada = trusting("ada")
    ada.ran()
    for name, value in (("gpg.format", "ssh"), ("gpg.ssh.program", program), ("user.signingkey", str(keys("ada")))):
        ada.git("config", name, value)
    assert "cannot be signed" in ada.art("push", code=1).err


def test_without_a_secret_nothing_is_signed_and_that_is_said(
    trusting: Callable[..., Machine], signing: Callable[..., Done], keys: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    ci = trusting("ci")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "state"))
    ci.ran()
    assert ci.ran() == {"numbers", "total"}
    assert "cannot be told from what was not" in ci.art("why", "total").out
    monkeypatch.setenv("ARTVCS_SIGNING_KEY", str(keys("ci")))
    assert "set XDG_STATE_HOME" in ci.art("push", code=1).err


JUNK = """
import os, sys
from artvcs.vcs import Commit, Repository, ref_names, canonical
from artvcs.vcs.trust import vouches
repository, made = Repository.discover(), {made}
with repository.transaction("junk") as transaction:
    commits = [oid for _, oid in repository.refs().items(ref_names.CACHE)]
    known = [vouches.of(repository.refs(), repository.store, commit) for commit in commits]
    genuine = next((vouch.signature for each in known for _, vouch in each if vouch), "")
    for number in range({count}):
        ids = sorted([*commits, *(os.urandom(32).hex() for _ in range(made))])
        data = vouches.Vouch(tuple(ids), "main", number, {signature}).encode() if made >= 0 else b"junk %d" % number
        oid = transaction.put_blob(data)
        for commit in commits:
            transaction.set_ref(ref_names.vouch(commit, oid), oid)
            transaction.set_ref(ref_names.vouch(commit, "%064x" % number), oid)
"""


@pytest.mark.parametrize(
    ("made", "count", "signature"),
    [(-1, 400, '""'), (0, 400, '"no signature"'), (0, 60, "genuine"), (9_000, 40, '""')],
    ids=["no vouches", "unsigned", "copied signatures", "large"],
)
def test_a_stranger_s_vouches_hide_nothing_and_cost_little(
    machine: Clone,
    trusting: Callable[..., Machine],
    signing: Callable[..., Done],
    made: int,
    count: int,
    signature: str,
) -> None:
    ci, ben, mallory = trusting("ci"), trusting("ben"), machine("mallory")
    ci.ran()
    signing(ci)
    mallory.art("pull")
    mallory.python(JUNK.format(made=made, count=count, signature=signature))
    mallory.art("push")
    ben.art("pull")
    began = time.monotonic()
    assert ben.ran() == set()
    assert time.monotonic() - began < 8
    ben.art("fsck")


def test_refs_that_name_no_object_stop_no_push(
    machine: Clone, trusting: Callable[..., Machine], signing: Callable[..., Done]
) -> None:
    mallory = machine("mallory")
    mallory.ran()
    mallory.python("""
from artvcs.vcs import Oid, Repository
with Repository.discover().transaction("odd") as transaction:
    for ref in ("values/zz/n/0000000001", "cache/zz/zz", "vouched/zz/zz", "vouched/zz"):
        transaction.set_ref(ref, Oid("0" * 64))
""")
    mallory.art("push")
    ci = trusting("ci")
    ci.art("pull")
    ci.ran()
    assert "2 signed" in signing(ci).out


@pytest.mark.parametrize("branch", ["ma\udcffin", "x" * 100_000, "a\nb"])
def test_what_can_be_no_branch_is_refused(
    trusting: Callable[..., Machine], keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, branch: str
) -> None:
    ci = trusting("ci")
    ci.ran()
    monkeypatch.setenv("ARTVCS_SIGNING_KEY", str(keys("ci")))
    monkeypatch.setenv("ARTVCS_BRANCH", branch)
    assert "cannot be the name of a branch" in ci.art("push", code=1).err


def test_a_signature_of_another_execution_is_not_shown_as_this_one_s(
    machine: Clone, trusting: Callable[..., Machine], signing: Callable[..., Done]
) -> None:
    mallory, ci, ben = machine("mallory"), trusting("ci"), trusting("ben")
    mallory.ran()
    mallory.art("push")
    ci.art("pull")
    ci.ran()
    signing(ci)
    ben.art("pull")
    [line] = [line for line in ben.art("show", "total").out.splitlines() if line.startswith("Signed:")]
    shown = ben.art("show", "total", "--json").json
    [(commit, signers)] = shown["signed"].items()
    assert commit != shown["commit"]
    assert signers == ["ci@example.org on main"]
    assert line == f"Signed:    ci@example.org on main, of commit {commit[:12]}"


def test_where_signers_cannot_be_told_the_rest_is_shown(
    trusting: Callable[..., Machine], signing: Callable[..., Done]
) -> None:
    ci = trusting("ci")
    ci.ran()
    signing(ci)
    (ci.folder / "allowed_signers").unlink()
    shown = ci.art("show", "total").out
    assert "Signed:    ? There is no file allowed_signers" in shown
    assert "Files:" in shown
    ci.art("show", "total", "--json")
