"""Moving code from ZenML: the imports, in scripts and notebooks, and what of it has no meaning here."""

from __future__ import annotations

import ast
import difflib
import json
import os
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from . import client
from ._names.absent import PACKAGE, Said, is_absent

OLD = "zenml"

_SKIPPED = frozenset((
    ".git", ".hg", ".venv", "venv", "env", "node_modules", "__pycache__", ".artifacts", ".zen", "site-packages", ".tox",
    ".mypy_cache", ".ruff_cache", ".ipynb_checkpoints", "build", "dist",
))  # fmt: skip
"""Folders in which nobody's own code is."""

_MOST = 20 << 20
"""Bytes of a file; what is larger was not written by hand."""

_REQUIREMENT = re.compile(r"^(?P<start>[ \t]*)zenml(?:\[[^\]\r\n]*\])?[ \t]*(?:[=<>!~][^\r\n]*)?(?=\r?$)", re.MULTILINE)


@dataclass(frozen=True)
class Change:
    """What becomes of one file.

    Attributes:
        path: The file.
        before: Its text.
        after: Its text when it is moved.
        encoding: Of the text.
    """

    path: Path
    before: str
    after: str
    encoding: str = "utf-8"

    def diff(self, root: Path) -> str:
        """The change as `diff -u` writes it."""
        name = self.path.relative_to(root).as_posix()
        before, after = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def apply(self) -> None:
        """Puts the new text in the place of the old one, at once: a file is never half written."""
        made = self.path.with_name(f".{self.path.name}.moving")
        made.write_bytes(self.after.encode(self.encoding))
        made.chmod(self.path.stat().st_mode)
        os.replace(made, self.path)


@dataclass
class Report:
    """What moving a project does, and what it cannot do.

    Attributes:
        changes: The files that change.
        passed_over: What has no meaning here and does no harm → where it is used.
        missing: What raises a sentence when it is used → where.
        unread: Files that could not be understood → why.
        looked_at: How many files were looked at.
    """

    changes: list[Change] = field(default_factory=list)
    passed_over: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    looked_at: int = 0


def plan(folder: Path) -> Report:
    """What moving a folder, or one file, from ZenML would do. Nothing is changed."""
    report = Report()
    for path in _files(folder):
        report.looked_at += 1
        shown = path.relative_to(folder if folder.is_dir() else folder.parent).as_posix()
        try:
            change = _change(path)
        except (SyntaxError, ValueError, OSError) as error:
            report.unread[shown] = _why(error)
            continue
        if change is not None:
            report.changes.append(change)
            for what, line, is_missing in _used(change):
                into = report.missing if is_missing else report.passed_over
                into.setdefault(what, []).append(f"{shown}:{line}")
    return report


def _why(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    return str(error) or type(error).__name__


def _files(folder: Path) -> Iterator[Path]:
    """The scripts, notebooks and lists of requirements in a folder, in order; no links are followed."""
    if folder.is_file():
        yield folder
        return
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each not in _SKIPPED)
        for name in sorted(names):
            path = Path(top, name)
            wanted = name.endswith((".py", ".ipynb")) or re.fullmatch(r"requirements[\w.-]*\.txt", name)
            if wanted and not path.is_symlink() and path.stat().st_size <= _MOST:
                yield path


def _change(path: Path) -> Change | None:
    """What becomes of a file; None where nothing does."""
    content = path.read_bytes()
    if OLD.encode() not in content:
        return None
    encoding = "utf-8"
    if path.suffix == ".py":
        with path.open("rb") as file:
            encoding = tokenize.detect_encoding(file.readline)[0]
    before = content.decode(encoding)
    after = (
        moved(before) if path.suffix == ".py"
        else _moved_notebook(before) if path.suffix == ".ipynb"
        else _moved_requirements(before)
    )  # fmt: skip
    return None if after == before else Change(path, before, after, encoding)


def moved(code: str) -> str:
    """Code whose imports of ZenML lead here; all else stays as it is, to the byte.

    Raises:
        SyntaxError: It is no Python.
    """
    lines = code.splitlines(keepends=True)
    edits = [edit for node in ast.walk(ast.parse(code)) for edit in _edits(node, lines)]
    for number, start, end, text in sorted(edits, reverse=True):
        line = lines[number].encode()
        lines[number] = (line[:start] + text.encode() + line[end:]).decode()
    return "".join(lines)


Edit = tuple[int, int, int, str]
"""Line, from 0; from where to where in its bytes; and what stands there then."""


def _edits(node: ast.AST, lines: list[str]) -> Iterator[Edit]:
    if isinstance(node, ast.ImportFrom) and node.module and not node.level and _is_old(node.module):
        for number in range(node.lineno - 1, node.end_lineno or node.lineno):
            line = lines[number].encode()
            first = node.col_offset if number == node.lineno - 1 else 0
            found = re.compile(rb"(?<![\w.])zenml(?![\w])").search(line, first)
            if found:
                yield number, found.start(), found.end(), PACKAGE
                return
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if _is_old(alias.name):
                # `import zenml` gives the name zenml, and goes on to do so.
                new = f"artvcs.{alias.name}"
                if alias.asname or "." not in alias.name:
                    new += f" as {alias.asname or OLD}"
                else:
                    new += f", {PACKAGE} as {OLD}"
                yield alias.lineno - 1, alias.col_offset, alias.end_col_offset or 0, new


def _is_old(module: str) -> bool:
    return module == OLD or module.startswith(f"{OLD}.")


def _moved_notebook(text: str) -> str:
    """A notebook whose cells of code are moved; its layout stays."""
    notebook = json.loads(text)
    layout = _layout(notebook, text)
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    moved_any = False
    for cell in cells if isinstance(cells, list) else []:
        source = cell.get("source") if isinstance(cell, dict) and cell.get("cell_type") == "code" else None
        code = "".join(source) if isinstance(source, list) else source
        if isinstance(code, str) and (new := _moved_cell(code)) != code:
            cell["source"] = new.splitlines(keepends=True) if isinstance(source, list) else new
            moved_any = True
    return json.dumps(notebook, **layout) + text[len(text.rstrip()) :] if moved_any else text


def _layout(notebook: Any, text: str) -> dict[str, Any]:
    """How a notebook was written, as the arguments of `json.dumps`; as Jupyter does where nobody can tell."""
    indent = re.search(r"\A\{\r?\n([ \t]+)", text)
    for ensure_ascii in (False, True):
        layout: dict[str, Any] = {"indent": indent[1] if indent else None, "ensure_ascii": ensure_ascii}
        if json.dumps(notebook, **layout) == text.rstrip():
            return layout
    return {"indent": 1, "ensure_ascii": False}


def _moved_cell(code: str) -> str:
    """A cell whose imports are moved; what is IPython's own (`%` and `!`) is no Python."""
    plain = re.sub(r"^(\s*)[%!?].*$", lambda found: f"{found[1]}pass", code, flags=re.MULTILINE)
    try:
        new = moved(plain).splitlines(keepends=True)
    except SyntaxError:
        return code
    old = code.splitlines(keepends=True)
    masked = plain.splitlines(keepends=True)
    return "".join(was if line == mask else line for was, mask, line in zip(old, masked, new, strict=True))


def _moved_requirements(text: str) -> str:
    """A list of requirements that names this package in ZenML's place."""
    lines = re.sub(_REQUIREMENT, lambda found: f"{found['start']}artvcs", text).splitlines(keepends=True)
    names = [line.strip() for line in lines]
    return "".join(line for at, line in enumerate(lines) if names[at] != "artvcs" or "artvcs" not in names[:at])


def _used(change: Change) -> Iterator[tuple[str, int, bool]]:
    """What a moved file uses that has no meaning here: its name, the line, and whether using it raises."""
    if change.path.suffix != ".py":
        return
    tree = ast.parse(change.before)
    clients = {"Client"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and _is_old(node.module):
            for alias in node.names:
                found = what_is(f"artvcs.{node.module}", alias.name)
                if found is not None:
                    yield f"{node.module}.{alias.name}", node.lineno, found
        elif isinstance(node, ast.Assign) and _is_client(node.value, set()):
            clients |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and _is_client(node.value, clients)
            and not hasattr(client.Client, node.attr)
        ):
            yield f"Client().{node.attr}", node.lineno, True


def _is_client(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "Client"
    return isinstance(node, ast.Name) and node.id in names - {"Client"}


def what_is(module: str, name: str) -> bool | None:
    """Whether something of ZenML's raises when it is used (True), is passed over (False), or has its meaning (None)."""
    try:
        found: Any = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        return True
    if is_absent(found):
        return True
    if isinstance(found, type) and issubclass(found, Said):
        return False
    return False if getattr(found, "__name__", "") == name and _is_stand_in(found) else None


def _is_stand_in(found: Any) -> bool:
    code: Mapping[str, Any] | Any = getattr(found, "__code__", None)
    return code is not None and getattr(code, "co_name", "") == "skipped"
