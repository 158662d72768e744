"""Hundreds of small edits to one project: a step changes exactly when the edit is in code it reaches."""

import ast
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

Project = Any  # the fixture in conftest.py

REACHED, SPARE = "reached", "spare"
DEPTH = 5


def function(name: str, calls: str = "len(rows)") -> str:
    return f'''
@note("{name}")
def {name}(rows, limit=3, *, mode="fast"):
    """Works on rows."""
    # keeps what matters
    total = 0
    for row in rows:
        if row > limit:
            total = total + row * 2
    text = "mode is " + mode
    return total, text, {calls}
'''


def class_(name: str, base: str) -> str:
    return f'''
class {name}({base}):
    """Holds a size."""

    size = 4

    def grow(self, by=1):
        """Grows."""
        # by how much
        return self.size + by * 2
'''


def project_files() -> dict[str, str]:
    """A chain of helpers through several files; each has a twin of the same text that nothing reaches."""
    files = {"notes.py": "def note(text):\n    def keep(f):\n        return f\n    return keep\n"}
    for depth in range(1, DEPTH):
        following = f"depth_{depth + 1}.{REACHED}_{depth + 1}(rows)" if depth + 1 < DEPTH else f"{REACHED}_net().grow()"
        head = "from notes import note\n"
        head += f"import depth_{depth + 1}\n" if depth + 1 < DEPTH else f"from models import Net as {REACHED}_net\n"
        constants = f"{REACHED.upper()}_{depth} = 10 + {depth}\n{SPARE.upper()}_{depth} = 10 + {depth}\n"
        reached = function(f"{REACHED}_{depth}", f"{following}, {REACHED.upper()}_{depth}")
        files[f"depth_{depth}.py"] = head + constants + reached + function(f"{SPARE}_{depth}")
    files["models.py"] = (
        class_("ReachedBase", "object") + class_("Net", "ReachedBase") + class_("SpareNet", "ReachedBase")
    )
    files["pipeline.py"] = (
        "from notes import note\nfrom depth_1 import reached_1 as start\nimport depth_2\n"
        + function("train", "start(rows)")
        + function(f"{SPARE}_0", "depth_2.spare_2(rows)")
    )
    return files


Change = Callable[[str], str]


class Edit(NamedTuple):
    kind: str
    file: str
    where: str
    text: str
    counts: bool


def replacing(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new, 1)


MEANINGFUL: dict[str, Change] = {
    "a constant": replacing("* 2", "* 3"),
    "an operator": replacing("total + row", "total - row"),
    "an operator in a method": replacing("self.size +", "self.size -"),
    "a comparison": replacing("row > limit", "row >= limit"),
    "a string": replacing('"mode is "', '"mode was "'),
    "a default": replacing("limit=3", "limit=4"),
    "a keyword-only default": replacing('mode="fast"', 'mode="slow"'),
    "a default of a method": replacing("by=1", "by=2"),
    "a decorator's argument": lambda text: re.sub(r'@note\("(\w+)"\)', r'@note("\1!")', text),
    "no decorator": lambda text: re.sub(r"@note\(.*\)\n", "", text),
    "a class attribute": replacing("size = 4", "size = 5"),
    "another base": lambda text: re.sub(r"class (\w+)\(\w+\)", r"class \1(dict)", text),
    "another method": lambda text: text + "    def more(self):\n        return 0\n" if "class " in text else text,
    "another statement": replacing("total = 0\n", "total = 0\n    total += 1\n"),
    "an annotated parameter": replacing("(rows,", "(rows: list,"),
    "the value of a constant": lambda text: re.sub(r"= 10 \+ (\d)\n$", r"= 11 + \1\n", text),
}
MEANINGLESS: dict[str, Change] = {
    "a comment": replacing("# ", "# really "),
    "a new comment": lambda text: "# new\n" + text,
    "a trailing comment": lambda text: re.sub(r"(= [04]|= 10 \+ \d)\n", r"\1  # why\n", text),
    "a docstring": lambda text: re.sub('""".*"""', '"""Says more."""', text),
    "no docstring": lambda text: re.sub(' *""".*"""\n', "", text),
    "blank lines": lambda text: text.replace("\n    ", "\n\n    ") + "\n\n",
    "parentheses": lambda text: re.sub(r"return (.*)\n", r"return (\1)\n", text),
    "spaces": lambda text: text.replace(" + ", "  +  "),
    "other quotes": replacing('"mode is "', "'mode is '"),
    "a line break": replacing("total + row * 2", "(total +\n                 row * 2)"),
    "a local annotation": lambda text: text.replace("    total = 0", "    total: int = 0"),
    "a bare local annotation": replacing("    total = 0\n", "    other: str\n    total = 0\n"),
    "a function before it": lambda text: f"def brand_new():\n    return 1\n{text}",
    "a function after it": lambda text: f"{text}\ndef brand_new():\n    return 1\n",
    "a constant before it": lambda text: f"BRAND_NEW = 1\n{text}",
    "an import before it": lambda text: f"import json\n{text}",
}


def segments(text: str) -> Iterator[tuple[str, str]]:
    """The top-level statements of a file, with their decorators, by the name that they bind."""
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        name = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else getattr(node, "name", None)
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(each.lineno for each in decorators)])
        if name is not None:
            yield name, "".join(lines[first - 1 : node.end_lineno])


def is_reached(name: str) -> bool:
    return name.lower().startswith(REACHED) or name in ("train", "Net", "note")


def edits(files: dict[str, str]) -> Iterator[Edit]:
    for file, text in files.items():
        for name, segment in segments(text):
            for edits_, counts in ((MEANINGFUL, is_reached(name)), (MEANINGLESS, False)):
                for kind, change in edits_.items():
                    changed = change(segment)
                    if changed != segment:
                        yield Edit(kind, file, name, text.replace(segment, changed), counts)
        yield Edit("an unrelated file", f"new_{file}", "", text, False)
        yield Edit("the order of definitions", file, "", reordered(text), False)
        if SPARE in text:
            renamed = re.sub(rf"\b{SPARE}_(\d)\b(?!\(rows\))", r"renamed_\1", text)
            yield Edit("an unreached function's name", file, "", renamed, False)


def reordered(text: str) -> str:
    """The file with its functions and classes in another order, as far as Python allows."""
    found = list(segments(text))
    head = text[: text.index(found[0][1])]
    if "class " not in text:
        random.Random(0).shuffle(found)
    found.sort(key=lambda pair: pair[0].isupper(), reverse=True)
    return head + "\n\n".join(segment for _, segment in found)


@pytest.mark.parametrize("of", [3, pytest.param(1, marks=pytest.mark.traces)], ids=["every third", "all"])
def test_a_step_changes_exactly_with_what_it_reaches(project: Project, of: int) -> None:
    files = project_files()
    project.write(files)
    original = project.fingerprint()
    generated = list(edits(files))[::of]
    wrong = []
    for edit in generated:
        ast.parse(edit.text)
        project.write({edit.file: edit.text})
        if (project.fingerprint().id != original.id) is not edit.counts:
            wrong.append(f"{edit.kind} in {edit.file} {edit.where}: should {'' if edit.counts else 'not '}count")
        if edit.file in files:
            project.write({edit.file: files[edit.file]})
        else:
            (project.folder / edit.file).unlink()
    assert project.fingerprint() == original
    assert not wrong, "\n".join(wrong)
    assert len(generated) >= 200 / of
    assert sum(edit.counts for edit in generated) >= 60 / of
    assert of > 1 or len({edit.kind for edit in generated}) == len(MEANINGFUL) + len(MEANINGLESS) + 3
