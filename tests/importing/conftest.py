"""A Git repository with files that DVC or Git LFS keep, laid out by hand as these do it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from artvcs.cli import main

from ..cli.conftest import Done


@dataclass
class Project:
    """A Git repository, and `art` in it."""

    folder: Path
    art: Callable[..., Done]

    def git(self, *arguments: str) -> str:
        environment = {
            **os.environ, "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_CONFIG_GLOBAL": os.devnull,
        }  # fmt: skip
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def cached(self, content: bytes, ending: str = "", *, old: bool = False) -> str:
        """Puts a file in DVC's cache, and gives its hash."""
        digest = hashlib.md5(content).hexdigest()
        place = "" if old else "files/md5/"
        self.write(f".dvc/cache/{place}{digest[:2]}/{digest[2:]}{ending}", content)
        return digest + ending

    def cached_folder(self, files: dict[str, bytes]) -> str:
        listed = [{"md5": self.cached(content), "relpath": name} for name, content in files.items()]
        return self.cached(json.dumps(listed).encode(), ".dir")

    def pointer(self, content: bytes, *, keep: bool = True) -> bytes:
        """Puts a file where Git LFS keeps it, and gives the pointer to it."""
        digest = hashlib.sha256(content).hexdigest()
        if keep:
            self.write(f".git/lfs/objects/{digest[:2]}/{digest[2:4]}/{digest}", content)
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n".encode()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARTVCS_DIR", raising=False)

    def art(*arguments: str) -> Done:
        code = main.run(list(arguments))
        return Done(code, *capsys.readouterr())

    made = Project(tmp_path, art)
    made.git("init", "-q", "-b", "main")
    made.write(".gitignore", "/.artifacts/\n/.dvc/cache\n")
    art("init")
    return made


def dvc_file(path: str, digest: str, kind: str = "hash: md5") -> str:
    """What DVC writes of one file or folder into a `.dvc` file."""
    return f"outs:\n- md5: {digest}\n  {kind}\n  path: {path}\n"


def in_turn(project: Project, *contents: bytes, path: str = "raw.txt") -> None:
    """A revision for each content of one file."""
    for number, content in enumerate(contents):
        project.write(".dvc/config", "")
        project.write(f"{path}.dvc", dvc_file(path.rpartition("/")[2], project.cached(content)))
        project.write("note", str(number))
        project.commit(f"revision {number}")
