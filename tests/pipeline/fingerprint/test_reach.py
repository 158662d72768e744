"""What a step reaches counts, what it does not reach does not: one small project for each construct.

Each case is the project's files, then edits: file, old text, new text and whether the step changes.
"""

from dataclasses import dataclass, field
from typing import Protocol

import pytest

from artvcs.pipelines.fingerprint import Fingerprint

Edit = tuple[str, str, str, bool]


class Project(Protocol):
    def write(self, files: dict[str, str]) -> None: ...
    def edit(self, name: str, old: str, new: str) -> None: ...
    def fingerprint(self, step: str = ...) -> Fingerprint: ...
    def names(self, step: str = ...) -> set[str]: ...


@dataclass
class Case:
    files: dict[str, str]
    edits: list[Edit]
    parts: list[str] = field(default_factory=list)


STEP = "pipeline.py"
CASES = {
    "helper function": Case(
        {STEP: "def clean(x):\n    return x + 1\ndef other():\n    return 5\ndef train(x):\n    return clean(x)\n"},
        [(STEP, "x + 1", "x + 2", True), (STEP, "return 5", "return 6", False)],
        ["pipeline.py::clean", "pipeline.py::train"],
    ),
    "helpers of helpers, mutually recursive": Case(
        {STEP: "def even(n):\n    return n == 0 or odd(n - 1)\n"
               "def odd(n):\n    return n != 0 and even(n - 1)\ndef train(n):\n    return even(n)\n"},
        [(STEP, "n != 0", "n > 0", True)],
        ["pipeline.py::odd"],
    ),
    "import of a module, read by attribute": Case(
        {STEP: "import utils\ndef train(x):\n    return utils.clean(x)\n",
         "utils.py": "def clean(x):\n    return x + 1\ndef unused(x):\n    return x + 5\n"},
        [("utils.py", "x + 1", "x + 2", True), ("utils.py", "x + 5", "x + 6", False)],
        ["utils.py::clean"],
    ),
    "import of a module under an alias": Case(
        {STEP: "import utils as u\ndef train(x):\n    return u.clean(x)\n",
         "utils.py": "def clean(x):\n    return x + 1\ndef unused(x):\n    return x + 5\n"},
        [("utils.py", "x + 1", "x + 2", True), ("utils.py", "x + 5", "x + 6", False)],
    ),
    "from import under an alias": Case(
        {STEP: "from utils import clean as tidy, unused\ndef train(x):\n    return tidy(x)\n",
         "utils.py": "def clean(x):\n    return x + 1\ndef unused(x):\n    return x + 5\n"},
        [("utils.py", "x + 1", "x + 2", True), ("utils.py", "x + 5", "x + 6", False),
         (STEP, "clean as tidy, unused", "unused as tidy, clean", True)],
    ),
    "two names exchanged in an import": Case(
        {STEP: "from utils import a as f, b as g\ndef train(x):\n    return f(x) - g(x)\n",
         "utils.py": "def a(x):\n    return x\ndef b(x):\n    return -x\n"},
        [(STEP, "a as f, b as g", "b as f, a as g", True)],
    ),
    "submodule by attribute": Case(
        {STEP: "import pkg.sub\nimport pkg.more\ndef train():\n    return pkg.sub.f()\n",
         "pkg/__init__.py": "", "pkg/sub.py": "def f():\n    return 1\ndef g():\n    return 7\n",
         "pkg/more.py": "def f():\n    return 3\n"},
        [("pkg/sub.py", "return 1", "return 2", True), ("pkg/sub.py", "return 7", "return 8", False),
         ("pkg/more.py", "return 3", "return 4", False)],
        ["pkg/sub.py::f"],
    ),
    "submodule of a folder without __init__": Case(
        {STEP: "from space import sub\ndef train():\n    return sub.f()\n", "space/sub.py": "def f():\n    return 1\n"},
        [("space/sub.py", "return 1", "return 2", True)],
    ),
    "relative import of a sibling": Case(
        {STEP: "from pkg.main import work\ndef train():\n    return work()\n", "pkg/__init__.py": "",
         "pkg/main.py": "from . import sibling\nfrom .deep.er import g\ndef work():\n    return sibling.f() + g()\n",
         "pkg/sibling.py": "def f():\n    return 1\n", "pkg/deep/__init__.py": "",
         "pkg/deep/er.py": "from ..sibling import f\ndef g():\n    return f() * 5\n"},
        [("pkg/sibling.py", "return 1", "return 2", True), ("pkg/deep/er.py", "* 5", "* 6", True)],
    ),
    "re-export through __init__": Case(
        {STEP: "from pkg import clean\ndef train(x):\n    return clean(x)\n",
         "pkg/__init__.py": "from .impl import clean, other\n",
         "pkg/impl.py": "def clean(x):\n    return x + 1\ndef other():\n    return 7\n"},
        [("pkg/impl.py", "x + 1", "x + 2", True), ("pkg/impl.py", "return 7", "return 8", False)],
        ["pkg/impl.py::clean"],
    ),
    "star import": Case(
        {STEP: "from utils import *\ndef train(x):\n    return clean(x)\n", "utils.py": "from deeper import *\n",
         "deeper.py": "__all__ = ['clean']\ndef clean(x):\n    return x + 1\ndef other():\n    return 7\n"},
        [("deeper.py", "x + 1", "x + 2", True), ("deeper.py", "return 7", "return 8", False)],
        ["deeper.py::clean"],
    ),
    "import inside a function": Case(
        {STEP: "def train(x):\n    import utils\n    from more import f as g\n"
               "    def inner():\n        return utils.clean(x)\n    return inner() + g()\n",
         "utils.py": "def clean(x):\n    return x + 1\ndef unused():\n    return 5\n", "more.py": "def f():\n    return 1\n"},
        [("utils.py", "x + 1", "x + 2", True), ("utils.py", "return 5", "return 6", False),
         ("more.py", "return 1", "return 2", True)],
    ),
    "module used as an object": Case(
        {STEP: "import utils\ndef train(n):\n    return getattr(utils, n)()\n", "utils.py": "def f():\n    return 1\n"},
        [("utils.py", "return 1", "return 2", True)],
    ),
    "getattr with a constant name": Case(
        {STEP: "import utils\ndef train():\n    return getattr(utils, 'f')()\n",
         "utils.py": "def f():\n    return 1\ndef g():\n    return 7\n"},
        [("utils.py", "return 1", "return 2", True), ("utils.py", "return 7", "return 8", False)],
    ),
    "importlib with a constant name": Case(
        {STEP: "import importlib\ndef train():\n    return importlib.import_module('utils').f()\n",
         "utils.py": "def f():\n    return 1\n"},
        [("utils.py", "return 1", "return 2", True)],
    ),
    "constant and what it is made of": Case(
        {STEP: "def make():\n    return 3\nBASE = 2\nRATE = BASE * make()\nOTHER = 9\ndef train():\n    return RATE\n"},
        [(STEP, "return 3", "return 4", True), (STEP, "BASE = 2", "BASE = 3", True), (STEP, "OTHER = 9", "OTHER = 8", False)],
        ["pipeline.py::RATE", "pipeline.py::BASE"],
    ),
    "constant rebound and augmented": Case(
        {STEP: "RATE = 1\nRATE = RATE + 2\nRATE += 3\ndef train():\n    return RATE\n"},
        [(STEP, "+ 2", "+ 7", True), (STEP, "+= 3", "+= 7", True), (STEP, "RATE = 1", "RATE = 7", True)],
    ),
    "constant changed in place": Case(
        {STEP: "CONFIG = {}\nCONFIG['a'] = 1\nCONFIG.update(b=2)\ndef fill(c):\n    c['z'] = 5\nfill(CONFIG)\n"
               "OTHER = {}\nOTHER['c'] = 3\ndef train():\n    return CONFIG\n"},
        [(STEP, "= 1", "= 7", True), (STEP, "b=2", "b=7", True), (STEP, "= 5", "= 7", True), (STEP, "= 3", "= 7", False)],
    ),
    "unpacked assignment": Case(
        {STEP: "A, (B, *C) = 1, (2, 3)\nX, Y = 8, 9\ndef train():\n    return B\n"},
        [(STEP, "(2, 3)", "(4, 3)", True), (STEP, "8, 9", "8, 7", False)],
    ),
    "names bound by for, with and walrus": Case(
        {STEP: "import io\nTABLE = {}\nfor i in range(3):\n    TABLE[i] = i * 2\nwith io.StringIO('a') as stream:\n"
               "    TEXT = stream.read()\nif (n := 4) > 3:\n    BIG = 5\ndef train():\n    return TABLE, TEXT, n\n"},
        [(STEP, "i * 2", "i * 3", True), (STEP, "range(3)", "range(4)", True), (STEP, "'a'", "'b'", True),
         (STEP, "n := 4", "n := 9", True), (STEP, "BIG = 5", "BIG = 6", False)],
    ),
    "conditional definition": Case(
        {STEP: "import sys\nif sys.platform == 'linux':\n    def f():\n        return 1\nelse:\n    def f():\n        return 2\n"
               "def train():\n    return f()\n"},
        [(STEP, "return 1", "return 3", True), (STEP, "return 2", "return 4", True), (STEP, "'linux'", "'darwin'", True)],
    ),
    "conditional import": Case(
        {STEP: "try:\n    import missing_thing as m\n    FAST = True\nexcept ImportError:\n    import slow as m\n    FAST = False\n"
               "def train():\n    return m.f(), FAST\n", "slow.py": "def f():\n    return 1\n"},
        [("slow.py", "return 1", "return 2", True), (STEP, "FAST = False", "FAST = None", True),
         (STEP, "ImportError", "Exception", True)],
    ),
    "global writes": Case(
        {STEP: "STATE = 0\ndef setup(n):\n    global STATE\n    STATE = n + 1\nsetup(4)\n"
               "def other():\n    return 7\ndef train():\n    return STATE\n"},
        [(STEP, "n + 1", "n + 2", True), (STEP, "setup(4)", "setup(5)", True), (STEP, "return 7", "return 8", False)],
    ),
    "registry": Case(
        {STEP: "HANDLERS = {}\ndef handles(name):\n    def keep(f):\n        HANDLERS[name] = f\n        return f\n    return keep\n"
               "@handles('a')\ndef first():\n    return 1\ndef other():\n    return 7\ndef train(n):\n    return HANDLERS[n]()\n"},
        [(STEP, "return 1", "return 2", True), (STEP, "'a'", "'b'", True), (STEP, "return 7", "return 8", False)],
    ),
    "class with bases, methods and attributes": Case(
        {STEP: "class Base:\n    def run(self):\n        return 1\nclass Net(Base):\n    size = 2\n"
               "    def forward(self):\n        return helper()\ndef helper():\n    return 3\n"
               "class Other(Base):\n    size = 9\ndef train():\n    return Net().run()\n"},
        [(STEP, "return 1", "return 4", True), (STEP, "size = 2", "size = 4", True), (STEP, "return 3", "return 4", True),
         (STEP, "size = 9", "size = 8", False)],
        ["pipeline.py::Net", "pipeline.py::Net.forward", "pipeline.py::Base.run"],
    ),
    "class decorator, metaclass, property": Case(
        {STEP: "def deco(c):\n    return c\nclass Meta(type):\n    flag = 1\n@deco\nclass Net(metaclass=Meta):\n"
               "    @property\n    def size(self):\n        return 2\n    @size.setter\n    def size(self, v):\n        self.v = v\n"
               "def train():\n    return Net()\n"},
        [(STEP, "flag = 1", "flag = 2", True), (STEP, "return c", "return (c)or c", True),
         (STEP, "self.v = v", "self.v = -v", True), (STEP, "return 2", "return 3", True)],
    ),
    "dataclass fields": Case(
        {STEP: "from dataclasses import dataclass\n@dataclass\nclass P:\n    a: int\n    b: int = 1\ndef train():\n    return P(1)\n"},
        [(STEP, "a: int", "a: float", True), (STEP, "b: int = 1", "b: int = 2", True)],
    ),
    "class named in a signature": Case(
        {STEP: "from __future__ import annotations\nclass Net:\n    def f(self):\n        return 1\n"
               "def train(net: 'list[Net]') -> int:\n    return net[0].f()\n"},
        [(STEP, "return 1", "return 2", True), (STEP, "-> int", "-> float", True)],
    ),
    "decorator": Case(
        {STEP: "import functools\ndef twice(n):\n    def wrap(f):\n        @functools.wraps(f)\n        def inner(*a):\n"
               "            return f(*a) * n\n        return inner\n    return wrap\n@twice(2)\ndef helper():\n    return 1\n"
               "def train():\n    return helper()\n"},
        [(STEP, "* n", "+ n", True), (STEP, "@twice(2)", "@twice(3)", True)],
    ),
    "default argument": Case(
        {STEP: "LIMIT = 3\ndef make():\n    return 4\ndef train(a=LIMIT, *, b=make()):\n    return a + b\n"},
        [(STEP, "LIMIT = 3", "LIMIT = 4", True), (STEP, "return 4", "return 5", True)],
    ),
    "lambda, partial and nested function": Case(
        {STEP: "import functools\ndef add(a, b):\n    return a + b\nadd3 = functools.partial(add, 3)\nneg = lambda x: -scale(x)\n"
               "def scale(x):\n    return x * 5\ndef train(x):\n    def inner(y):\n        return add3(y)\n    return neg(inner(x))\n"},
        [(STEP, "a + b", "a - b", True), (STEP, "add, 3", "add, 4", True), (STEP, "* 5", "* 6", True)],
    ),
    "async function and generator": Case(
        {STEP: "import asyncio\nasync def fetch():\n    return 1\ndef rows():\n    yield 2\n"
               "def train():\n    return asyncio.run(fetch()), list(rows())\n"},
        [(STEP, "return 1", "return 3", True), (STEP, "yield 2", "yield 3", True)],
    ),
    "type alias used at run time": Case(
        {STEP: "Pair = tuple[int, int]\ndef train(x):\n    return isinstance(x, Pair.__origin__)\n"},
        [(STEP, "tuple[int, int]", "tuple[int, str]", True)],
    ),
    "closure made at module level": Case(
        {STEP: "def adder(n):\n    def add(x):\n        return x + n\n    return add\nadd3 = adder(3)\ndef train(x):\n    return add3(x)\n"},
        [(STEP, "adder(3)", "adder(4)", True), (STEP, "x + n", "x - n", True)],
    ),
    "local names shadow global ones": Case(
        {STEP: "def clean():\n    return 1\ndef rows():\n    return 2\ndef used():\n    return 3\n"
               "def train(clean):\n    rows = [used for used in clean]\n    return clean(rows), used()\n"},
        [(STEP, "return 1", "return 7", False), (STEP, "return 2", "return 7", False), (STEP, "return 3", "return 7", True)],
    ),
    "stdlib function behind an alias": Case(
        {STEP: "from math import sin as f\ndef train(x):\n    return f(x)\n"},
        [(STEP, "sin as f", "cos as f", True)],
    ),
    "module docstring read as data": Case(
        {STEP: "'''Usage: a'''\ndef train():\n    return __doc__\n"}, [(STEP, "Usage: a", "Usage: b", True)],
    ),
    "match statement and comprehension": Case(
        {STEP: "class A:\n    x = 1\ndef f(v):\n    return v + 2\ndef g(v):\n    return v\n"
               "def train(v):\n    match v:\n        case A(x=g):\n            return [f(i) for i in g]\n    return None\n"},
        [(STEP, "x = 1", "x = 5", True), (STEP, "v + 2", "v + 5", True), (STEP, "return v\n", "return -v\n", False)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_exactly_what_is_reached_counts(project: Project, name: str) -> None:
    case = CASES[name]
    project.write(case.files)
    original = project.fingerprint()
    assert set(case.parts) <= {part.name for part in original.parts}
    for file, old, new, counts in case.edits:
        project.edit(file, old, new)
        assert (project.fingerprint().id != original.id) is counts, f"{old!r} -> {new!r}"
        project.write(case.files)
        assert project.fingerprint() == original


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# note", "# another note"),
        ('"""Doc."""', '"""Other doc."""'),
        ('"""Doc."""', "pass"),
        ("x + 1", "(x  +  1)"),
        ("y = 2", "y: int = 2"),
        ("y = 2", "z: int\n    y = 2"),
        ("'text'", '"text"'),
        ("[1, 2]", "[\n        1,\n        2,\n    ]"),
        ("import os", "import os\nimport json"),
        ("def unrelated", "def renamed"),
        ("def helper", "def more():\n    return 0\n\n\ndef helper"),
    ],
)
def test_how_code_is_written_does_not_count(project: Project, old: str, new: str) -> None:
    text = '''\
        import os
        def unrelated():
            return os
        def helper(x):
            """Doc."""
            # note
            y = 2
            return x + 1, y, 'text', [1, 2]
        def train(x):
            return helper(x)
        '''
    project.write({STEP: text})
    original = project.fingerprint()
    project.edit(STEP, old, new)
    assert project.fingerprint().id == original.id


def test_the_order_of_definitions_does_not_count(project: Project) -> None:
    first, second = "def a():\n    return 1\n", "def b():\n    return 2\n"
    step = "def train():\n    return a() + b()\n"
    project.write({STEP: first + second + step})
    original = project.fingerprint()
    project.write({STEP: step + second + "\n\n" + first})
    assert project.fingerprint().id == original.id


def test_a_helper_that_is_a_step_is_followed_without_its_options(project: Project) -> None:
    files = {
        STEP: "from common import step\nimport artvcs_like\n"
        "@step(enable_cache=False)\ndef clean(x):\n    return x + 1\n@step\ndef train(x):\n    return clean(x)\n",
        "common.py": "try:\n    from artvcs import step\nexcept ImportError:\n    def step(f=None, **_):\n"
        "        return f if f else step\n",
        "artvcs_like.py": "",
    }
    project.write(files)
    original = project.fingerprint()
    assert "artvcs" not in original.packages
    project.edit(STEP, "enable_cache=False", "enable_cache=True")
    assert project.fingerprint().id == original.id
    project.edit(STEP, "x + 1", "x + 2")
    assert project.fingerprint().id != original.id
