"""The same pipeline on Dask and Ray, whose workers share nothing with the project but its remote."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, load_artifact
from artvcs.vcs import RepositoryNotFound, config, connect, versions
from artvcs.vcs.upkeep.check.fsck import fsck
from tests.servers.clusters import wait_until

from .conftest import Art, write

FLOW = """
    from typing import Annotated

    import numpy as np

    from artvcs import pipeline, step
    from scaling import scaled


    @step
    def numbers(count: int) -> Annotated[np.ndarray, "numbers"]:
        return np.random.default_rng(0).random(count)


    @step
    def half(values: np.ndarray, which: int) -> np.ndarray:
        print("half", which)
        return scaled(np.array_split(values, 2)[which])


    @step
    def total(parts: list[np.ndarray]) -> Annotated[float, "total"]:
        return float(sum(part.sum() for part in parts))


    @pipeline
    def flow(count: int = 100_000) -> None:
        values = numbers(count)
        total([half(values, 0), half(values, 1)])


    if __name__ == "__main__":
        flow()
"""
SCALING = """
    def scaled(values):
        return values * 2
"""


@pytest.mark.clusters
def test_what_steps_print_is_shown_also_where_it_comes_later_than_how_they_ended(
    shared: Path, art: Art, ray: str
) -> None:
    write(
        shared / "flow.py",
        """
        import time

        from artvcs import pipeline, step
        from artvcs.pipelines.run.executors.clusters.engines.on_ray.cluster import RayCluster

        taken = RayCluster._take

        def late(self, what, *arguments):
            time.sleep(1.0 if what == "said" else 0.0)
            taken(self, what, *arguments)

        RayCluster._take = late

        @step
        def speaks() -> int:
            print("my last words")
            return 1

        @pipeline
        def flow():
            speaks()
        """,
    )
    assert "[speaks] my last words\n" in art("run", "flow.py", "--executor", ray).stdout


@pytest.mark.long
def test_an_engine_makes_what_is_made_here_and_all_of_it_is_reused(shared: Path, art: Art, engine: str) -> None:
    write(shared / "flow.py", FLOW)
    write(shared / "scaling.py", SCALING)
    art("run", "flow.py", "--executor", "inline")
    here = {name: Client().get_artifact_version(name).id for name in ("numbers", "total")}

    there = art("run", "flow.py", "--no-cache", "--executor", engine)
    assert "[half_2] half 1" in there.stdout
    commit = Client().list_pipeline_runs()[0].steps["numbers"].record.commit
    assert "\nWorker: " in art("show", commit).stdout
    assert {name: Client().get_artifact_version(name).id for name in here} == here
    assert {name: len(list(Client().list_artifact_versions(name))) for name in here} == {"numbers": 1, "total": 1}
    assert "4 steps, 4 reused" in art("run", "flow.py", "--executor", engine).stdout
    assert "4 steps, 4 reused" in art("run", "flow.py").stdout
    assert list(fsck(Client().repository.layout.folder)) == []


@pytest.mark.clusters
def test_what_is_large_never_comes_here_until_somebody_loads_it(shared: Path, art: Art, dask: str) -> None:
    write(shared / "flow.py", FLOW)
    write(shared / "scaling.py", SCALING)
    art("run", "flow.py", "--executor", dask)
    repository = Client().repository
    assert repository.stored_size() < 100_000
    assert len(load_artifact("numbers")) == 100_000
    assert repository.stored_size() > 700_000


@pytest.mark.clusters
def test_what_was_made_is_published_at_the_remote(shared: Path, art: Art, dask: str, tmp_path: Path) -> None:
    write(shared / "flow.py", FLOW)
    write(shared / "scaling.py", SCALING)
    art("run", "flow.py", "--executor", dask)
    art("push")
    clone = tmp_path / "clone"
    art("clone", str(tmp_path / "remote"), str(clone))
    assert len(Client(path=clone).get_artifact_version("numbers").load()) == 100_000
    assert art("gc", "--remote", "origin", check=False).returncode == 0
    assert art("fsck").returncode == 0


TIMES = """
    import sys
    from artvcs import pipeline, step

    print("loaded")
    FACTOR = 3


    @step
    def times(number: int) -> int:
        return number * FACTOR


    @pipeline
    def flow(number: int) -> None:
        times(number)


    run = flow(int(sys.argv[1]))
    print("made", run.steps["times"].output.load())
"""


@pytest.mark.clusters
def test_a_program_is_not_run_again_by_workers(shared: Path, art: Art, python: Any, dask: str) -> None:
    write(shared / "program.py", TIMES)
    done = python("program.py", "14", ARTVCS_EXECUTOR=dask)
    assert done.stdout.count("loaded") == 1
    assert done.stdout.splitlines()[-1] == "made 42"


@pytest.mark.clusters
def test_a_module_that_runs_a_pipeline_as_it_is_imported_is_not_run_again_by_workers(
    shared: Path, art: Art, python: Any, dask: str
) -> None:
    write(shared / "running.py", TIMES)
    write(shared / "program.py", "import running\n")
    assert python("program.py", "14", ARTVCS_EXECUTOR=dask).stdout.splitlines()[-1] == "made 42"
    assert len(Client().list_pipeline_runs()) == 1


@pytest.mark.clusters
def test_what_was_made_is_published_while_a_long_run_goes_on(
    shared: Path, art: Art, python: Any, dask: str, tmp_path: Path
) -> None:
    write(
        shared / "program.py",
        f"""
        import time
        from pathlib import Path
        from typing import Annotated
        import numpy as np
        from artvcs import pipeline, step
        from artvcs.pipelines.run.executors.clusters import executor

        executor.LONG = 0.3  # as seconds go


        @step
        def numbers() -> Annotated[np.ndarray, "numbers"]:
            return np.random.default_rng(0).random(100_000)


        @step
        def waits(values: np.ndarray) -> int:
            while not Path({str(tmp_path / "go")!r}).exists():
                time.sleep(0.02)
            return 1


        @pipeline
        def flow() -> None:
            waits(numbers())


        flow()
        """,
    )

    def published() -> bool:
        repository = Client(path=shared).repository
        try:
            refs = connect(repository, config.read(repository).remote()).refs()
        except RepositoryNotFound:
            return False
        return list(versions.names(refs)) == ["numbers"]

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(python, "program.py", ARTVCS_EXECUTOR=dask)
        try:
            wait_until(published, "it is not published")
            assert not running.done()
        finally:
            (tmp_path / "go").touch()
        assert running.result().returncode == 0


@pytest.fixture
def python(shared: Path) -> Any:
    """Runs a program of the project."""
    import os
    import subprocess
    import sys

    def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, script, *arguments], cwd=shared, env={**os.environ, **environment},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done

    return run


INSIDE = """
    import os
    from pathlib import Path
    from typing import Annotated

    from artvcs import (
        Client, Model, get_step_context, load_artifact, log_metadata, pipeline, register_artifact, save_artifact, step,
    )


    class Point:
        def __init__(self, x):
            self.x = x


    @step
    def point() -> Annotated[Point, "point"]:
        return Point(load_artifact("known")["x"])


    @step(model=Model(name="shape"))
    def looks(point: Point) -> Annotated[int, "found"]:
        log_metadata({"step": get_step_context().step_name})
        save_artifact([point.x], "by_hand")
        Path("folder").mkdir()
        Path("folder/large.bin").write_bytes(os.urandom(1 << 20))
        register_artifact("folder", name="registered")
        assert load_artifact("by_hand") == [point.x]
        return Client().get_artifact_version("known").load()["x"] + point.x


    @pipeline
    def flow() -> None:
        looks(point())
"""


@pytest.mark.long
def test_inside_a_step_all_is_as_it_is_here(shared: Path, art: Art, engine: str) -> None:
    from artvcs import save_artifact

    save_artifact({"x": 21}, "known")
    write(shared / "flow.py", INSIDE)
    art("run", "flow.py", "--executor", engine)
    assert load_artifact("found") == 42
    assert load_artifact("by_hand") == [21]
    assert (load_artifact("registered") / "large.bin").stat().st_size == 1 << 20
    assert "looks" in art("show", "found").stdout
    assert "by_hand" in art("show", "shape").stdout
    # What a step has read through the client is among its inputs.
    save_artifact({"x": 1}, "known")
    assert "made point@2, found@2" in art("run", "flow.py", "--executor", engine).stdout


@pytest.mark.clusters
def test_a_map_is_one_line_and_a_failing_item_leaves_the_others(shared: Path, art: Art, engine: str) -> None:
    write(
        shared / "flow.py",
        """
        from artvcs import pipeline, step


        @step
        def inverse(number: int) -> float:
            return 1 / number


        @pipeline(execution_mode="continue_on_failure")
        def flow() -> None:
            inverse.map(range(10))
        """,
    )
    done = art("run", "flow.py", "--executor", engine, check=False)
    assert "inverse ×10  failed" in done.stderr
    assert "1 failed" in done.stderr
    assert "9 completed" in done.stderr
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.long
def test_workers_know_what_a_program_defines_and_do_not_do_what_it_does(
    shared: Path, python: Any, dask: str, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    write(
        shared / "program.py",
        f"""
        import argparse, random, sys
        from collections import namedtuple
        from pathlib import Path
        from typing import NamedTuple, TypeVar

        from artvcs import pipeline, step

        T = TypeVar("T")
        Pair = namedtuple("Pair", "first second")
        DONE = Path({str(done)!r})


        class Setting(NamedTuple):
            factor: int


        def note(what):
            DONE.mkdir(exist_ok=True)
            (DONE / f"{{what}}-{{len(list(DONE.iterdir()))}}").touch()


        parser = argparse.ArgumentParser()
        parser.add_argument("--factor", type=int)
        given = parser.parse_args()
        SETTING = Setting(1)
        note("began")
        random.seed(7)
        if given.factor:
            SETTING = Setting(given.factor)
        table = {{}}
        for number in range(3):
            table[number] = number * SETTING.factor


        @step
        def times(pair: list[int]) -> int:
            return table[Pair(*pair).first] + table[pair[1]] + SETTING.factor


        @pipeline
        def flow() -> None:
            times([1, 2])


        run = flow()
        note("ended")
        print("made", run.steps["times"].output.load())
        """,
    )
    assert python("program.py", "--factor", "10", ARTVCS_EXECUTOR=dask).stdout == "made 40\n"
    assert sorted(path.name for path in done.iterdir()) == ["began-0", "ended-1"]
    assert python("program.py", "--factor", "10").stdout == "made 40\n"
