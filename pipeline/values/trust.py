"""Which stored values may run code when they are loaded.

Those that this user made here, or said to trust, and those that somebody has signed whom the project trusts with that.
Proofs are needed, and the secret is opened, only where a value runs code or imports modules, and for results of steps.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from artvcs.vcs import Judge, Oid, Repository, UnusableSecret, config, proofs

from ..errors import UntrustedData


class Trust:
    """Whether one value may run code while it is loaded; looked up when first asked, which most loads never do.

    Args:
        given: The answer, or how to find it.
        name: What `art trust` takes for the value, for errors, or how to find it.
    """

    def __init__(self, given: bool | Callable[[], bool], name: str | Callable[[], str] = "") -> None:
        self._given = given
        self._name = name

    @property
    def given(self) -> bool:
        """The answer.

        Raises:
            UntrustedData: It cannot be known.
        """
        if not isinstance(self._given, bool):
            try:
                self._given = self._given()
            except UnusableSecret as error:
                raise UntrustedData(str(error)) from error
        return self._given

    def require(self, what: str) -> None:
        """Raises unless the answer is yes; `what` says what loading does.

        Raises:
            UntrustedData: It is no.
        """
        if not self.given:
            name = self._name if isinstance(self._name, str) else self._name()
            # Quoted: a hostile name must not become a command where somebody copies the line.
            raise UntrustedData(
                f"Loading {name or 'this value'} {what}; `art trust {shlex.quote(name) if name else 'NAME'}` says that "
                "you trust who made it."
            )


def of(repository: Repository, artifact: Oid, name: str | Callable[[], str] = "") -> Trust:
    """The trust in an artifact; `name` is what the user calls it, or finds that, by default the start of its id."""
    return Trust(lambda: _is_given(repository, artifact), name or artifact[:12])


def _is_given(repository: Repository, artifact: Oid) -> bool:
    judge = Judge(repository, config.read(repository).trust)
    return proofs.is_trusted(repository.layout, artifact) or judge.may_run(artifact)
