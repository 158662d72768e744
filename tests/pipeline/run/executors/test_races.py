"""What threads of one process do at the same moment: the main thread, steps beside each other, and what publishes."""

import os
import signal
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import pytest

from artvcs import Client, Model, get_step_context, pipeline, step
from artvcs.pipelines.errors import RunFailed
from artvcs.pipelines.fingerprint import following
from artvcs.pipelines.run.coordinator import Coordinator
from artvcs.pipelines.trace.hearing import family
from artvcs.vcs.changes.publish import Publisher
from tests.pipeline.helpers import statuses

pytestmark = pytest.mark.usefixtures("project")


@pytest.mark.long
def test_a_step_that_is_over_its_time_while_it_waits_for_what_publishes_locks_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish, publishing = Publisher.publish, threading.Event()

    def slowly(self: Publisher, change: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            publishing.set()
            time.sleep(1.5)
        return publish(self, change)

    monkeypatch.setattr(Publisher, "publish", slowly)

    @step
    def quick() -> int:
        return 1

    @step(timeout=1.7)
    def asks(one: int) -> int:
        publishing.wait()
        return len(Client().list_pipeline_runs()) + one

    @pipeline(executor="threads", jobs=2)
    def flow() -> None:
        asks(quick())

    with pytest.raises(RunFailed, match="asks"):
        flow()


def test_steps_that_ask_for_the_version_of_their_model_at_once_make_one() -> None:
    both = threading.Barrier(2)

    @step
    def told(number: int) -> int:
        both.wait()
        version = get_step_context().model.version
        return int(version) + 0 * number

    @pipeline(executor="threads", jobs=2, model=Model("net"))
    def flow() -> None:
        told(1)
        told(2)

    assert [each.output.load() for each in flow().steps.values()] == [1, 1]


def test_user_modules_that_steps_on_threads_load_end_no_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project))
    for number in range(40):
        (project / f"plug_in_{number}.py").write_text(f"def f(x):\n    return x + {number}\n")

    @step
    def load(number: int) -> int:
        found: int = import_module(f"plug_in_{number}").f(number)
        return found

    @pipeline(executor="threads", jobs=4)
    def flow() -> None:
        load.map(range(40))

    assert set(statuses(flow()).values()) == {"completed"}


@pytest.mark.long
def test_a_try_after_one_that_took_too_long_gets_its_own_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, is_slow = Coordinator.answer, [True]

    def slowly(self: Coordinator, task: Any, what: str, arguments: tuple[Any, ...]) -> Any:
        if arguments[1:3] == ("find", "two") and is_slow:
            is_slow.pop()
            time.sleep(1.5)
        return answer(self, task, what, arguments)

    monkeypatch.setattr(Coordinator, "answer", slowly)

    @step
    def makes() -> tuple[Annotated[str, "one"], Annotated[str, "two"]]:
        return "value of one", "value of two"

    @step(timeout=1.0, retry=2)
    def uses(_: str) -> list[str]:
        threading.Thread(target=time.sleep, args=(4.0,), daemon=True).start()  # which may hear the alarm
        model = get_step_context().model
        return [model.load_artifact("one"), model.load_artifact("two")]

    @pipeline(executor="processes", jobs=2, model=Model("net"))
    def flow() -> None:
        one, _ = makes()
        uses(one)

    assert flow().steps["uses"].output.load() == ["value of one", "value of two"]
    assert not is_slow


def test_processes_are_forked_while_code_is_followed() -> None:
    @step(retry=1)
    def sleeps() -> None:
        time.sleep(0.7)

    @pipeline(executor="processes", jobs=2)
    def flow() -> None:
        sleeps()

    def kill() -> None:
        time.sleep(0.5)
        host = next(iter(family.children(os.getpid())))
        with following:  # as while another step is decided about
            os.kill(host, signal.SIGKILL)
            time.sleep(1.0)

    threading.Thread(target=kill, daemon=True).start()
    assert statuses(flow()) == {"sleeps": "completed"}


CHANGING = """
import collections, functools, gc, os, sys, time, types
from artvcs import pipeline, step

sys.setswitchinterval(1e-5)
gc.set_threshold(20)  # what is collected runs code of its own, in the middle of what another thread does

class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        time.sleep(0)

class Kinds:
    table = {}

class Sub(dict):
    pass

PLAIN, NESTED, SUB, SEEN, HOLDER = {}, {"a": {}}, Sub(), set(), Cycle()
COUNTED, ORDERED, LAST = collections.defaultdict(int), collections.OrderedDict(), collections.deque(maxlen=100)
REGISTRY = {"one": len}

@functools.lru_cache(maxsize=None)
def remembered(number):
    return number

def helper(number):
    return number

@step
def changes(number: int) -> int:
    keys = [f"key_{number}_{each}" for each in range(100)]
    for key in keys:
        PLAIN[key] = NESTED["a"][key] = SUB[key] = COUNTED[key] = ORDERED[key] = Kinds.table[key] = 1
        SEEN.add(key); LAST.append(key); remembered(key); Cycle()
        REGISTRY[key] = types.FunctionType(helper.__code__, globals(), key)
        setattr(HOLDER, key, 1); setattr(Kinds, key, 1); setattr(helper, key, 1)
        os.environ[key] = globals()[key] = "1"
        sys.modules[key] = types.ModuleType(key)
    for key in keys:
        for each in (PLAIN, NESTED["a"], SUB, COUNTED, ORDERED, Kinds.table, REGISTRY):
            del each[key]
        for each in (os.environ, globals(), sys.modules):
            del each[key]
        SEEN.discard(key)
        for each in (HOLDER, Kinds, helper):
            delattr(each, key)
    return number + 0 * len([PLAIN, NESTED, SUB, SEEN, HOLDER, COUNTED, ORDERED, LAST, REGISTRY, Kinds, helper])

@step
def reads(number: int) -> int:
    held = PLAIN, NESTED, SUB, SEEN, HOLDER, COUNTED, ORDERED, LAST, REGISTRY, Kinds, helper, {**globals()}
    return number + 0 * len(held) + remembered(1) + len({name: os.environ.get(name) for name in os.environ})

@pipeline(executor="threads", jobs=4)
def flow():
    changes.map(range(25))
    reads.map(range(100, 125))

print({each.status for each in flow().steps.values()})
"""


def test_whatever_steps_on_threads_change_beside_each_other_ends_no_run(python: Any, project: Path) -> None:
    (project / "changing.py").write_text(CHANGING)
    assert python("changing.py").stdout == "{'completed'}\n"
