"""Moving code from ZenML: the imports, in scripts and notebooks, and what of it has no meaning here."""

from __future__ import annotations

import difflib
import fnmatch
import os
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import rewriting, uses
from .rewriting import OLD
from .uses import Kind

_SKIPPED = frozenset((
    ".git", ".hg", ".venv", "venv", "env", "node_modules", "__pycache__", ".artifacts", ".zen", "site-packages", ".tox",
    ".mypy_cache", ".ruff_cache", ".ipynb_checkpoints", "build", "dist",
))  # fmt: skip
"""Folders in which nobody's own code is."""

_MOST = 20 << 20
"""Bytes of a file; what is larger was not written by hand."""

_REQUIREMENTS = ("*requirements*.txt", "*requirements*.in", "constraints*.txt", "reqs*.in", "reqs*.txt")
_SAYS_MORE = (
    "pyproject.toml", "setup.cfg", "Pipfile", "tox.ini", "*.yaml", "*.yml", "*.sh", "Makefile", "Dockerfile*",
    "*.Dockerfile",
)  # fmt: skip
"""Files that name ZenML where something is installed, started or configured."""


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
        unknown: What cannot be imported here → where.
        named: What names ZenML otherwise, as a configuration or a command, and was left as it is → where.
        unread: Files that could not be understood → why.
        looked_at: How many scripts, notebooks and lists of requirements were looked at.
    """

    changes: list[Change] = field(default_factory=list)
    passed_over: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, list[str]] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    looked_at: int = 0


def plan(folder: Path) -> Report:
    """What moving a folder, or one file, from ZenML would do. Nothing is changed."""
    report = Report()
    into = {kind: getattr(report, kind.value) for kind in Kind}
    for path in _files(folder):
        shown = path.relative_to(folder if folder.is_dir() else folder.parent).as_posix()
        report.looked_at += not _fits(path.name, _SAYS_MORE)
        try:
            change, used = _looked_at(path)
        except (SyntaxError, ValueError, OSError) as error:
            report.unread[shown] = _why(error)
            continue
        if change is not None:
            report.changes.append(change)
        for kind, what, where in used:
            into[kind].setdefault(what, []).append(f"{shown}:{where}")
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
            wanted = _fits(name, ("*.py", "*.pyi", "*.ipynb", *_SAYS_MORE)) or is_requirements(path)
            if wanted and not path.is_symlink() and path.stat().st_size <= _MOST:
                yield path


def is_requirements(path: Path) -> bool:
    """Whether a file is a list of requirements, by its name."""
    in_their_folder = path.parent.name.startswith("requirements") and path.suffix in (".txt", ".in")
    return in_their_folder or _fits(path.name, _REQUIREMENTS)


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _looked_at(path: Path) -> tuple[Change | None, list[uses.Use]]:
    """What becomes of a file, or None where nothing does, and what it uses."""
    content = path.read_bytes()
    if OLD.encode() not in content:
        return None, []
    encoding = "utf-8"
    if path.suffix in (".py", ".pyi"):
        with path.open("rb") as file:
            encoding = tokenize.detect_encoding(file.readline)[0]
    before = content.decode(encoding)
    if path.suffix in (".py", ".pyi"):
        after, used = rewriting.moved(before), uses.in_script(before)
    elif path.suffix == ".ipynb":
        after, used = rewriting.moved_notebook(before), uses.in_notebook(before)
    elif is_requirements(path):
        after = rewriting.moved_requirements(before)
        used = uses.in_text(after)
    else:
        after, used = before, uses.in_text(before)
    return None if after == before else Change(path, before, after, encoding), list(used)
