"""Stories of small projects: what each process of a story does with the step `train`, and what is changed between.

A case is a text file: a sentence, the project's files, and the story. Files whose name begins with `site-packages/` are
templates of installed distributions, in which `@VERSION@` is the version; `../` leads out of the project.

What a line of a story checks, each in a fresh process with another hash seed:

    runs VALUE [because SUBJECT] [saying WORDS]    the step ran and gave VALUE; `art why` names SUBJECT
    cached VALUE [saying WORDS]                    an earlier VALUE was used
    gives VALUE [saying WORDS]                     VALUE, whether the step ran or not
    uncached VALUE: WORDS                          it ran, runs again in another process, and says WORDS
    fails WORDS                                    the run failed, with WORDS in the error
    holds FILE: 'text'                             what a file holds
    session VALUE ran, VALUE cached, VALUE any …   the runs that main.py's function `session()` makes

`because A|B` takes either name for the cause. WORDS may be anywhere in what `art why` says, what it lists as not
followed, or on stderr. What a line may change:

    edit FILE: 'a' -> 'b'     write FILE: 'text'     remove FILE     move A -> B     link FILE -> TARGET     fifo FILE
    chmod MODE FILE           stamp FILE (an old time of change)     sparse FILE BYTES     python FILE (run as a script)
    env NAME=VALUE            env NAME (unset)                       compile FILE (leave a .pyc where the .py was)
    install NAME VERSION [requires NAME …] [entry GROUP:NAME=TARGET] [editable FOLDER | local FOLDER]

`needs WORD` skips a case where something is missing: `permissions` (root has all), `python3.12`, or a module.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import importlib.util
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .driver import MARK

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").glob("*.txt"))

SITE = "site-packages"
OLD = 1_000_000_000
"""The time that `stamp` gives a file, in seconds since 1970."""
PATIENCE = 60
"""Seconds after which a process is taken to hang."""
KEPT = ("HOME", "LANG", "PATH", "TMPDIR", "XDG_STATE_HOME")
"""Variables that a project's processes inherit."""

Report = dict[str, Any]  # what the driver tells of a run


class Case(NamedTuple):
    """A case file, read."""

    name: str
    sentence: str
    files: dict[str, str]
    story: list[str]


def read_case(path: Path) -> Case:
    """Reads a case file."""
    text = path.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^=== (.+)\n((?:(?!===).*\n)*)", text, re.MULTILINE))
    story = [line for line in sections.pop("story").splitlines() if line and not line.startswith("#")]
    return Case(path.stem, text.partition("\n")[0], sections, story)


@dataclass
class Process:
    """A process that has ended: the line of the story that it was for, and what came of it."""

    line: str
    done: subprocess.CompletedProcess[str]
    runs: list[Report] = field(default_factory=list)
    error: str | None = None

    def words(self) -> str:
        """All that was said about the step."""
        told = (str(run[part]) for run in self.runs for part in ("summary", "reasons", "unfollowed"))
        return "\n".join((*told, self.done.stderr))

    def __str__(self) -> str:
        lines = [f">>> {self.line}"]
        for run in self.runs:
            lines += [f"    {run['status']} {run['value']}: {run['summary']}"]
            lines += [f"    - {reason}" for reason in run["reasons"]]
            lines += [f"    ? {gap}" for gap in run["unfollowed"]]
        for name, text in (("error", self.error), ("stdout", self.done.stdout), ("stderr", self.done.stderr)):
            shown = [line for line in (text or "").splitlines() if line and not line.startswith(MARK)]
            lines += [f"    {name} | {line}" for line in shown]
        return "\n".join(lines)


class World:
    """A project in a folder, its environment, and the processes that ran in it."""

    def __init__(self, folder: Path, case: Case) -> None:
        self.case = case
        self.project = folder / "project"
        self.site = folder / SITE
        self.driver = self.site / "driver.py"
        self.environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment["PYTHONDONTWRITEBYTECODE"] = "1"  # Python itself may take old bytecode for an edited file's
        self.processes: list[Process] = []
        self.seen: list[str] = []
        self.line = ""
        (self.project / ".git").mkdir(parents=True)
        self.site.mkdir()
        shutil.copy(HERE / "driver.py", self.driver)
        for name, text in case.files.items():
            if not name.startswith(SITE):
                self._put(self.project / name, text)

    def play(self) -> None:
        """Tells the story line by line."""
        for line in self.case.story:
            self.line = line
            verb, _, rest = line.partition(" ")
            tell = getattr(self, f"do_{verb}", None)
            assert tell is not None, f"no story has {verb!r}"
            tell(rest)

    # What is checked

    def do_runs(self, rest: str) -> None:
        value, subject, words = self._match(r"(.+?)(?: because (.+?))?(?: saying (.+))?", rest)
        run = self._one_run(value, words, "completed")
        why = "\n".join((run["summary"], *run["reasons"]))
        self._check(any(each in why for each in subject.split("|")), f"`art why` should name {subject} as the cause")

    def do_cached(self, rest: str) -> None:
        value, words = self._match(r"(.+?)(?: saying (.+))?", rest)
        self._one_run(value, words, "cached")

    def do_gives(self, rest: str) -> None:
        value, words = self._match(r"(.+?)(?: saying (.+))?", rest)
        self._one_run(value, words)

    def do_uncached(self, rest: str) -> None:
        value, words = self._match(r"(.+?): (.+)", rest)
        for _ in range(2):
            self._one_run(value, words, "completed")

    def do_fails(self, rest: str) -> None:
        error = self.drive().error
        self._check(error is not None and rest in error, f"the run should have failed with {rest!r}")

    def do_holds(self, rest: str) -> None:
        file, text = self._match(r"(\S+): (.+)", rest)
        self._check(
            self._path(file).read_text(encoding="utf-8") == ast.literal_eval(text), f"{file} holds something else"
        )

    def do_session(self, rest: str) -> None:
        wanted = re.findall(r"(.+?) (ran|cached|any)(?:, |$)", rest)
        process = self.drive("session")
        self._check(process.error is None, "main.py failed")
        self._check(len(process.runs) == len(wanted), f"there should have been {len(wanted)} runs")
        for number, (run, (value, how)) in enumerate(zip(process.runs, wanted, strict=True), 1):
            self._check_run(run, value, {"ran": "completed", "any": ""}.get(how, how), f" in run {number}")

    def _one_run(self, value: str, words: str, status: str = "") -> Report:
        """Runs main.py, which has to make one run of that value and, if one is given, that status."""
        process = self.drive()
        self._check(process.error is None, "main.py failed")
        self._check(len(process.runs) == 1, "there should have been one run")
        self._check_run(process.runs[0], value, status)
        self._check(words.lower() in process.words().lower(), f"something should have said {words!r}")
        return process.runs[0]

    def _check_run(self, run: Report, value: str, status: str, where: str = "") -> None:
        was = run["status"]
        self._check(status in ("", was), f"the step should have been {status}{where}, but was {was}")
        self._check(run["value"] == value, f"the value should have been {value}{where}, but was {run['value']}")

    def _check(self, holds: bool, complaint: str) -> None:
        if not holds:
            told = "\n".join(map(str, self.processes))
            pytest.fail(f"{self.case.sentence}\n{self.line}: {complaint}\n\n{told}", pytrace=False)

    # Processes

    def drive(self, what: str = "flow") -> Process:
        """Runs main.py in a fresh process, and reads what the driver says of it."""
        done = self.run([str(self.driver), what, ",".join(self.seen)])
        process = Process(self.line, done)
        self.processes.append(process)
        told = [line.removeprefix(MARK) for line in done.stdout.splitlines() if line.startswith(MARK)]
        self._check(bool(told), f"the process died with {done.returncode}")
        report = json.loads(told[-1])
        process.runs, process.error = report["runs"], report["error"]
        self.seen += [run["id"] for run in process.runs]
        return process

    def run(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        """Runs Python in the project."""
        seed = {"PYTHONHASHSEED": str(len(self.processes) + 1)}
        try:
            return subprocess.run(
                [sys.executable, *arguments],
                cwd=self.project,
                env={**seed, **self.environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            self._check(False, f"the process hangs for {PATIENCE} seconds")
            raise

    def do_python(self, rest: str) -> None:
        done = self.run(rest.split())
        self._check(done.returncode == 0, f"the script failed: {done.stderr}")

    # What is changed

    def do_edit(self, rest: str) -> None:
        file, *texts = self._match(r"(\S+): (.+) -> (.+)", rest)
        old, new = map(ast.literal_eval, texts)
        path = self._path(file)
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def do_write(self, rest: str) -> None:
        file, text = self._match(r"(\S+): (.+)", rest)
        self._put(self._path(file), ast.literal_eval(text))

    def do_remove(self, rest: str) -> None:
        path = self._path(rest)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def do_move(self, rest: str) -> None:
        old, _, new = rest.partition(" -> ")
        self._path(new).parent.mkdir(parents=True, exist_ok=True)
        self._path(old).rename(self._path(new))

    def do_link(self, rest: str) -> None:
        file, _, target = rest.partition(" -> ")
        path = self._path(file)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    def do_fifo(self, rest: str) -> None:
        os.mkfifo(self._path(rest))

    def do_chmod(self, rest: str) -> None:
        mode, _, file = rest.partition(" ")
        self._path(file).chmod(int(mode, 8))

    def do_stamp(self, rest: str) -> None:
        os.utime(self._path(rest), (OLD, OLD))

    def do_sparse(self, rest: str) -> None:
        file, _, size = rest.partition(" ")
        with self._path(file).open("ab") as opened:
            opened.truncate(int(size))

    def do_compile(self, rest: str) -> None:
        path = self._path(rest)
        py_compile.compile(str(path), str(path.with_suffix(".pyc")), rest, doraise=True)
        path.unlink()

    def do_env(self, rest: str) -> None:
        name, given, value = rest.partition("=")
        if given:
            self.environment[name] = value
        else:
            self.environment.pop(name, None)

    def do_needs(self, rest: str) -> None:
        if rest == "permissions":
            (self.site / "forbidden").touch(0)
            missing = os.access(self.site / "forbidden", os.R_OK)  # root may read everything
        elif rest.startswith("python3."):
            missing = sys.version_info < (3, int(rest.removeprefix("python3.")))
        else:
            missing = importlib.util.find_spec(rest) is None
        if missing:
            pytest.skip(f"needs {rest}")

    def do_install(self, rest: str) -> None:
        """Writes a distribution as an installer would: its package, unless it is editable, and its `.dist-info`."""
        pattern = r"(\S+) (\S+)(?: requires (.+?))?(?: entry (\S+):(\S+)=(\S+))?(?: (editable|local) (\S+))?"
        name, version, requires, group, entry, target, how, folder = self._match(pattern, rest)
        for old in self.site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(old)
        info = f"{name}-{version}.dist-info"
        needed = "".join(f"Requires-Dist: {each}\n" for each in requires.split())
        written = {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}",
            f"{info}/INSTALLER": "pip\n",
            f"{info}/top_level.txt": f"{name}\n",
        }
        if group:
            written[f"{info}/entry_points.txt"] = f"[{group}]\n{entry} = {target}\n"
        if how:
            source = (self.project / folder).resolve()
            origin = {"url": source.as_uri(), "dir_info": {"editable": True} if how == "editable" else {}}
            written[f"{info}/direct_url.json"] = json.dumps(origin)
        if how == "editable":
            written[f"{name}.pth"] = f"{source}\n"
        else:
            package = {f"{SITE}/{name}/__init__.py": "", **self.case.files}
            for file, text in package.items():
                if file.startswith(f"{SITE}/{name}/"):
                    written[file.removeprefix(f"{SITE}/")] = text.replace("@VERSION@", version)
        record = "".join(f"{file},sha256={_digest(text)},{len(text)}\n" for file, text in written.items())
        written[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
        for file, text in written.items():
            self._put(self.site / file, text)

    def _path(self, file: str) -> Path:
        return self.site / file.removeprefix(f"{SITE}/") if file.startswith(f"{SITE}/") else self.project / file

    @staticmethod
    def _put(path: Path, content: str | bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")

    @staticmethod
    def _match(pattern: str, rest: str) -> tuple[str, ...]:
        """The groups of a pattern, empty where they are left out."""
        found = re.fullmatch(pattern, rest)
        assert found is not None, f"{rest!r} is not understood"
        return found.groups("")


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
