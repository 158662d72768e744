"""`art run -j`: what is shown of steps that run side by side, and what goes on after a failure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ..conftest import Art

FLOW = """
import os, time
from artvcs import pipeline, step

@step
def part(number: int) -> int:
    print(f"part {number} in {os.getpid()}")
    if number == 3 and not os.path.exists("mended"):
        os.kill(os.getpid(), 9)
    time.sleep(0.1)
    return number

@step
def whole(parts: list[int]) -> int:
    return sum(parts)

@pipeline
def flow(most: int = 3):
    whole([part(number) for number in range(most)])
"""


@pytest.fixture
def flow(project: Path) -> str:
    (project / "flow.py").write_text(FLOW)
    return "flow.py"


@pytest.mark.usefixtures("flow")
def test_steps_run_in_processes_and_each_line_says_whose_it_is(art: Art) -> None:
    done = art("run", "flow.py", "-j", "2")
    assert done.code == 0
    lines = done.out.splitlines()
    assert {line.partition(" part")[0] for line in lines if " in " in line} == {"[part]", "[part_2]", "[part_3]"}
    assert "completed, 4 steps" in done.out
    again = art("run", "flow.py")
    assert "4 reused" in again.out


@pytest.mark.usefixtures("flow")
def test_a_killed_step_is_told_with_what_goes_on_from_there(art: Art) -> None:
    done = art("run", "flow.py", "-j", "2", "-p", "most=4")
    assert done.code == 1
    assert "StepKilled: The step 'part' was killed by SIGKILL" in done.err
    assert "`art run flow.py -j 2 -p most=4` goes on from there" in done.err
    Path("mended").touch()
    done = art("run", "flow.py", "-j", "2", "-p", "most=4")
    assert "5 steps, 3 reused" in done.out


@pytest.mark.usefixtures("flow")
def test_a_plan_adds_up_what_its_steps_have_cost(art: Art) -> None:
    first = art("run", "flow.py", "--plan")
    assert "Nobody knows how long it would take: 4 steps would run for the first time." in first.err + first.out
    art("run", "flow.py", "-j", "2")
    again = art("run", "flow.py", "--plan", "--no-cache", "-j", "2")
    assert "About " in again.err + again.out
    assert "of results, by the last executions." in again.err + again.out


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("-j", "0"), "0 is not in the range"),
        (("--executor", "dusk"), "'dusk' is not one of 'inline', 'threads'"),
        (("--executor", "dask://"), "'dask://' is no address; write dask://HOST:PORT"),
        (("--executor", "dask://tcp://"), "'dask://tcp://' is no address; write dask://HOST:PORT"),
        (("--executor", "dask://here:99999"), "'dask://here:99999' is no address; write dask://HOST:PORT"),
        (("--executor", "ray://here:abc"), "'ray://here:abc' is no address; write ray://HOST:PORT"),
        (("--executor", "dask:here:8786"), "'dask:here:8786' is no address; write dask://HOST:PORT; `art run --help`"),
    ],
)
@pytest.mark.usefixtures("flow")
def test_what_cannot_be_is_a_sentence(art: Art, said: tuple[str, str], told: str) -> None:
    done = art("run", "flow.py", *said)
    assert done.code == 2
    assert told in done.err


MAPPED = """
from typing import Annotated
from artvcs import pipeline, step

@step
def item(number: int) -> Annotated[int, "kept"]:
    if number % 10 == 7:
        raise ValueError(f"no {number}")
    return number

@pipeline
def flow(most: int):
    item.map(range(most))
"""


def test_the_items_of_a_map_are_one_line_and_the_first_that_fail_besides(art: Art, project: Path) -> None:
    (project / "flow.py").write_text(MAPPED)
    done = art("run", "flow.py", "-p", "most=7")
    assert "item ×7  completed" in done.err
    assert "made kept@1 … kept@7 (7 versions)\n" in done.out
    assert "item ×7  cached" in art("run", "flow.py", "-p", "most=7").err
    done = art("run", "flow.py", "-p", "most=80")
    failed = [line for line in done.err.splitlines() if "failed  " in line]
    assert [line.split()[1] for line in failed] == ["item_8", "item_18", "item_28", "item"]
    assert "item ×80  failed" in failed[-1]
    assert failed[-1].endswith("7 cached, 8 failed, 65 completed")
    assert done.err.count("Traceback (most recent call last)") == 5
    assert "3 more steps failed." in done.err
    shown = art("show", "HEAD").out
    assert "item ×80" in shown
    assert "7 cached, 8 failed, 65 completed" in shown
    assert shown.count("ValueError: no ") == 3 + 8  # in the table, and all of them below
    assert "ValueError: no 27" in art("show", "HEAD/item_28").out
    assert "ValueError: no 27" in art("why", "HEAD/item_28").out
    assert "has no step 'itm'" in art("why", "HEAD/itm").err
    assert (
        "it has item, item_2, item_3, item_4, item_5, item_6, item_7, item_8 and 72 more."
        in art("why", "itm", "--run", "HEAD").err
    )


def test_a_plan_tells_once_what_is_the_same_of_many_items(art: Art, project: Path) -> None:
    chain = MAPPED + "    following.map(item.map(range(most)))\n"
    follows = "@step\ndef following(number: int) -> int:\n    return number + 1\n\n@pipeline"
    (project / "flow.py").write_text(chain.replace("@pipeline", follows).replace("    item.map(range(most))\n", "", 1))
    assert art("run", "flow.py", "-p", "most=6").code == 0
    lines = art("run", "flow.py", "-p", "most=7", "--plan").out.splitlines()
    assert [line.partition(":")[0].split() for line in lines[:4]] == [
        ["reuse", "item", "×6"], ["run", "item_7"], ["reuse", "following", "×6"], ["maybe", "following_7"]
    ]  # fmt: skip
    (project / "flow.py").write_text((project / "flow.py").read_text().replace("% 10 == 7", "% 10 == 8"))
    lines = art("run", "flow.py", "-p", "most=6", "--plan").out.splitlines()
    assert lines[0].startswith("run    item ×6: Since its last execution")
    assert sum("% 10 == 8" in line for line in lines) == 1
    assert lines[-2].startswith("maybe  following ×6: It runs if 'item' returns another value than before.")


NEEDY = """
from artvcs import pipeline, step

@step(resources={"cpus": 4096, "memory": "4000TB", "gpus": 1})
def train(number: int) -> int:
    return number

@pipeline
def flow():
    train.map(range(3))
"""


@pytest.mark.parametrize("more", [(), ("-j", "2")])
def test_what_a_step_needs_and_this_machine_has_not_is_said_once(
    art: Art, project: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (project / "flow.py").write_text(NEEDY)
    done = art("run", "flow.py", *more)
    assert (done.code, done.err.count("The step 'train' needs")) == (0, 1)
    assert re.search(
        "needs 4,096 cores, of which this machine has [0-9]+, and 4,000,000 GB of memory, of which ", done.err
    )
    assert "and 1 graphics card, and this machine has none; it runs alone." in done.err
    assert "needs" not in art("run", "flow.py", *more).err, "what is reused needs nothing"


LISTS = """
from artvcs import pipeline, step

@step
def square(number: int) -> int:
    return number * number

@step
def total(numbers: list[int]) -> int:
    return sum(numbers)

@pipeline
def flow(count: int = 300, first: int = 0, step: int = 1):
    total(square.map(range(first, first + count)[::step]))
"""


def test_what_changed_of_a_long_list_is_said_in_a_line(art: Art, project: Path) -> None:
    (project / "flow.py").write_text(LISTS)
    [_, maybe, _] = art("run", "flow.py", "--plan").out.splitlines()
    assert maybe == "maybe  total: It runs if one of 'square ×300' returns another value than before."
    art("run", "flow.py")

    art("run", "flow.py", "-p", "first=1")
    said = art("why", "total").out
    assert re.search(
        r"input numbers: flow::square::output@1 \(commit \w+\) beside 299 artifacts → "
        r"flow::square::output@301 \(commit \w+\) beside these 299\n",
        said,
    )
    art("run", "flow.py", "-p", "first=1", "-p", "count=299")
    said = art("why", "total").out
    assert re.search(r"input numbers: flow::square::output@301 \(commit \w+\) beside .* → these 299\n", said)
    art("run", "flow.py", "-p", "first=1", "-p", "count=299", "-p", "step=-1")
    assert "input numbers: 299 artifacts → the same in another order\n" in art("why", "total").out
    art("run", "flow.py", "-p", "first=1000")
    assert "and 295 more → " in (said := art("why", "total").out)
    assert said.endswith("and 296 more\n")
