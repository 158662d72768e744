from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.pipelines.define.naming import (
    check_artifact_name,
    check_name_template,
    default_artifact_name,
    invocation_id,
    placeholders,
    run_name,
    substitute,
)
from artvcs.pipelines.errors import DefinitionError
from artvcs.vcs.errors import InvalidName

STARTED = datetime(2023, 6, 15, 14, 30, 45, 123456, tzinfo=UTC)


def test_date_and_time_are_those_of_the_run_in_utc() -> None:
    assert substitute("{date}-{time}", {}, STARTED) == "2023_06_15-14_30_45_123456"
    elsewhere = STARTED.astimezone(timezone(timedelta(hours=11)))
    assert substitute("{date}-{time}", {}, elsewhere) == "2023_06_15-14_30_45_123456"
    assert substitute("{time}", {}, STARTED.replace(tzinfo=None)) == "14_30_45_123456"


def test_custom_placeholders_are_filled_and_win_over_the_built_in() -> None:
    assert substitute("{kind}_data", {"kind": "train"}, STARTED) == "train_data"
    assert substitute("{date}", {"date": "today"}, STARTED) == "today"


def test_values_are_not_expanded_again() -> None:
    assert substitute("{a}", {"a": "{date}"}, STARTED) == "{date}"


def test_doubled_braces_stand_for_braces() -> None:
    assert substitute("{{x}}_{a}", {"a": "1"}, STARTED) == "{x}_1"
    assert placeholders("{{x}}_{a}_{b}") == {"a", "b"}


def test_missing_placeholder_says_which_are_known_and_how_to_define_it() -> None:
    with pytest.raises(DefinitionError) as caught:
        substitute("{kind}_data", {"region": "eu"}, STARTED)
    message = str(caught.value)
    assert "{kind}" in message
    assert "{date}, {region}, {time}" in message
    assert "substitutions={'kind': ...}" in message


def test_a_value_that_is_no_text_is_refused() -> None:
    with pytest.raises(DefinitionError, match="int"):
        substitute("{n}", {"n": 3}, STARTED)  # type: ignore[dict-item]


@pytest.mark.parametrize("template", ["{", "}", "{a", "a}", "{a!}", "{a{b}}"])
def test_malformed_braces_are_refused(template: str) -> None:
    with pytest.raises(DefinitionError):
        substitute(template, {"a": "x", "b": "y"}, STARTED)


@pytest.mark.parametrize("template", ["{}", "{0}", "{a.__class__}", "{a[0]}", "{a!r}", "{a:>9}", "{ a }"])
def test_nothing_but_a_plain_name_stands_between_braces(template: str) -> None:
    with pytest.raises(DefinitionError):
        placeholders(template)


@given(st.text())
def test_templates_are_filled_or_refused_and_never_crash(template: str) -> None:
    try:
        names = placeholders(template)
    except DefinitionError:
        return
    substitute(template, dict.fromkeys(names, "v"), STARTED)


@pytest.mark.parametrize("name", ["model", "a b", "p::s::o", "données", "模型", "x" * 255, "v1.2", "..a", "{x}"])
def test_accepted_artifact_names(name: str) -> None:
    assert check_artifact_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        (".", "folder"),
        ("..", "folder"),
        (" a", "space"),
        ("a ", "space"),
        ("a\n", "space"),
        ("model@3", "'@'"),
        ("a/b", "'/'"),
        ("a\\b", "contains"),
        ("a\0b", "control"),
        ("a\x1b[31mb", "control"),
        ("a\u2028b", "control"),
        ("a\ud800b", "control"),
        ("a\u202egpj", "direction"),
        ("é" * 128, "255 bytes"),
    ],
)
def test_refused_artifact_names_say_why(name: str, why: str) -> None:
    with pytest.raises(InvalidName, match=why):
        check_artifact_name(name)


def test_names_are_stored_composed() -> None:
    assert check_artifact_name("donne\u0301es") == "donn\u00e9es"


@given(st.text(max_size=300))
def test_a_checked_name_stays_as_it_is(name: str) -> None:
    try:
        checked = check_artifact_name(name)
    except InvalidName:
        return
    assert check_artifact_name(checked) == checked
    assert len(checked.encode()) <= 255


def test_name_templates_are_checked_before_they_are_filled() -> None:
    assert check_name_template("{kind}_{date}") == "{kind}_{date}"
    with pytest.raises(InvalidName):
        check_name_template("{kind}/data")
    with pytest.raises(DefinitionError):
        check_name_template("{kind")


def test_default_artifact_name_joins_pipeline_step_and_output() -> None:
    assert default_artifact_name("train", "split", "output_0") == "train::split::output_0"
    with pytest.raises(InvalidName):
        default_artifact_name("a/b", "split", "output")


def test_each_use_of_a_step_gets_its_own_id() -> None:
    taken: set[str] = set()
    for expected in ("bump", "bump_2", "bump_3"):
        identity = invocation_id("bump", taken)
        assert identity == expected
        taken.add(identity)
    assert invocation_id("bump", {"bump", "bump_3"}) == "bump_2"


def test_run_names() -> None:
    assert run_name(None, "train", {}, STARTED) == "train-2023_06_15-14_30_45_123456"
    assert run_name("{pipeline} in {region}", "train", {"region": "eu"}, STARTED) == "train in eu"
    assert run_name("fixed", "train", {}, STARTED) == "fixed"
    with pytest.raises(InvalidName, match="run name"):
        run_name("a/b", "train", {}, STARTED)
