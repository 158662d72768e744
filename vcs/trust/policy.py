"""Whose results count as hits, and whose pickles load: what `[tool.artvcs.trust]` says.

    [tool.artvcs.trust]
    signers = ".github/allowed_signers"
    results = [{ signer = "ci@example.org", branch = "main" }, "ada@example.org"]
    pickles = ["ci@example.org"]

What this user has made here always counts. Without the table all results do that whoever can write has pushed; so they
do where `results` is "everyone".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RepositoryError, SignatureError, UnusableSecret
from ..maps.refs import Refs
from ..objects.oid import Oid
from ..repository import Repository
from . import proofs, signatures, vouches

EVERYONE = "everyone"
_APART = "refs/"
_PATIENCE = 500
"""So many vouches that say nothing are looked at, by one process."""


@dataclass(frozen=True)
class Rule:
    """Who is meant.

    Attributes:
        signer: His name in the file of allowed signers; `*` stands for any letters.
        branch: The branch that he pushed on, with `*` as there; None for any, and for none.
    """

    signer: str
    branch: str | None = None

    def fits(self, signed: Signed) -> bool:
        """Whether it means somebody's signature."""
        if not _is_like(signed.signer, self.signer):
            return False
        if self.branch is None or signed.branch is None:
            return self.branch is None
        # What is no branch, as a pull request, is meant by its own name alone.
        is_same_kind = signed.branch.startswith(_APART) == self.branch.startswith(_APART)
        return is_same_kind and _is_like(signed.branch, self.branch)


@dataclass(frozen=True)
class Policy:
    """Whom a project trusts.

    Attributes:
        signers: The file that says whose key is whose.
        results: Whose results count; None for everyone's.
        pickles: Whose values run code when they are loaded.
    """

    signers: Path | None
    results: tuple[Rule, ...] | None
    pickles: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, table: Any, file: Path, base: Path) -> Policy:
        """What the table in a file says; the path of the signers begins in the folder `base`.

        Raises:
            RepositoryError: It cannot be understood.
        """
        if not isinstance(table, dict) or (unknown := table.keys() - {"signers", "results", "pickles"}):
            what = f"has {', '.join(sorted(unknown))}, which is not known" if isinstance(table, dict) else "is no table"
            raise RepositoryError(f"`trust` in {file} {what}; it has signers, results and pickles.")
        signers, results = table.get("signers"), table.get("results", ["*"])
        everyone = results == EVERYONE
        pickles = _rules(table.get("pickles", []), "pickles", file)
        if not isinstance(signers, str | None) or (signers is None and (pickles or not everyone)):
            raise RepositoryError(
                f"`trust` in {file} has to name a file of allowed signers, as ssh-keygen reads it: "
                f'write signers = "allowed_signers", or results = "{EVERYONE}".'
            )
        return cls(
            None if signers is None else base / signers,
            None if everyone else _rules(results, "results", file),
            pickles,
        )


def _is_like(text: str, pattern: str) -> bool:
    """Whether a text is a pattern's, in which `*` stands for any letters, and nothing else for another."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def _rules(found: Any, what: str, file: Path) -> tuple[Rule, ...]:
    rules = []
    for each in found if isinstance(found, list) else [None]:
        match each:
            case str(signer):
                rules.append(Rule(signer))
            case {"signer": str(signer), **more} if not more.keys() - {"branch"} and isinstance(
                branch := more.get("branch"), str | None
            ):
                rules.append(Rule(signer, branch))
            case _:
                raise RepositoryError(
                    f'`{what}` of `trust` in {file} cannot be understood; write a list as ["ada@example.org", '
                    '{ signer = "ci@example.org", branch = "main" }].'
                )
    return tuple(rules)


@dataclass(frozen=True)
class Signed:
    """Somebody's signature that has been checked.

    Attributes:
        signer: Who has signed, as the file of allowed signers names him.
        branch: The branch on which he says that he pushed; None where there was none.
    """

    signer: str
    branch: str | None

    def __str__(self) -> str:
        return f"{self.signer} on {self.branch}" if self.branch else self.signer


class Judge:
    """Says of commits and artifacts whether they count; each signature is checked once.

    Args:
        repository: Where they are.
        policy: Whom the project trusts; None where it does not say.
    """

    def __init__(self, repository: Repository, policy: Policy | None) -> None:
        self._repository = repository
        self._policy = policy
        self._signers = None if policy is None or policy.signers is None else signatures.Signers(policy.signers)
        self._judged: set[Oid] = set()  # vouches
        self._signed: dict[bytes, list[Signed]] = {}  # by the raw ids of what they are for
        self._in_vain = 0  # so many vouches have said nothing

    def refusal(self, refs: Refs, commit: Oid) -> str | None:
        """Why a result does not count; None where it does."""
        policy, unknown = self._policy, ""
        if policy is None or policy.results is None:
            return None
        try:
            if proofs.made_here(self._repository.layout, [commit]):
                return None
        except UnusableSecret as error:
            unknown = f" ({str(error).rstrip('.')})"
        try:
            found = self.signatures(refs, commit)
        except SignatureError as error:
            return str(error).rstrip(".")
        if any(rule.fits(each) for rule in policy.results for each in found):
            return None
        if found:
            return f"it was signed by {' and '.join(sorted(set(map(str, found))))}, whose results do not count here"
        return f"nobody has signed it who is known here{unknown}"

    def may_run(self, artifact: Oid) -> bool:
        """Whether a value may run code when it is loaded because of who has signed that he made it."""
        policy = self._policy
        if policy is None or not policy.pickles:
            return False
        found = self.signatures(self._repository.refs(), artifact)
        return any(rule.fits(each) for rule in policy.pickles for each in found)

    def knows(self, signature: str) -> bool:
        """Whether the project knows whose key a signature was made with, or asks for none."""
        if self._signers is None:
            return True
        try:
            return self._signers.names(signature)
        except SignatureError:
            return False

    def signatures(self, refs: Refs, oid: Oid) -> list[Signed]:
        """Who has signed that an object is of his making.

        Raises:
            SignatureError: That cannot be found out.
        """
        if self._signers is None:
            return []
        for id_, vouch in vouches.of(refs, self._repository.store, oid, self._judged):
            if self._in_vain >= _PATIENCE:
                break  # a stranger's, so many that looking at them all would take minutes
            signers = self._signers.of(vouch.signed, vouch.signature) if vouch is not None else []
            self._judged.add(id_)
            self._in_vain += not signers
            if vouch is not None and signers:
                said = [Signed(signer, vouch.branch) for signer in signers]
                for made in vouch.made:
                    self._signed.setdefault(bytes.fromhex(made), []).extend(said)
        return list(self._signed.get(bytes.fromhex(oid), ()))
