"""Real servers keep what `Files` promises, and what each guarantees is found out; `make remotes` starts them."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable

import pytest

from artvcs.testing import CommitPointContract, FilesContract
from artvcs.vcs.errors import RemoteRefused, RemoteUnreachable
from artvcs.vcs.remotes.places import opening
from artvcs.vcs.remotes.places.address import Address
from artvcs.vcs.remotes.places.probe import Guarantees, probe
from artvcs.vcs.storage.files import Files
from tests.servers.processes import free_ports
from tests.vcs.remotes import places

pytestmark = pytest.mark.remotes


class TestServers(FilesContract, CommitPointContract):
    @pytest.fixture(params=[places.s3, places.azure], ids=["s3", "azure"])
    def files(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Files:
        self.address: Address = request.param(monkeypatch)
        return places.files(self.address)

    def other(self, files: Files) -> Files:
        return places.files(self.address)


def said(found: Guarantees) -> dict[str, bool | None]:
    return {each.what: each.holds for each in found.findings}


def test_a_real_s3_has_all_that_pushing_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    files = places.files(places.s3(monkeypatch))
    found = probe(files)
    assert found.refusal is None
    assert all(said(found).values()), found
    assert list(files.list("probe")) == []


def test_azure_has_all_that_pushing_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = probe(places.files(places.azure(monkeypatch)))
    assert found.refusal is None
    assert said(found)["replacing a file only if it is as it was"]


def test_a_store_that_ignores_conditions_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = probe(places.files(places.lying(monkeypatch)))
    assert found.refusal == (
        "creating a file only if it is not there: 16 of 16 writers at once were told that they had"
    )
    assert said(found)["replacing a file only if it is as it was"] is False


@pytest.mark.parametrize("place", [places.s3, places.azure])
def test_a_bucket_that_is_not_there_is_no_empty_one(
    place: Callable[[pytest.MonkeyPatch], Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = dataclasses.replace(place(monkeypatch), host=f"none-{secrets.token_hex(8)}")
    files = opening.bucket(address)
    for ask in (lambda: files.read("root"), lambda: list(files.list("ops")), lambda: files.put("root", b"1")):
        with pytest.raises(RemoteRefused, match="no such bucket"):
            ask()


def test_wrong_credentials_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    address = places.s3(monkeypatch)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "wrong")
            with pytest.raises(RemoteRefused, match="check your credentials"):
                opening.bucket(address).read("root")


def test_a_server_that_is_not_there_is_said_to_give_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_RETRIES", {"max_retries": 0})
    address = dataclasses.replace(places.s3(monkeypatch), endpoint=f"http://127.0.0.1:{free_ports(1)[0]}")
    with pytest.raises(RemoteUnreachable, match="try again"):
        opening.bucket(address).read("root")
