"""When is a step the same step? Hits and misses by code, parameters, inputs and policy."""

import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from artvcs import CachePolicy, Client, ExternalArtifact, pipeline, save_artifact, step
from artvcs.pipelines.errors import DefinitionError, RunFailed
from artvcs.vcs.objects.kinds import Commit

pytestmark = pytest.mark.usefixtures("project")


@step
def identity(x: Any) -> Any:
    return x


def hit(one: Any, *args: Any, **kwargs: Any) -> bool:
    """Runs a pipeline of a single step; whether an earlier result was used."""

    @pipeline
    def single() -> None:
        one(*args, **kwargs)

    run = single()
    [only] = run.steps.values()
    return bool(only.cached)


# Code

PROGRAM = """
    from artvcs import CachePolicy, pipeline, step
    from helpers import helper

    LIMIT = 3

    @step{options}
    def work(x: int) -> int:
        {comment}
        return helper(x) + LIMIT

    @pipeline
    def flow():
        work(1)

    print(flow().steps["work"].status)
"""


def write(project: Path, *, helper: str = "x", comment: str = "# why", options: str = "", limit: int = 3) -> None:
    source = textwrap.dedent(PROGRAM).format(comment=comment, options=options).replace("LIMIT = 3", f"LIMIT = {limit}")
    (project / "flow.py").write_text(source)
    (project / "helpers.py").write_text(f"def helper(x):\n    return {helper}\n")


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({}, "cached"),
        ({"comment": "# another reason, on\n    # two lines"}, "cached"),
        ({"helper": "x * 2"}, "completed"),
        ({"limit": 4}, "completed"),
    ],
    ids=["nothing", "comment", "helper", "constant"],
)
def test_code_counts_as_far_as_it_is_reached(python: Any, project: Path, change: Any, again: str) -> None:
    write(project)
    assert python("flow.py").stdout.strip() == "completed"
    write(project, **change)
    assert python("flow.py").stdout.strip() == again


@pytest.mark.long
@pytest.mark.parametrize(
    ("reach", "change", "again"),
    [
        ("function", {"helper": "x * 2"}, "cached"),
        ("function", {"comment": "x = x + 1"}, "completed"),
        ("none", {"comment": "x = x + 1"}, "cached"),
    ],
)
def test_a_policy_says_how_far_the_code_counts(python: Any, project: Path, reach: str, change: Any, again: str) -> None:
    options = f"(cache=CachePolicy(code={reach!r}))"
    write(project, options=options)
    python("flow.py")
    write(project, options=options, **change)
    assert python("flow.py").stdout.strip() == again


# Parameters


def test_the_same_parameters_are_a_hit() -> None:
    assert [hit(identity, 1), hit(identity, 1), hit(identity, 2)] == [False, True, False]


def test_parameters_of_different_types_are_different() -> None:
    alike = [1, 1.0, True, "1", [1, 2], (1, 2), {1, 2}, frozenset({1, 2}), None, "None", b"1", {"a": 1}, {"a": 1.0}]
    assert [hit(identity, value) for value in alike] == [False] * len(alike)
    assert [hit(identity, value) for value in alike] == [True] * len(alike)


def test_a_parameter_and_an_artifact_of_the_same_value_are_different() -> None:
    assert [hit(identity, 5), hit(identity, ExternalArtifact(5)), hit(identity, [ExternalArtifact(5)])] == [False] * 3


# Inputs


def test_a_changed_input_runs_again_and_an_equal_one_does_not() -> None:
    given = [ExternalArtifact([1, 2]), ExternalArtifact([1, 2]), ExternalArtifact([2, 1])]
    assert [hit(identity, each) for each in given] == [False, True, False]


def test_the_order_of_a_list_of_artifacts_counts() -> None:
    assert not hit(identity, [ExternalArtifact(1), ExternalArtifact(2)])
    assert not hit(identity, [ExternalArtifact(2), ExternalArtifact(1)])
    assert hit(identity, [ExternalArtifact(1), ExternalArtifact(2)])


# Reads


@step
def best_or_nothing() -> int:
    from artvcs.vcs.errors import UnknownName

    try:
        best: int = Client().get_artifact_version("best").load()
    except UnknownName:
        return 0
    return best


def test_what_a_step_reads_is_recorded_and_counts() -> None:
    save_artifact(5, "best")
    assert [hit(best_or_nothing), hit(best_or_nothing)] == [False, True]
    save_artifact(6, "best")
    assert [hit(best_or_nothing), hit(best_or_nothing)] == [False, True]
    latest = Client().list_pipeline_runs()[0].steps["best_or_nothing"]
    assert latest.output.load() == 6
    assert latest.reads["best"].load() == 6


def test_what_a_step_asked_for_in_vain_counts_too() -> None:
    assert [hit(best_or_nothing), hit(best_or_nothing)] == [False, True]
    save_artifact(5, "best")
    assert not hit(best_or_nothing)


# Switching it off


@pytest.mark.parametrize(
    ("of_pipeline", "of_step", "cached"),
    [(None, None, True), (False, None, False), (None, False, False), (False, True, True), (True, False, False)],
)
def test_the_step_has_the_last_word(of_pipeline: bool | None, of_step: bool | None, cached: bool) -> None:
    @pipeline
    def flow() -> None:
        identity.with_options(enable_cache=of_step)(1)

    flow()
    assert flow.with_options(enable_cache=of_pipeline)().steps["identity"].cached is cached


# The policy


def with_policy(**policy: Any) -> Any:
    return identity.with_options(cache=CachePolicy(**policy))


def test_files_count_by_content(project: Path) -> None:
    (project / "folder").mkdir()
    file = project / "folder" / "config.toml"
    watched = with_policy(files=["folder"])
    file.write_text("a = 1")
    assert [hit(watched, 1), hit(watched, 1)] == [False, True]
    file.write_text("a = 2")
    assert [hit(watched, 1), hit(watched, 1)] == [False, True]
    (project / "folder" / "another.txt").touch()
    assert not hit(watched, 1)
    file.write_text("a = 1")
    (project / "folder" / "another.txt").unlink()
    assert hit(watched, 1)


def test_environment_variables_count_and_are_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = with_policy(env=["TOKEN"])
    monkeypatch.delenv("TOKEN", raising=False)
    assert not hit(watched, 1)
    monkeypatch.setenv("TOKEN", "very secret")
    assert [hit(watched, 1), hit(watched, 1)] == [False, True]
    monkeypatch.setenv("TOKEN", "")
    assert not hit(watched, 1)
    store = Client().repository.store
    for run in Client().list_pipeline_runs():
        commit = run.steps["identity"].record.commit
        assert commit is not None
        assert b"very secret" not in store.record(commit, Commit).encode()


def test_packages_count_by_version(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    watched = with_policy(packages=["pytest", "no-such-package"])
    assert [hit(watched, 1), hit(watched, 1)] == [False, True]
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0")
    assert not hit(watched, 1)


def test_ignored_inputs_do_not_count() -> None:
    @step(cache=CachePolicy(ignore_inputs=["verbose", "data"]))
    def work(x: int, verbose: bool, data: Any) -> int:
        return x

    assert not hit(work, 1, True, ExternalArtifact("a"))
    assert hit(work, 1, False, ExternalArtifact("b"))
    assert not hit(work, 2, True, ExternalArtifact("a"))


@pytest.mark.parametrize(
    ("limit", "again"), [(3600, True), (timedelta(days=1), True), (0, False), (timedelta(0), False)]
)
def test_a_result_expires(limit: Any, again: bool) -> None:
    watched = with_policy(expires_after=limit)
    hit(watched, 1)
    assert hit(watched, 1) is again


def test_a_key_of_ones_own() -> None:
    @step(cache=CachePolicy(key=lambda given: given["x"] % 2, ignore_inputs=["x"]))
    def parity(x: int, data: Any) -> int:
        return x

    data = ExternalArtifact("data")
    assert [hit(parity, x, data) for x in (1, 2, 3, 4)] == [False, False, True, True]


def test_a_key_is_given_parameters_as_they_are_and_inputs_as_ids() -> None:
    given: list[Any] = []

    def key(inputs: dict[str, Any]) -> int:
        given.append(inputs)
        return 0

    @step
    def work(rate: float, one: Any, several: list[Any]) -> float:
        return rate

    hit(work.with_options(cache=CachePolicy(key=key)), 0.5, ExternalArtifact(1), [ExternalArtifact(1)])
    artifact = given[0]["one"]
    assert given[0] == {"rate": 0.5, "one": artifact, "several": [artifact]}
    assert len(artifact) == 64


def test_a_key_that_fails_fails_its_step_and_no_other() -> None:
    broken = with_policy(key=lambda given: 1 // 0)

    @pipeline
    def flow() -> None:
        broken(1)
        identity(2)

    with pytest.raises(RunFailed, match="ZeroDivisionError") as failed:
        flow()
    run: Any = failed.value.run
    assert {name: each.status for name, each in run.steps.items()} == {"identity": "failed", "identity_2": "completed"}


@pytest.mark.parametrize(
    "policy", [{"code": "all"}, {"files": "a.txt"}, {"files": Path("a.txt")}, {"env": "HOME"}, {"ignore_inputs": "x"}]
)
def test_an_impossible_policy_is_refused(policy: Any) -> None:
    with pytest.raises(DefinitionError):
        CachePolicy(**policy)


def test_a_result_that_comes_out_the_same_spares_what_follows() -> None:
    @pipeline
    def flow(x: int) -> None:
        @step
        def even(x: int) -> bool:
            return x % 2 == 0

        identity(even(x))

    flow(1)
    assert {name: each.status for name, each in flow(3).steps.items()} == {"even": "completed", "identity": "cached"}
