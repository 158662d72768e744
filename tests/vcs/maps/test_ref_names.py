"""Ref names: no name leaves its place, and what is a number or a time sorts as such."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.maps import ref_names as names
from artvcs.vcs.objects.oid import hash_bytes

NAMES = st.text(st.characters(exclude_categories=["Cs"]))
ID = hash_bytes(b"")


@given(NAMES, NAMES, st.integers(1, 10**9))
def test_the_name_and_the_number_can_be_read_back(name: str, label: str, number: int) -> None:
    for ref in (names.version(name, number), names.label(name, label, number)):
        assert names.version_of(ref) == (name, number)
    assert names.value_of(names.value(name, ID, number)) == (name, number)
    assert names.name_of(names.newest(name)) == name
    assert names.last_part(names.run(name)) == names.last_part(names.run_name(label, name)) == name
    assert names.last_part(names.run_time(5, name)) == names.last_part(names.pipeline_run(label, 5, name)) == name
    assert names.name_of(names.pipeline_run(name, 5, label)) == name


@given(NAMES, NAMES)
def test_what_belongs_to_one_name_is_not_under_the_prefix_of_another(one: str, other: str) -> None:
    pairs = [
        (names.version(one, 1), names.versions(other)),
        (names.value(one, ID, 1), names.values(other, ID)),
        (names.label("n", one, 1), names.labels("n", other)),
        (names.label(one, "l", 1), names.labels(other, "l")),
        (names.run_name(one, "r"), names.named_runs(other)),
        (names.pipeline_run(one, 1, "r"), names.pipeline_runs(other)),
    ]
    assert [ref.startswith(prefix) for ref, prefix in pairs] == [one == other] * len(pairs)


@given(NAMES, NAMES)
def test_runs_are_found_by_the_start_of_their_name(start: str, rest: str) -> None:
    assert names.run_name(start + rest, "r").startswith(names.runs_named_like(start))


@given(st.lists(st.integers(1, 10**9), unique=True))
def test_refs_sort_by_number_and_by_time(numbers: list[int]) -> None:
    makers = [
        lambda number: names.version("model", number),
        lambda number: names.run_time(number, "r"),
        lambda number: names.pipeline_run("train", number, "r"),
    ]
    for make in makers:
        assert sorted(map(make, numbers)) == list(map(make, sorted(numbers)))


def test_every_kind_of_ref_has_a_place_of_its_own() -> None:
    refs = [
        names.run("a"),
        names.run_time(1, "a"),
        names.run_name("a", "a"),
        names.pipeline_run("a", 1, "a"),
        names.version("a", 1),
        names.value("a", ID, 1),
        names.label("a", "a", 1),
        names.newest("a"),
        names.result(ID, ID),
        names.pruned(ID),
        names.kept(ID),
    ]
    assert len({ref.split("/")[0] for ref in refs}) == len(refs)
