"""The fingerprint as a whole: how far it reaches, packages, what is listed, JSON, comparing."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from artvcs.pipelines.fingerprint import compare, fingerprint, from_json, to_json
from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects import canonical

Project = Any  # the fixture in conftest.py

STEP = "pipeline.py"


def unfollowed(project: Project) -> set[str]:
    return {item.what for item in project.fingerprint().unfollowed}


def test_reach_function_counts_the_function_alone(project: Project) -> None:
    project.write({STEP: "import numpy\ndef helper():\n    return 1\ndef train(x=3):\n    return helper(), numpy\n"})
    original = project.fingerprint(reach="function")
    assert [part.name for part in original.parts] == ["pipeline.py::train", "pipeline.py::train[x=]"]
    assert not original.packages
    project.edit(STEP, "return 1", "return 2")
    assert project.fingerprint(reach="function").id == original.id
    project.edit(STEP, "x=3", "x=4")
    assert project.fingerprint(reach="function").id != original.id


def test_reach_function_counts_closure_values(project: Project) -> None:
    text = "def make(n):\n    def train():\n        return n\n    return train\ntrain = make(1)\n"
    project.write({STEP: text})
    original = project.fingerprint(reach="function")
    project.edit(STEP, "make(1)", "make(2)")
    assert project.fingerprint(reach="function").id != original.id


def test_reach_none_counts_the_name_alone(project: Project) -> None:
    project.write({STEP: "def train():\n    return 1\ndef other():\n    return 1\n"})
    original = project.fingerprint(reach="none").id
    assert project.fingerprint("other", reach="none").id != original
    project.edit(STEP, "return 1", "return 2")
    assert project.fingerprint(reach="none").id == original


def test_packages_count_by_version_and_stdlib_does_not(project: Project) -> None:
    import numpy

    text = "import json, dateutil, blake3\nimport numpy as np\ndef train():\n    return np.sum(json, dateutil.x)\n"
    project.write({STEP: text})
    found = project.fingerprint().packages
    assert found["numpy"] == numpy.__version__
    assert {"numpy", "python-dateutil"} <= set(found)
    assert "json" not in found


def test_what_a_package_needs_counts_too(project: Project) -> None:
    from importlib.metadata import version

    project.write({STEP: "import pandas\ndef train(x):\n    return pandas.DataFrame(x)\n"})
    found = project.fingerprint().packages
    assert (found["pandas"], found["python-dateutil"]) == (version("pandas"), version("python-dateutil"))


def test_packages_reached_through_helpers_and_star_imports_count(project: Project) -> None:
    project.write(
        {
            STEP: "import utils\ndef train():\n    return utils.f()\n",
            "utils.py": "from numpy import *\ndef f():\n    return zeros(3)\n",
        }
    )
    assert "numpy" in project.fingerprint().packages


def test_artvcs_itself_is_a_package(project: Project) -> None:
    project.write({STEP: "import artvcs\ndef train():\n    return artvcs.log\n"})
    result = project.fingerprint()
    assert list(result.packages) == ["artvcs"]
    assert {part.name for part in result.parts} == {"pipeline.py::train", "pipeline.py::artvcs"}


def test_a_virtual_environment_in_the_project_is_third_party(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(
        {
            STEP: "import vended\ndef train():\n    return vended.f()\n",
            ".venv/lib/site-packages/vended.py": "def f():\n    return 1\n",
        }
    )
    monkeypatch.syspath_prepend(str(project.folder / ".venv/lib/site-packages"))
    result = project.fingerprint()
    assert dict(result.packages) == {"vended": "unknown"}


def test_code_outside_the_project_counts_under_a_stable_name(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "lib" / "src" / "shared_lib"
    outside.mkdir(parents=True)
    (outside / "__init__.py").write_text("")
    (outside / "core.py").write_text("def f():\n    return 1\n")
    monkeypatch.syspath_prepend(str(outside.parent))
    project.write({STEP: "from shared_lib.core import f\ndef train():\n    return f()\n"})
    assert "../shared_lib/core.py::f" in project.names()


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("exec(x)", "exec()"),
        ("eval(x)", "eval()"),
        ("getattr(x, x)", "getattr() with a computed name"),
        ("__import__(x)", "__import__() with a computed name"),
        ("importlib.import_module(x)", "import_module() with a computed name"),
        ("nowhere.f()", "module nowhere was not found"),
    ],
)
def test_what_cannot_be_followed_is_listed(project: Project, code: str, what: str) -> None:
    imports = "import importlib\nif 0:\n    import nowhere\n"
    project.write({STEP: f"{imports}def train(x):\n    return {code}\n"})
    assert what in unfollowed(project)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"def f(:\n", "the file has a syntax error in line 1"),
        (b"\n\nx = '\xff\xfe'\n", "the file is not utf-8 text"),
        (b"# \xff\xfe\n", "the file's encoding is not known (invalid or missing encoding declaration)"),
        (b"# coding: nonsense\n", "the file's encoding is not known (unknown encoding: nonsense)"),
        (b"x = '\x00'\n", None),
    ],
)
def test_a_file_that_cannot_be_read_is_listed(project: Project, content: bytes, what: str | None) -> None:
    project.write({STEP: "def train():\n    from broken import f\n    return f()\n"})
    (project.folder / "broken.py").write_bytes(content)
    found = {item.what for item in project.fingerprint().unfollowed if item.where == "broken.py"}
    assert found
    assert what is None or what in found


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_listed(project: Project) -> None:
    project.write({STEP: "def train():\n    import broken\n", "broken.py": ""})
    (project.folder / "broken.py").chmod(0)
    assert "the file cannot be read (Permission denied)" in unfollowed(project)


def test_a_compiled_module_counts_by_its_bytes(project: Project) -> None:
    project.write({STEP: "def train():\n    import fast\n    return fast.f()\n"})
    suffix = ".so" if sys.platform != "win32" else ".pyd"
    (project.folder / f"fast{suffix}").write_bytes(b"one")
    original = project.fingerprint()
    assert "file" in {part.kind for part in original.parts}
    (project.folder / f"fast{suffix}").write_bytes(b"two")
    assert project.fingerprint().id != original.id
    assert "compiled module fast" in unfollowed(project)


def test_deep_expressions_are_read(project: Project) -> None:
    project.write({STEP: f"K = {' + '.join(['1'] * 2000)}\ndef train():\n    return K{'.a' * 500}\n"})
    original = project.fingerprint().id
    project.edit(STEP, "1 + 1\n", "1 + 2\n")
    assert project.fingerprint().id != original


def test_long_chains_of_helpers_are_followed(project: Project) -> None:
    helpers = "".join(f"def f{i}():\n    return f{i + 1}()\n" for i in range(3000))
    project.write({STEP: f"{helpers}def f3000():\n    return 1\ndef train():\n    return f0()\n"})
    assert len(project.fingerprint().parts) == 3002


def test_an_edited_file_is_read_again_in_the_same_process(project: Project) -> None:
    project.write({STEP: "from utils import f\ndef train():\n    return f()\n", "utils.py": "def f():\n    return 1\n"})
    function = project.load().train
    ids = []
    for number in range(5):
        (project.folder / "utils.py").write_text(f"def f():\n    return {number}\n")
        ids.append(fingerprint(function).id)
    assert len(set(ids)) == 5


def test_a_module_that_appears_later_is_found(project: Project) -> None:
    project.write({STEP: "def train():\n    import later\n    return later.f()\n"})
    function = project.load().train
    original = fingerprint(function)
    project.write({"later.py": "def f():\n    return 1\n"})
    assert "later.py::f" in {part.name for part in fingerprint(function).parts} - {part.name for part in original.parts}


def test_equal_functions_of_two_projects_are_told_apart(project: Project) -> None:
    text = "from {0} import f\ndef train():\n    return f()\n"
    project.write({"a.py": text.format("one_x"), "b.py": text.format("two_x")})
    project.write({"one_x.py": "def f():\n    return 1\n", "two_x.py": "def f():\n    return 2\n"})
    first, second = (fingerprint(project.load(name).train) for name in ("a.py", "b.py"))
    assert first.id != second.id


def test_json_keeps_everything(project: Project) -> None:
    project.write({STEP: "import numpy\nK = 1.5\ndef train(x):\n    '''caf\u00e9'''\n    return eval(x), K, numpy\n"})
    original = project.fingerprint()
    assert from_json(canonical.loads(canonical.dumps(to_json(original)))) == original
    with pytest.raises(DamagedError):
        from_json({"id": "x"})


def test_parts_say_where_they_are(project: Project) -> None:
    project.write(
        {STEP: "class Net:\n    # fast\n    def f(self):\n        return 1\ndef train():\n    return Net()\n"}
    )
    part = next(part for part in project.fingerprint().parts if part.name == "pipeline.py::Net.f")
    assert (part.kind, part.file, part.line) == ("function", "pipeline.py", 3)
    assert part.source == "def f(self):\n    return 1"


def part(code: str, source: str = "", kind: str = "function") -> SimpleNamespace:
    return SimpleNamespace(kind=kind, hash=code, source=source)


def test_compare_tells_what_changed() -> None:
    old = {"a": part("1", "x = 1"), "b": part("2", "y = 1"), "c": part("3", "z = 1")}
    new = {"a": part("1", "x = 1  # note"), "b": part("4", "y = 2"), "d": part("5", "w = 1")}
    changes = compare(old, new)
    assert [(change.name, change.kind) for change in changes] == [("b", "changed"), ("c", "removed"), ("d", "added")]
    assert changes[0].diff == "--- before/b\n+++ after/b\n@@ -1 +1 @@\n-y = 1\n+y = 2\n"


def told(old: dict[str, SimpleNamespace], new: dict[str, SimpleNamespace]) -> list[tuple[str, str]]:
    return [(change.name, change.kind) for change in compare(old, new)]


def test_compare_takes_what_moved_for_the_same() -> None:
    old = {"a.py::f": part("1"), "a.py::g": part("2"), "main.py::f": part("3", kind="import")}
    new = {"b.py::f": part("1"), "b.py::g": part("4"), "main.py::f": part("5", kind="import")}
    assert told(old, new) == [("b.py::g", "changed")]


def test_compare_tells_of_imports_and_of_places_where_nothing_else_changed() -> None:
    old = {"a.py::f": part("1"), "main.py::f": part("3", kind="import")}
    assert told(old, {**old, "main.py::f": part("5", kind="import")}) == [("main.py::f", "changed")]
    assert told({"a.py::f": part("1")}, {"b.py::f": part("1")}) == [("b.py::f", "changed")]


def test_compare_pairs_equal_names_that_say_the_same_first() -> None:
    old = {"a.py::f": part("1"), "b.py::f": part("2")}
    assert told(old, {"c.py::f": part("2"), "d.py::f": part("3")}) == [("d.py::f", "changed")]
