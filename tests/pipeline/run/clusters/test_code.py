"""Code of any shape on workers: the same results as here, and a sentence where that cannot be."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from artvcs import Client, load_artifact
from tests.servers.clusters import Dask, wait_until

from .conftest import Art, write

pytestmark = pytest.mark.clusters

SHAPES = """
    import random
    from typing import Annotated

    from artvcs import pipeline, step
    import settings

    CONFIG = {"rate": 1}


    def factory(number):
        @step
        def inner(x: int) -> int:
            def counted(k):
                return 0 if k == 0 else 1 + counted(k - 1)

            return x + number + counted(2)

        return inner


    made_by_factory, in_loop = factory(5), []
    for number in range(2):

        @step(name=f"loop_{number}")
        def looped(x: int, add: int = number) -> int:
            return x + add

        in_loop.append(looped)

    anonymous = step(name="anonymous")(lambda x: x + 1)


    @step
    def rate() -> Annotated[int, "rate"]:
        return CONFIG["rate"] + settings.MORE


    @step
    def drawn() -> Annotated[float, "drawn"]:
        return random.random()


    @pipeline
    def flow(rate_: int = 7) -> None:
        CONFIG["rate"] = rate_
        settings.MORE = 100
        random.seed(rate_)
        made_by_factory(1)
        for each in in_loop:
            each(1)
        anonymous(1)

        @step
        def in_body(x: int) -> int:
            return x * rate_

        in_body(2)
        rate()
        drawn()
"""


def test_steps_of_any_origin_and_what_the_program_has_set(shared: Path, art: Art, dask: str) -> None:
    write(shared / "flow.py", SHAPES)
    write(shared / "settings.py", "MORE = 0\n")

    def results() -> dict[str, object]:
        run = Client().list_pipeline_runs()[0]
        return {name: each.output.load() for name, each in run.steps.items()}

    art("run", "flow.py")
    here = results()
    assert here["in_body"] == 14
    assert here["rate"] == 107
    art("run", "flow.py", "--no-cache", "--executor", dask)
    assert results() == here
    assert "7 steps, 7 reused" in art("run", "flow.py").stdout


def test_a_worker_with_many_threads_executes_side_by_side(shared: Path, art: Art, breakable: Dask) -> None:
    breakable.add_worker("--nthreads", "4")
    write(
        shared / "flow.py",
        """
        import numpy as np
        from artvcs import pipeline, step


        @step
        def made(seed: int) -> np.ndarray:
            return np.random.default_rng(seed).random(60_000)


        @step
        def summed(values: np.ndarray) -> float:
            return float(values.sum())


        @pipeline
        def flow() -> None:
            summed.map(made.map(list(range(8))))
        """,
    )
    for _ in range(3):
        assert "16 steps" in art("run", "flow.py", "--no-cache", "--executor", breakable.executor).stdout


FAILING = """
    import time
    from artvcs import pipeline, step


    @step
    def slowly() -> int:
        time.sleep(0.5)
        raise ValueError("of slowly")


    @step
    def at_once() -> int:
        raise ValueError("of at_once")


    @step
    def reads() -> int:
        return len(open("data.csv").read())


    @step
    def interrupts() -> int:
        raise KeyboardInterrupt


    @pipeline(execution_mode="continue_on_failure")
    def two() -> None:
        slowly()
        at_once()


    @pipeline
    def reading() -> None:
        reads()


    @pipeline
    def interrupting() -> None:
        interrupts()
"""


def test_errors_name_files_as_they_are_called_here(shared: Path, art: Art, dask: str) -> None:
    write(shared / "flow.py", FAILING)
    done = art("run", "flow.py:two", "--executor", dask, check=False)
    assert 'File "flow.py", line 9, in slowly' in done.stderr
    assert "Step 'slowly' failed (and 1 more): ValueError: of slowly (flow.py:9)" in done.stderr
    assert "artvcs-outpost" not in done.stderr
    step = Client().list_pipeline_runs()[0].steps["at_once"]
    assert step.failure is not None
    assert str(shared / "flow.py") in step.failure.traceback


def test_a_file_that_does_not_go_along_is_said_to_be_the_reason(shared: Path, art: Art, dask: str) -> None:
    write(shared / "flow.py", FAILING)
    write(shared / ".gitignore", "data.csv\n")
    write(shared / "data.csv", "1\n")
    done = art("run", "flow.py:reading", "--executor", dask, check=False)
    assert "This file is not on the worker: what Git ignores" in done.stderr


def test_what_cannot_travel_is_named(shared: Path, art: Art, dask: str) -> None:
    write(
        shared / "flow.py",
        """
        import threading
        from artvcs import pipeline, step

        LOCK = threading.Lock()

        @step
        def locks() -> int:
            with LOCK:
                return 1

        def reading(file):
            @step
            def reads() -> str:
                return file.read()

            return reads

        @pipeline(execution_mode="continue_on_failure")
        def flow():
            locks()
            reading(open("flow.py"))()
        """,
    )
    art("run", "flow.py", "--executor", dask, check=False)
    steps = Client().list_pipeline_runs()[0].steps.items()
    said = {name: each.failure.traceback for name, each in steps if each.failure}
    assert "The variable 'LOCK' is not on the worker: its value cannot be pickled" in said["locks"]
    assert "reads[file] holds a value of type _io.TextIOWrapper, which is not the same there" in said["reads"]


def test_a_step_that_interrupts_itself_interrupts_the_run(shared: Path, art: Art, dask: str) -> None:
    write(shared / "flow.py", FAILING)
    done = art("run", "flow.py:interrupting", "--executor", dask, check=False)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_code_edited_while_a_run_goes_on_is_executed_as_it_was(
    shared: Path, begun_art: Callable[..., Popen[str]], art: Art, dask: str, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    code = """
        import time
        from pathlib import Path
        from typing import Annotated
        from artvcs import pipeline, step


        @step
        def waits() -> int:
            Path({begun!r}).touch()
            while not Path({go!r}).exists():
                time.sleep(0.02)
            return 1


        @step
        def after(x: int) -> Annotated[int, "result"]:
            return x + {added}


        @pipeline
        def flow() -> None:
            after(waits())
        """
    begun = tmp_path / "begun"
    write(shared / "flow.py", code.format(begun=str(begun), go=str(go), added=1))
    running = begun_art("run", "flow.py", "--executor", dask)
    wait_until(begun.exists, "it has not begun")
    time.sleep(0.05)
    write(shared / "flow.py", code.format(begun=str(begun), go=str(go), added=2))
    go.touch()
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert load_artifact("result") == 2
    assert "its result cannot be used again" in said
    art("run", "flow.py")
    assert load_artifact("result") == 3


def test_that_results_were_not_published_is_said(
    shared: Path, begun_art: Callable[..., Popen[str]], dask: str, tmp_path: Path
) -> None:
    write(
        shared / "flow.py",
        f"""
        import time
        from pathlib import Path
        import numpy as np
        from artvcs import pipeline, step


        @step
        def made() -> np.ndarray:
            return np.random.default_rng(0).random(200_000)


        @step
        def waits(values: np.ndarray) -> int:
            Path({str(tmp_path / "begun")!r}).touch()
            while not Path({str(tmp_path / "go")!r}).exists():
                time.sleep(0.02)
            return 1


        @pipeline
        def flow() -> None:
            waits(made())
        """,
    )
    running = begun_art("run", "flow.py", "--executor", dask)
    wait_until((tmp_path / "begun").exists, "it has not begun")
    shutil.rmtree(tmp_path / "remote")
    (tmp_path / "go").touch()
    said, _ = running.communicate(timeout=60)
    assert "was not published there" in said


CELLS = (
    "import numpy as np\nfrom dataclasses import dataclass\nfrom artvcs import pipeline, step\nFACTOR = 3",
    "@dataclass\nclass Scaled:\n    values: np.ndarray\n    by: int",
    "def scaled(values):\n    return Scaled(values * FACTOR, FACTOR)",
    "@step\ndef make(count: int) -> np.ndarray:\n    return np.arange(count)\n\n"
    "@step\ndef scale(values: np.ndarray) -> Scaled:\n    return scaled(values)\n\n"
    "@step\ndef total(scaled: Scaled) -> int:\n    return int(scaled.values.sum()) + scaled.by",
    "@pipeline\ndef flow(count: int = 10):\n    total(scale(make(count)))",
    "run = flow.with_options(executor={executor!r})()\nprint('made', run.steps['total'].output.load())",
    "print(sorted({each.status for each in flow().steps.values()}))",
    "FACTOR = 4\nrun = flow.with_options(executor={executor!r})()\nprint('made', run.steps['total'].output.load())",
)


def test_what_a_notebook_defines(shared: Path, dask: str) -> None:
    import nbclient
    import nbformat

    v4: Any = nbformat.v4
    book = v4.new_notebook(cells=[v4.new_code_cell(cell.replace("{executor!r}", repr(dask))) for cell in CELLS])
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(shared)}}).execute()
    printed = [
        output.text for cell in book.cells for output in cell.outputs if output.get("name") == "stdout"
    ]  # fmt: skip
    assert "".join(printed).splitlines() == ["made 138", "['cached']", "made 184"]


def test_paths_beside_the_code_lead_to_what_lies_there(shared: Path, art: Art, dask: str) -> None:
    write(
        shared / "flow.py",
        """
        from pathlib import Path
        from typing import Annotated

        from artvcs import pipeline, step
        from places import PLACES

        HERE = Path(__file__).parent
        DATA = str(HERE / "data")


        @step
        def reads() -> Annotated[list[str], "read"]:
            files = [HERE / "data" / "one.txt", f"{DATA}/one.txt", PLACES["one"], Path(__file__).with_name("two.txt")]
            print(HERE)
            return [Path(each).read_text() for each in files]


        @pipeline
        def flow() -> None:
            reads()
        """,
    )
    write(
        shared / "places.py", "from pathlib import Path\n\nPLACES = {'one': Path(__file__).parent / 'data/one.txt'}\n"
    )
    write(shared / "data" / "one.txt", "one")
    write(shared / "two.txt", "two")
    said = art("run", "flow.py", "--executor", dask).stdout
    assert load_artifact("read") == ["one", "one", "one", "two"]
    assert str(shared) not in said  # what lies here no worker has
    assert "1 step, 1 reused" in art("run", "flow.py", "--executor", dask).stdout
    assert "1 step, 1 reused" in art("run", "flow.py").stdout
    write(shared / "data" / "one.txt", "more")
    assert "1 reused" not in art("run", "flow.py", "--executor", dask).stdout


def test_the_plan_of_a_run_on_an_engine(shared: Path, art: Art, dask: str) -> None:
    write(shared / "flow.py", FAILING.replace("raise ValueError", "return len").replace("time.sleep(0.5)", "pass"))
    art("run", "flow.py:two", "--executor", dask)
    write(shared / "flow.py", FAILING.replace("raise ValueError", "return 1 + len").replace("time.sleep(0.5)", "pass"))
    assert "About" in art("run", "flow.py:two", "--executor", dask, "--plan").stdout
