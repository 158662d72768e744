"""What networks and providers do to requests, through a proxy before the real S3, at each request in turn.

Never a false success, a false conflict, something that leads nowhere, or a wrong byte; each failure ends in a sentence
that says what to do, and a second try works.
"""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.vcs.errors import ArtError, Conflict, DamagedError, RemoteChanged, RemoteRefused, RemoteUnreachable
from artvcs.vcs.remotes.exchange import garbage
from artvcs.vcs.remotes.exchange.mirror import mirror
from artvcs.vcs.remotes.places import opening
from artvcs.vcs.remotes.places.address import Address
from artvcs.vcs.remotes.places.far_files import FarFiles
from artvcs.vcs.remotes.places.folder import FolderFiles
from artvcs.vcs.remotes.places.probe import Guarantees
from artvcs.vcs.remotes.remote import Remote
from artvcs.vcs.storage.layout import CLEANED, FORMAT, INDEX, OPS, PACKS, ROOT
from tests.servers import faults
from tests.servers.faults import Exchange, Fault, Proxy

from ...conftest import COMPLETE
from ..helpers import problems
from . import places
from .test_push import Machine

pytestmark = pytest.mark.remotes

PASSING: dict[str, Fault] = {
    "500": faults.refused(500, "InternalError"),
    "503": faults.refused(503, "SlowDown"),
    "429": faults.refused(429, "TooManyRequests"),
    "reset": faults.reset,
    "reply lost": faults.reply_lost,
    "truncated": faults.truncated,
    "flipped": faults.flipped,
    "stalled": faults.stalled,
}
"""What happens once, and no more."""


class Team:
    """Two who have pushed to a bucket behind the proxy, each with something new; copied for each trial."""

    def __init__(self, folder: Path, proxy: Proxy, address: Address) -> None:
        self.folder = folder
        self.proxy = proxy
        self._address = address
        self._bucket = replace(address, endpoint=proxy.endpoint)
        self._trials = 0
        ada, ben = self.machine("ada"), self.machine("ben")
        ada.remote.begin_there()
        self._older = read_all(ada.files)
        ada.save("model", b"first", os.urandom(70_000))
        ada.push()
        ben.fetch()
        ben.save("model", b"by ben", os.urandom(70_000))
        ben.push()
        ada.save("model", b"by ada", os.urandom(70_000))
        self._there = read_all(ada.files)
        other = Machine(folder / "other", MemoryStore())
        other.save("model", b"of others", os.urandom(70_000))
        other.push()
        self._other = read_all(other.files)

    def machine(self, name: str) -> Machine:
        """A machine of this trial, as a new process knows it."""
        found = Machine(self.folder / f"trial-{self._trials}" / name, MemoryStore())
        found.files = opening.opened(replace(self._bucket, path=f"trial-{self._trials}"))
        return found

    def begin(self) -> None:
        """The next trial, in a place of its own, begins as the first did."""
        self.proxy.begin()
        if self._trials:
            shutil.rmtree(self.folder / f"trial-{self._trials}")
        self._trials += 1
        shutil.copytree(self.folder / "trial-0", self.folder / f"trial-{self._trials}")
        files = self.machine("ada").files
        for name, data in self._there.items():
            files.put(name, data)

    def become(self, content: dict[str, bytes]) -> None:
        """From now on the bucket holds this, whatever it held."""
        files = opening.opened(replace(self._address, path=f"trial-{self._trials}"))
        for name in [*names(files), CLEANED]:
            files.delete(name)
        for name, data in content.items():
            files.put(name, data)

    def become_nothing(self) -> None:
        """Somebody deletes the remote."""
        self.become({})

    def become_older(self) -> None:
        """Somebody restores a backup."""
        self.become(self._older)

    def become_another(self) -> None:
        """Somebody puts another repository in its place."""
        self.become(self._other)

    def remote(self, machine: Machine) -> Remote:
        return Remote("origin", "the bucket", machine.files, machine.near)

    def check(self) -> None:
        """A second try brings all to everybody, and nothing is wrong anywhere."""
        self.proxy.begin()
        ada, eve = self.machine("ada"), self.machine("eve")
        ada.push()
        eve.fetch()
        eve.bring_all()
        assert len(set(eve.versions().values())) == len(eve.versions()) == 3
        assert set(eve.versions().values()) == set(ada.versions().values())
        there = self.folder / f"trial-{self._trials}" / "mirror"
        mirror(eve.remote, FolderFiles(there), "the mirror")
        for folder in (there, ada.near.layout.folder, eve.near.layout.folder):
            assert problems(folder) == []


def names(files: FarFiles) -> list[str]:
    """All that a repository elsewhere is made of."""
    return [FORMAT, ROOT, *files.list(OPS), *files.list(PACKS), *files.list(INDEX)]


def read_all(files: FarFiles) -> dict[str, bytes]:
    return {name: files.read(name) for name in names(files)}


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    monkeypatch.setattr(opening, "_STALLED", timedelta(seconds=0.4))
    # What the place guarantees is another test's: see test_servers.
    monkeypatch.setattr("artvcs.vcs.remotes.remote.probe", lambda _: Guarantees(()))
    address = places.s3(monkeypatch)
    with faults.before(places.endpoint("ARTVCS_TEST_S3")) as proxy:
        yield Team(tmp_path, proxy, address)


def pushed(team: Team) -> None:
    team.machine("ada").push()


def fetched(team: Team) -> None:
    ada = team.machine("ada")
    ada.fetch()
    ada.bring_all()
    assert len(ada.versions()) == 3


def collected(team: Team) -> None:
    ada = team.machine("ada")
    assert garbage.collect(ada.near, ada.remote, max_unused=0).plan.lost == {}


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("work", [pushed, fetched, collected])
def test_what_happens_once_at_each_request(team: Team, work: Callable[[Team], None], kind: str) -> None:
    """At every third, or tenth; at each with ARTVCS_COMPLETE=1 in the environment."""
    team.begin()
    work(team)
    requests, failed = team.proxy.count, 0
    assert requests >= 5
    step = 1 if COMPLETE else 3 if requests < 40 else 10
    for at in range(1 + len(kind) % step, requests + 1, step):
        team.begin()
        team.proxy.begin(lambda number, _, at=at: PASSING[kind] if number == at else faults.passed_on)  # type: ignore[misc]
        try:
            work(team)
        except ArtError as raised:
            check_said(raised)
            failed += 1
        else:
            if work is pushed:
                team.proxy.begin()
                eve = team.machine("told")
                eve.fetch()
                assert len(eve.versions()) == 3  # it was no false success
        team.check()
    if kind in ("500", "503", "429", "reset", "stalled"):  # what is asked again does not even fail
        assert failed == 0


def check_said(error: ArtError) -> None:
    """One sentence, and no false conflict."""
    assert not isinstance(error, Conflict)
    text = str(error)
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 400


ALWAYS: dict[str, tuple[Fault, type[ArtError], str]] = {
    "500": (faults.refused(500, "InternalError"), RemoteUnreachable, "try again"),
    "503": (faults.refused(503, "SlowDown"), RemoteUnreachable, "try again"),
    "expired": (faults.refused(400, "ExpiredToken"), RemoteRefused, "check your credentials"),
    "denied": (faults.refused(403, "AccessDenied"), RemoteRefused, "check your credentials"),
    "skewed": (faults.refused(403, "RequestTimeTooSkewed"), RemoteRefused, "check your"),
    "reset": (faults.reset, RemoteUnreachable, "try again"),
    "stalled": (faults.stalled, RemoteUnreachable, "try again"),
    "flipped": (faults.flipped, DamagedError, "run `art fsck`"),
}
"""What does not pass: how it ends, and what is said."""


@pytest.mark.parametrize("kind", ALWAYS)
@pytest.mark.parametrize("work", [pushed, fetched])
@pytest.mark.parametrize("after", [1, 6])
def test_what_does_not_pass(
    team: Team, work: Callable[[Team], None], kind: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(opening._RETRIES, "max_retries", 2)
    team.begin()
    fault, expected, said = ALWAYS[kind]

    def always(number: int, exchange: Exchange) -> Fault:
        return fault if number >= after else faults.passed_on

    team.proxy.begin(always)
    began = time.monotonic()
    if kind == "flipped" and work is pushed:
        with suppress(ArtError):  # of what is only sent nothing is read
            work(team)
    else:
        with pytest.raises(expected, match=said) as raised:
            work(team)
        check_said(raised.value)
    assert time.monotonic() - began < 30
    team.check()


@pytest.mark.parametrize("become", [Team.become_nothing, Team.become_older, Team.become_another])
@pytest.mark.parametrize("work", [pushed, fetched, collected])
def test_the_remote_becomes_another_at_each_request(
    team: Team, work: Callable[[Team], None], become: Callable[[Team], None]
) -> None:
    """In the middle of the work of somebody who relies on what he has seen there."""
    team.begin()
    work(team)
    step = 1 if COMPLETE else 3 if team.proxy.count < 40 else 10
    for at in itertools.count(1, step):
        team.begin()
        became = list[int]()

        def fault(number: int, _: Exchange, at: int = at, became: list[int] = became) -> Fault:
            if number == at:
                become(team)
                became.append(number)
            return faults.passed_on

        team.proxy.begin(fault)
        try:
            work(team)
        except RemoteChanged as raised:
            check_said(raised)
        if not became:
            break
        team.proxy.begin()
        for again in (pushed, fetched, collected):
            with pytest.raises(RemoteChanged) as noticed:
                again(team)
            check_said(noticed.value)
        assert problems(team.machine("ada").near.layout.folder) == []
        if become is Team.become_another:  # nothing has become of that either
            eve = team.machine("eve")
            eve.fetch()
            eve.bring_all()
            assert len(eve.versions()) == 1


def test_nothing_waits_for_ever_by_default() -> None:
    assert timedelta(minutes=1) >= opening._STALLED
    assert opening._RETRIES["retry_timeout"] <= timedelta(minutes=1)
