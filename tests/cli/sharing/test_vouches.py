"""What an adversary has tried: whoever writes what he likes to a bucket makes no hit, hides none, and delays nobody."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import Done
from .conftest import TRUST, Machine, poison

Clone = Callable[[str], Machine]


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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
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
    assert "Signed:    cannot be checked (There is no file allowed_signers" in shown
    assert "Files:" in shown
    ci.art("show", "total", "--json")
