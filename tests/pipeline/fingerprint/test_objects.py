"""What no file tells is followed through live objects: closures, partials, notebooks, exec."""

import datetime
import functools
import linecache
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from artvcs.pipelines.fingerprint import Fingerprint, fingerprint

Project = Any  # the fixture in conftest.py


def id_of(project: Project, files: dict[str, str], step: str = "train") -> str:
    project.write(files)
    result: Fingerprint = project.fingerprint(step)
    return result.id


def factory(value: str, helper: str = "x + 1") -> dict[str, str]:
    text = f"""\
        import utils
        def helper(x):
            return {helper}
        def make(n, f):
            unrelated = 1
            def train(x, m=n):
                return utils.clean(f(x)), n, m
            return train
        train = make({value}, helper)
        """
    return {"pipeline.py": text, "utils.py": "def clean(x):\n    return x\n"}


def test_values_of_a_closure_count_with_their_types(project: Project) -> None:
    values = ["1", "1.0", "True", "'1'", "[1]", "(1,)", "{1}", "{'a': 1}", "None", "b'1'"]
    values += ["__import__('datetime').date(2024, 1, 1)", "__import__('pathlib').PurePosixPath('a')", "[print]"]
    ids = {value: id_of(project, factory(value)) for value in values}
    assert len(set(ids.values())) == len(values)
    assert id_of(project, factory("1")) == ids["1"]


def test_functions_in_a_closure_are_followed(project: Project) -> None:
    original = id_of(project, factory("1"))
    assert id_of(project, factory("1", "x + 2")) != original
    project.write(factory("1"))
    project.edit("utils.py", "return x", "return -x")
    assert project.fingerprint().id != original


def test_what_surrounds_a_nested_step_does_not_count(project: Project) -> None:
    original = id_of(project, factory("1"))
    project.edit("pipeline.py", "unrelated = 1", "unrelated = 2")
    assert project.fingerprint().id == original


def test_modules_in_a_closure_are_followed_by_attribute(project: Project) -> None:
    text = """\
        def make():
            import utils
            def train():
                return utils.f()
            return train
        train = make()
        """
    original = id_of(project, {"pipeline.py": text, "utils.py": "def f():\n    return 1\ndef g():\n    return 7\n"})
    project.edit("utils.py", "return 7", "return 8")
    assert project.fingerprint().id == original
    project.edit("utils.py", "return 1", "return 2")
    assert project.fingerprint().id != original


def test_what_cannot_be_hashed_is_listed(project: Project) -> None:
    project.write(factory("(x for x in [1])"))
    assert "a value of type builtins.generator" in {item.what for item in project.fingerprint().unhashable}


def test_objects_of_the_users_classes_count_by_class_and_state(project: Project) -> None:
    text = """\
        class Scale:
            def __init__(self, by):
                self.by = by
            def apply(self, x):
                return x * self.by
        def make(scale):
            def train(x):
                return scale.apply(x)
            return train
        train = make(Scale(2))
        """
    original = id_of(project, {"pipeline.py": text})
    assert id_of(project, {"pipeline.py": text.replace("Scale(2)", "Scale(3)")}) != original
    assert id_of(project, {"pipeline.py": text.replace("x * self", "x + self")}) != original


def test_a_partial_counts_with_its_arguments(project: Project) -> None:
    project.write({"pipeline.py": "def train(x, n):\n    return x + n\ndef other(x, n):\n    return x + n\n"})
    module = project.load()
    ids = {
        fingerprint(functools.partial(function, *args, **kwargs)).id
        for function, args, kwargs in [
            (module.train, (), {}),
            (module.train, (1,), {}),
            (module.train, (2,), {}),
            (module.train, (), {"n": 1}),
            (module.other, (1,), {}),
        ]
    }
    assert len(ids) == 5


def test_two_lambdas_in_a_line_are_told_apart(project: Project) -> None:
    project.write({"pipeline.py": "both = [lambda x: x + K, lambda x: x - K]\nK = 1\n"})
    plus, minus = project.load().both
    assert fingerprint(plus).id != fingerprint(minus).id
    assert "pipeline.py::K" in {part.name for part in fingerprint(plus).parts}


def test_a_wrapped_step_counts_with_its_wrapper(project: Project) -> None:
    text = """\
        import functools
        def retry(times):
            def wrap(f):
                @functools.wraps(f)
                def inner(*args):
                    return [f(*args) for _ in range(times)][0]
                return inner
            return wrap
        @retry(2)
        def train(x):
            return x + 1
        """
    original = id_of(project, {"pipeline.py": text})
    for old, new in [("retry(2)", "retry(3)"), ("[0]", "[1]"), ("x + 1", "x + 2")]:
        assert id_of(project, {"pipeline.py": text.replace(old, new)}) != original, old


def test_an_object_that_is_called_counts_with_its_class_and_what_it_holds(project: Project) -> None:
    text = """\
        class Calling:
            def __init__(self, function):
                self.function = function
            def __call__(self, x):
                return self.function(x)
        def add(x):
            return x + 1
        train = Calling(add)
        """
    original = id_of(project, {"pipeline.py": text})
    for old, new in [("x + 1", "x + 2"), ("return self", "return -self"), ("Calling(add)", "Calling(abs)")]:
        assert id_of(project, {"pipeline.py": text.replace(old, new)}) != original, old


def test_a_method_counts_with_its_class(project: Project) -> None:
    text = "class Job:\n    rate = 1\n    def run(self):\n        return self.rate\ntrain = Job.run\n"
    original = id_of(project, {"pipeline.py": text})
    assert id_of(project, {"pipeline.py": text.replace("rate = 1", "rate = 2")}) != original


class Notebook:
    """Runs cells the way IPython does: one namespace, sources kept in linecache."""

    def __init__(self) -> None:
        self.main = types.ModuleType("__main__")
        self.count = 0

    def run(self, text: str) -> None:
        self.count += 1
        name = f"<ipython-input-{self.count}-abc>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), vars(self.main))

    def id(self, step: str = "train") -> str:
        return fingerprint(getattr(self.main, step)).id


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    before = dict(linecache.cache)
    found = Notebook()
    monkeypatch.setitem(sys.modules, "__main__", found.main)
    yield found
    linecache.cache.clear()
    linecache.cache.update(before)


def test_notebook_cells_are_followed_into_each_other(notebook: Notebook) -> None:
    notebook.run("def clean(x):\n    return x + RATE\n")
    notebook.run("RATE = 1\n")
    notebook.run("class Net:\n    size = 1\n")
    notebook.run("def train(x):\n    return clean(x), Net()\n")
    original = notebook.id()
    notebook.run("def unrelated():\n    return 1\n")
    notebook.run("def clean(x):\n    # the same, in a later cell\n    return x + RATE\n")
    assert notebook.id() == original
    for cell in ("RATE = 2\n", "def clean(x):\n    return x - RATE\n", "class Net:\n    size = 2\n"):
        before = notebook.id()
        notebook.run(cell)
        assert notebook.id() != before, cell


def test_a_notebook_object_without_value_counts_by_its_statement(notebook: Notebook) -> None:
    notebook.run("import threading\nlock = threading.Lock()\ndef train():\n    return lock\n")
    assert "constant" in {part.kind for part in fingerprint(notebook.main.train).parts}


def test_without_source_the_bytecode_counts() -> None:
    def made(body: str, rate: int = 1) -> Any:
        namespace: dict[str, Any] = {"__name__": "made", "RATE": rate}
        exec(f"def helper(x):\n    return x + RATE\ndef train(x):\n    return {body}\n", namespace)
        return namespace["train"]

    original = fingerprint(made("helper(x)"))
    assert {part.kind for part in original.parts} >= {"bytecode"}
    assert any("no source" in item.what for item in original.unfollowed)
    assert fingerprint(made("helper(x)")).id == original.id
    assert fingerprint(made("helper(x) + 1")).id != original.id
    assert fingerprint(made("helper(x)", rate=2)).id != original.id


def test_names_injected_at_run_time_are_followed(project: Project) -> None:
    project.write({"pipeline.py": "globals()['RATE'] = '1'\ndef train():\n    return RATE\n"})
    module = project.load()
    original = fingerprint(module.train).id
    module.RATE = "2"
    assert fingerprint(module.train).id != original


def test_builtin_functions_can_be_fingerprinted() -> None:
    assert fingerprint(len).id != fingerprint(max).id
    assert fingerprint(datetime.date.today).id
