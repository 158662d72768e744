"""Ref names: no artifact name leaves its place, and versions sort by number."""

from __future__ import annotations

from artvcs.vcs.refs import names
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.objects.oid import hash_bytes

NAMES = st.text(st.characters(exclude_categories=["Cs"]))


@given(NAMES, st.integers(1, 10**9))
def test_the_name_can_be_read_back_from_a_versions_ref(name: str, number: int) -> None:
    ref = names.version_ref(name, number)
    assert names.artifact_name(ref) == name
    assert ref.startswith(names.versions_prefix(name))


@given(NAMES, NAMES)
def test_versions_of_one_name_are_not_under_the_prefix_of_another(one: str, other: str) -> None:
    under = names.version_ref(one, 1).startswith(names.versions_prefix(other))
    assert under == (one == other)


@given(st.lists(st.integers(1, 10**9), unique=True))
def test_refs_of_versions_sort_by_number(numbers: list[int]) -> None:
    refs = sorted(names.version_ref("model", number) for number in numbers)
    assert refs == [names.version_ref("model", number) for number in sorted(numbers)]


def test_every_kind_of_ref_has_a_place_of_its_own() -> None:
    key = hash_bytes(b"")
    refs = [
        names.run_ref("a"),
        names.version_ref("a", 1),
        names.value_ref("a", key),
        names.cache_ref(key),
        names.latest_ref("a"),
    ]
    assert len({ref.split("/")[0] for ref in refs}) == len(refs)
