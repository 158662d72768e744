"""Changing the imports of ZenML in a text, to the byte: scripts, notebooks, lists of requirements."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from .._names.absent import PACKAGE

OLD = "zenml"

_REQUIREMENT = re.compile(
    r"""^(?P<start>[ \t]*)
    (?: zenml (?:\[[^\]\r\n]*\])? [ \t]* (?: @[^\r\n;]* | [=<>!~][^\r\n;\#]* )?     # a name, where it is from, versions
      | (?: -e[ \t]+ | --editable[ \t=]+ )? git\+[^\s\#@]*/zenml(?:\.git)? (?:[@\#]\S*)? [ \t]*  # a repository
    )
    (?P<rest>[;\#][^\r\n]*)? (?=\r?$)""",
    re.MULTILINE | re.VERBOSE,
)
"""ZenML in a list of requirements; the rest says for which Python, or is a remark, and stays."""


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
    if isinstance(node, ast.ImportFrom) and node.module and not node.level and is_old(node.module):
        for number in range(node.lineno - 1, node.end_lineno or node.lineno):
            line = lines[number].encode()
            first = node.col_offset if number == node.lineno - 1 else 0
            found = re.compile(rb"(?<![\w.])zenml(?![\w])").search(line, first)
            if found:
                yield number, found.start(), found.end(), PACKAGE
                return
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if is_old(alias.name):
                # `import zenml` gives the name zenml, and goes on to do so.
                new = f"artvcs.{alias.name}"
                if alias.asname or "." not in alias.name:
                    new += f" as {alias.asname or OLD}"
                else:
                    new += f", {PACKAGE} as {OLD}"
                yield alias.lineno - 1, alias.col_offset, alias.end_col_offset or 0, new


def is_old(module: str) -> bool:
    """Whether a module is one of ZenML's."""
    return module == OLD or module.startswith(f"{OLD}.")


def moved_notebook(text: str) -> str:
    """A notebook whose cells of code are moved; its layout stays. A cell that is no Python stays as it is."""
    notebook = json.loads(text)
    layout = _layout(notebook, text)
    moved_any = False
    for _, cell, code in cells(notebook):
        new = _moved_cell(code)
        if new != code:
            cell["source"] = new.splitlines(keepends=True) if isinstance(cell["source"], list) else new
            moved_any = True
    return json.dumps(notebook, **layout) + text[len(text.rstrip()) :] if moved_any else text


def cells(notebook: Any) -> Iterator[tuple[int, dict[str, Any], str]]:
    """The cells of code of a notebook: the number of each among all cells, from 1, the cell and its code."""
    found = notebook.get("cells") if isinstance(notebook, dict) else None
    for number, cell in enumerate(found if isinstance(found, list) else [], 1):
        source = cell.get("source") if isinstance(cell, dict) and cell.get("cell_type") == "code" else None
        code = "".join(source) if isinstance(source, list) else source
        if isinstance(code, str):
            yield number, cell, code


def _layout(notebook: Any, text: str) -> dict[str, Any]:
    """How a notebook was written, as the arguments of `json.dumps`; as Jupyter does where nobody can tell."""
    indent = re.search(r"\A\{\r?\n([ \t]+)", text)
    for ensure_ascii in (False, True):
        layout: dict[str, Any] = {"indent": indent[1] if indent else None, "ensure_ascii": ensure_ascii}
        if json.dumps(notebook, **layout) == text.rstrip():
            return layout
    return {"indent": 1, "ensure_ascii": False}


_OWN = re.compile(r"^(?P<margin>[ \t]*)(?:[%!?]|[\w., \t]+=[ \t]*[!%]|[\w.]+\?{1,2}[ \t]*;?[ \t]*$)")
"""A line that is IPython's own: `%magic`, `!command`, `?name`, `name?`, `found = !command`."""
_OWN_END = re.compile(r"[ \t]*;[ \t]*[%!][\w].*$")


def plain(code: str) -> str:
    """A cell's code, line by line, without what is IPython's own, which is no Python, and without a common margin."""
    masked = _masked(code.splitlines(keepends=True))
    if _is_python(masked):
        return masked
    shorter = "".join(_OWN_END.sub("", line) for line in masked.splitlines(keepends=True))
    return shorter if _is_python(shorter) else masked


def _masked(lines: list[str]) -> str:
    found, goes_on = list[str](), False
    for line in lines:
        end = line[len(line.rstrip("\r\n")) :]
        own = _OWN.match(line)
        text = f"#{end}" if goes_on else f"{own['margin']}pass{end}" if own else line
        goes_on = (goes_on or own is not None) and line.rstrip().endswith("\\")
        found.append(text)
    return textwrap.dedent("".join(found)) if "".join(found)[:1].isspace() else "".join(found)


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True


def _moved_cell(code: str) -> str:
    masked = plain(code)
    try:
        new = moved(masked).splitlines(keepends=True)
    except SyntaxError:
        return code
    lines = zip(code.splitlines(keepends=True), masked.splitlines(keepends=True), new, strict=True)
    return "".join(was if line == mask else was.replace(mask.rstrip(), line.rstrip()) for was, mask, line in lines)


def moved_requirements(text: str) -> str:
    """A list of requirements that names this package in ZenML's place."""
    lines = re.sub(_REQUIREMENT, _required, text).splitlines(keepends=True)
    names = [line.strip() for line in lines]
    return "".join(line for at, line in enumerate(lines) if names[at] != "artvcs" or "artvcs" not in names[:at])


def _required(found: re.Match[str]) -> str:
    rest = found["rest"]
    return f"{found['start']}artvcs" + (f" {rest}" if rest else "")
