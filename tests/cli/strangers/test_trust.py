"""`art trust`: what somebody else made may run code when it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, save_artifact
from artvcs.pipelines.errors import UntrustedData

from ..conftest import Art

pytestmark = pytest.mark.filterwarnings("ignore::artvcs.pipelines.values.materializers.PickleFallbackWarning")


class Thing:
    """A class that nothing but a pickle can hold."""

    unpickled = 0
    held = 0

    def __setstate__(self, state: dict[str, int]) -> None:
        Thing.unpickled += 1
        self.held = state["held"]


@pytest.fixture
def teammates(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> Art:
    """A repository in which somebody else has stored `thing@1`, `thing@2` and `other@1`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(project / "their-state"))
    for name, held in (("thing", 1), ("thing", 2), ("other", 3)):
        thing = Thing()
        thing.held = held
        save_artifact(thing, name)
    monkeypatch.setenv("XDG_STATE_HOME", str(project / "my-state"))
    Thing.unpickled = 0
    return art


def load(name: str, version: int) -> Any:
    return Client().get_artifact_version(name, version).load().held


def test_one_version(teammates: Art) -> None:
    with pytest.raises(UntrustedData, match="`art trust thing@1`"):
        load("thing", 1)
    assert teammates("trust", "thing@1").out == "thing@1 is trusted: code that it holds may run when you load it.\n"
    assert load("thing", 1) == 1
    with pytest.raises(UntrustedData):
        load("thing", 2)
    teammates("trust", "thing")
    assert load("thing", 2) == 2
    with pytest.raises(UntrustedData):
        load("other", 1)


def test_all_versions(teammates: Art) -> None:
    assert (
        teammates("trust", "--all").out == "3 versions are trusted: code that they hold may run when you load them.\n"
    )
    assert [load("thing", 1), load("thing", 2), load("other", 1)] == [1, 2, 3]


def test_as_json(teammates: Art) -> None:
    version = Client().get_artifact_version("thing", 1)
    found = teammates("trust", "thing@1", "--json").json
    assert found == [{"id": version.id, "name": "thing", "version": "1"}]
    assert len(teammates("trust", "--all", "--json").json) == 3


def test_what_it_does_not_understand(teammates: Art) -> None:
    assert teammates("trust").code == 2
    assert teammates("trust", "thing", "--all").code == 2
    assert teammates("trust", "nothing").code == 3


def test_it_says_why_it_cannot(teammates: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(project / "adding.py"))
    refused = teammates("trust", "thing")
    assert refused.code == 1
    assert "set XDG_STATE_HOME to a folder of yours" in refused.err


def test_looking_loads_nothing_trusted_or_not(teammates: Art) -> None:
    for _ in range(2):
        for verb in (
            "show thing",
            "show thing --json",
            "ls thing",
            "log thing",
            "log",
            "status",
            "cat thing:pickle.json",
        ):
            assert teammates(*verb.split()).code == 0
        teammates("trust", "--all")
    assert Thing.unpickled == 0
