"""Completion as real shells do it, on a pseudo-terminal: what stands in the line after the tab key."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.remotes  # real shells, where each tab starts a process: it takes long

DIGITS = """
from pathlib import Path
from typing import Annotated, Literal
from artvcs import pipeline, step

@step
def double(number: int) -> Annotated[int, "number"]:
    return 2 * number

@pipeline
def training(max_depth: int = 3, kind: Literal["tree", "forest"] = "tree", data: Path = Path("data.csv")):
    double(max_depth)

@pipeline
def testing():
    double(1)
"""

NOTED = 'noted() { printf "%s\\0" "$@" >> typed; echo >> typed; }\n'
"""Writes down the words of a line; typed before it once the line is complete."""

SHELLS = {
    "bash": (["bash", "--rcfile", "start", "-i"], NOTED),
    "zsh": (["zsh", "-i"], NOTED + "bindkey -e; autoload -Uz compinit; compinit -u -D\n"),
    "fish": (
        ["fish", "--no-config", "-i", "--init-command", "source start"],
        'function noted; printf "%s\\0" $argv >> typed; echo >> typed; end\n',
    ),
}

AT_A_TERMINAL = "import os, sys; os.login_tty(0); os.execvp(sys.argv[1], sys.argv[1:])"
"""Fish wants the terminal that it reads to be its own."""

ART = Path(sys.executable).with_name("art")


class Typing:
    """Somebody who types in a shell."""

    def __init__(self, shell: str, folder: Path) -> None:
        assert shutil.which(shell) is not None, f"{shell} is not installed: run `make remotes`, which does that"
        program, setup = SHELLS[shell]
        source = subprocess.run([ART, "completion", shell], capture_output=True, text=True, check=True).stdout
        for name in ("start", ".zshrc"):
            (folder / name).write_text(setup + source)
        self._file = folder / "typed"
        self._keys, theirs = pty.openpty()
        paths = {"HOME": str(folder), "ZDOTDIR": str(folder), "PATH": f"{ART.parent}:{os.environ['PATH']}"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", AT_A_TERMINAL, *program], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder,
            env={**os.environ, **paths, "TERM": "dumb", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        os.close(theirs)
        self._number = 0
        seconds = 0.5
        while self._typed("", seconds) is None:  # a shell that starts forgets what was typed before
            seconds *= 2

    def line(self, before: str, after: str) -> list[str]:
        """The words of a line for which one part was typed, then the tab key, then another part."""
        words = self._typed(f"{before}\t{after}", 20)
        assert words is not None, "the shell did not answer"
        assert words[0] == "art"
        return words[1:]

    def _typed(self, line: str, seconds: float) -> list[str] | None:
        """Types a line, and reads what is shown until the shell has noted its words, or for so long: then None."""
        self._number += 1  # by which it is known from what is noted late
        os.write(self._keys, f"{line}\x01noted {self._number} \r".encode())
        deadline = time.monotonic() + seconds
        shown = select.poll()  # whatever number it has: a process of many tests has many files
        shown.register(self._keys, select.POLLIN)
        while time.monotonic() < deadline:
            for number, *words in self._noted():
                if number == str(self._number):
                    return words
            if shown.poll(50):
                os.read(self._keys, 65536)
        return None

    def _noted(self) -> list[list[str]]:
        lines = self._file.read_text().split("\0\n")[:-1] if self._file.exists() else []
        return [line.split("\0") for line in lines]

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._keys)


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typing]:
    folder = tmp_path_factory.mktemp("digits")
    (folder / "digits.py").write_text(DIGITS)
    for name in ("disc.txt", "conf.yaml", "code/my model.py", "code/deep/in.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for line in ("run digits.py:training", "tag number production", "add code --name code"):
        subprocess.run([ART, *line.split()], cwd=folder, check=True, capture_output=True)
    typing = Typing(request.param, folder)
    yield typing
    typing.end()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        # A value goes on behind its name, and what was cut there by the shell is not lost.
        ("art run digits.py -p ma", "4", ["run", "digits.py", "-p", "max_depth=4"]),
        ("art run digits.py -p max_depth=", "0", ["run", "digits.py", "-p", "max_depth=3", "0"]),
        ("art run digits.py -p kind=f", "-q", ["run", "digits.py", "-p", "kind=forest", "-q"]),
        ("art run digits.py --param=ma", "4", ["run", "digits.py", "--param=max_depth=4"]),
        ("art run digits.py -p data=cod", "x", ["run", "digits.py", "-p", "data=code/x"]),
        # Files: those that can be meant, and folders, in which one goes on.
        ("art run di", "-q", ["run", "digits.py", "-q"]),
        ("art run co", "my", ["run", "code/my"]),
        ("art run code/my", "-q", ["run", "code/my model.py", "-q"]),
        ("art run digits.py:te", "-q", ["run", "digits.py:testing", "-q"]),
        ("art run digits.py -c con", "-q", ["run", "digits.py", "-c", "conf.yaml", "-q"]),
        ("art add dis", "-q", ["add", "disc.txt", "-q"]),
        # Versions, and names that hold colons.
        ("art show number@pr", "-q", ["show", "number@production", "-q"]),
        ("art show 'number@pr", "-q", ["show", "number@production", "-q"]),
        ("art why training::d", "-q", ["why", "training::d-q"]),
        # What is noted of runs; what is sorted downwards begins with a dash.
        ("art runs --sort -max", "-q", ["runs", "--sort", "-max_depth", "-q"]),
        ("art runs --sort=-max", "-q", ["runs", "--sort=-max_depth", "-q"]),
        ("art runs --columns kind,max", "-q", ["runs", "--columns", "kind,max_depth", "-q"]),
        ("art tag -d number pro", "-q", ["tag", "-d", "number", "production", "-q"]),
        # Files of a version, and folders in it, in which one goes on.
        ("art cat code:de", "in", ["cat", "code:deep/in"]),
        ("art cat code:deep/in", "-q", ["cat", "code:deep/in.txt", "-q"]),
        ("art sta", "-q", ["status", "-q"]),
        # Where something is wrong, nothing is written into the line.
        ("art shwo nu", "-q", ["shwo", "nu-q"]),
    ],
)
def test_what_the_tab_key_makes_of_a_line(shell: Typing, before: str, after: str, words: list[str]) -> None:
    assert shell.line(before, after) == words
