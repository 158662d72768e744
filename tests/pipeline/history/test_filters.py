"""Filtering by the catalog finds exactly what reading every version would find."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from artvcs import Client
from artvcs.pipelines.errors import ParameterError
from artvcs.pipelines.history.finding import filters
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.vcs.changes.intents import AddVersion
from artvcs.vcs.maps import versions
from artvcs.vcs.objects import values
from artvcs.vcs.repository import Repository

from ...conftest import COMPLETE
from ...histories import write_runs
from ...vcs.helpers import artifact_of, version_of

NUMBERS = [
    0, 1, True, False, 1.0, -0.0, 0.1, 3.5, -2, 2**53, 2**53 + 1, -(2**70), 10**400, 1e308, float("inf"), float("-inf"),
    float("nan"),
]  # fmt: skip
TEXTS = ["", "a", "b", "ab", "1", "0.1", "é", "z" * 500, "\0", "a\0b", "\U0010ffff", "'", "%"]
OTHERS = [None, [], [1], ["a"], (1,), {1}, b"a", {"in": 1}, {"in": {"deep": "x"}}, {"a.b": 2}, {1: 2}]
VALUES: list[Any] = [*NUMBERS, *TEXTS, *OTHERS]
KEYS = ["one", "two", "in.side", "", "é"]
ASKED = [*KEYS, "one.in", "one.in.deep", "two.in", "one.a.b", "in"]
SIGNS = ["=", "==", "!=", "<", "<=", ">", ">="]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """Two names, whose versions have every value under one key or another."""
    folder = tmp_path_factory.mktemp("filters") / ".artifacts"
    repository = Repository.init(folder)
    with repository.transaction("versions of all kinds") as transaction:
        for number, value in enumerate(VALUES * 2):
            facts = {KEYS[number % len(KEYS)]: value, KEYS[number % 3 - 3]: VALUES[number * 7 % len(VALUES)]}
            version = version_of(("model", "a/b")[number % 2], artifact_of(transaction, f"value{number}"))
            version = dataclasses.replace(
                version, created=1000 * number, tags=("even",) if number % 2 else ("odd", "é"),
                metadata={key: values.encode(fact) for key, fact in facts.items()},
            )  # fmt: skip
            transaction.add(AddVersion(version, {}))
        many = dataclasses.replace(
            version_of("model", artifact_of(transaction, "many")), metadata={f"k{n}": n for n in range(2000)}
        )
        transaction.add(AddVersion(many, {}))
    return Client(folder)


def scanned(client: Client, name: str | None, fits: Callable[[ArtifactVersion], bool]) -> list[str]:
    """What reading every version finds."""
    every = (ArtifactVersion(client.repository, each) for each in versions.every(client.repository.refs()))
    return [spelt(each) for each in every if name in (None, each.name) and fits(each)]


def spelt(version: ArtifactVersion) -> str:
    return f"{version.name}@{version.number}"


quick = settings(deadline=None, suppress_health_check=[*HealthCheck], max_examples=1000 if COMPLETE else 100)


@pytest.mark.long
@quick
@given(st.sampled_from(ASKED), st.sampled_from(SIGNS), st.sampled_from(VALUES) | st.floats() | st.text(max_size=3))
@example("one", ">=", 2**53)
@example("one", "=", "\udc80")
@example("\udc80", "!=", 1)
@example("k7", "=", 7)
def test_metadata_is_compared_as_python_compares_it(client: Client, key: str, sign: str, value: Any) -> None:
    condition = [(key, sign, value)]
    with pytest.MonkeyPatch.context() as patch:
        # Conditions are written as text, which cannot say everything that is compared here.
        patch.setattr(filters, "parse", lambda _: condition)
        found = [spelt(each) for each in client.list_artifact_versions(metadata="as patched")]
        assert found == scanned(client, None, lambda each: filters.metadata_matches(each.metadata, "as patched"))


@quick
@given(
    st.sampled_from([None, "model", "a/b", "none"]),
    st.fixed_dictionaries({}, optional={
        "tag": st.sampled_from(["even", "é", "none", "\udc80"]),
        "type": st.sampled_from(["tests.value3", "value3", "other.value3", "many"]),
        "version": st.sampled_from([1, "2", "x"]),
        "created_after": st.integers(0, 80).map(lambda n: datetime.fromtimestamp(n, UTC)),
        "created_before": st.integers(0, 80_000).map(lambda n: datetime.fromtimestamp(n / 1000, UTC)),
        "metadata": st.sampled_from(["one > 0", ["one != 1", "two < 5"], {"one": 1.0}, {"two": [1]}]),
        "sort": st.sampled_from(["name", "-name", "number", "-number", "created", "-created", "size", "-size"]),
        "limit": st.integers(0, 5),
    }),
)  # fmt: skip
def test_all_conditions_together(client: Client, name: str | None, given: dict[str, Any]) -> None:
    def fits(each: ArtifactVersion) -> bool:
        return (
            given.get("tag", each.tags[0] if each.tags else None) in (*each.tags, None)
            and given.get("type", each.type) in (each.type, each.type.rpartition(".")[2])
            and str(given.get("version", each.number)) == str(each.number)
            and filters.metadata_matches(each.metadata, given.get("metadata"))
            and filters.within(each.created, given.get("created_after"), given.get("created_before"))
        )

    every = (ArtifactVersion(client.repository, each) for each in versions.every(client.repository.refs()))
    wanted = [each for each in every if name in (None, each.name) and fits(each)]
    keys: dict[str, Callable[[ArtifactVersion], Any]] = {
        "name": lambda each: (each.name, each.number), "number": lambda each: each.number,
        "created": lambda each: each.created, "size": lambda each: each.size,
    }  # fmt: skip
    expected = filters.ordered(wanted, given.get("sort"), keys, given.get("limit"))
    assert [*map(spelt, client.list_artifact_versions(name, **given))] == [*map(spelt, expected)]


def test_what_cannot_be_sorted_by_is_refused(client: Client) -> None:
    with pytest.raises(ParameterError, match="Nothing can be sorted by 'colour'"):
        client.list_artifact_versions(sort="-colour")


@pytest.fixture
def history(tmp_path: Path) -> Client:
    """Thirty runs."""
    repository = Repository.init(tmp_path / ".artifacts")
    write_runs(repository, 30)
    return Client(tmp_path)


def test_by_who_made_it(history: Client) -> None:
    assert len(history.list_artifact_versions(producer="train")) == 30
    run = history.list_pipeline_runs(limit=1)[0]
    assert [spelt(each) for each in history.list_artifact_versions(run=run.name)] == ["model@30"]
    assert history.list_artifact_versions(only_unused=True) == []


def test_runs_by_status_name_and_time(history: Client) -> None:
    every = history.list_pipeline_runs()
    assert [run.name for run in every] == [f"training-{number:06d}" for number in reversed(range(30))]
    assert history.list_pipeline_runs(status="failed") == []
    assert len(history.list_pipeline_runs(status="completed", limit=7)) == 7
    assert [run.name for run in history.list_pipeline_runs(name="training-000004")] == ["training-000004"]
    middle = every[10].started
    assert len(history.list_pipeline_runs("training", created_after=middle)) == 11
    assert len(history.list_pipeline_runs("training", created_before=middle - timedelta(minutes=1))) == 18
    assert history.list_pipeline_runs("other") == []
