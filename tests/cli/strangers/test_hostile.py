"""A stranger's repository whose every text tries to command the terminal: no verb lets any of it through."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from artvcs.cli import main
from artvcs.cli.terminal import output
from artvcs.cli.terminal.output import ERASE, Terminal
from artvcs.cli.terminal.screen import Screen
from artvcs.vcs.maps import graph
from artvcs.vcs.objects import kinds
from artvcs.vcs.objects.nodes import Entry, StepsNode, Tree
from artvcs.vcs.objects.oid import NULL, Oid, is_oid
from artvcs.vcs.objects.records import Record
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.packs.table import KINDS

from ..conftest import Art, Done, Once

EVIL = "\x1b]0;title\x07\x1b[2J\x9b31m\r\x08\x85\u2028\u202e\u2066\u200f\x7fé"
"""Sets the title, clears the screen, goes back, turns the direction of text around."""

FORBIDDEN = {char for char in EVIL if not char.isprintable()}
OURS = re.compile(r"\x1b\[[0-9;]*m|\r\x1b\[K")
"""Colours, and what takes the moving line away."""

FAILING = """
@step
def fails(value: int) -> int:
    raise ValueError("no luck")

@pipeline
def failing():
    fails(total(numbers(4)))

@step
def tells(value: int) -> int:
    raise ValueError("," * 3000)  # so that it is an object of its own, and its run's steps are kept apart

@pipeline
def telling():
    tells(total(numbers(4)))
"""

RECORDS = {"tree": Tree, "steps": StepsNode, "step": kinds.StepRun}
"""The classes of records that are not called as their kinds are."""


class Poisoner:
    """Copies a repository and adds to every text in it what no API takes.

    Args:
        source: The repository to copy.
        target: An empty one.
        words: Also words that decide what is shown, such as a run's status.
    """

    def __init__(self, source: Repository, target: Repository, *, words: bool) -> None:
        self._source = source
        self._target = target
        self._plain = {"mode", "label"} if words else {"mode", "label", "status", "origin"}
        self._copied: dict[str, Oid] = {}

    def copy(self) -> None:
        with self._target.transaction(f"why{EVIL}") as self._transaction:
            for ref, oid in self._source.refs().items(""):
                parts = [unquote(part) for part in ref.split("/")]
                named = [part if part.isdigit() else self._text(part) for part in parts[1:]]
                ref = "/".join([parts[0], *(quote(part, safe="") for part in named)])
                self._transaction.set_ref(ref, self._object(oid))

    def _object(self, oid: Oid) -> Oid:
        if oid == NULL:
            return NULL
        if oid not in self._copied:
            kind = self._source.store.location(oid).kind
            data = self._source.store.read(oid, kind)
            if kind == "blob":
                self._copied[oid] = self._transaction.put_blob(self._blob(data))
            else:
                cls: type[Record] = RECORDS.get(kind) or getattr(kinds, kind.capitalize())
                record = self._record(cls.decode(data))
                self._copied[oid] = self._transaction.put(record)
        return self._copied[oid]

    def _blob(self, data: bytes) -> bytes:
        if not data.startswith(b'{"id":'):
            return data + EVIL.encode()
        code = json.loads(data)  # a step's code
        for part in code["parts"]:
            part.update(name=part["name"] + EVIL, source=part["source"] + EVIL, hash=part["hash"][::-1])
        code["unfollowed"].append({"line": 1, "what": EVIL, "where": EVIL})
        return json.dumps(code, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    def _record(self, record: Record) -> Record:
        if isinstance(record, Tree):
            entries = (Entry._make(entry) for entry in record.entries)
            poisoned = (each._replace(name=self._text(each.name), id=self._object(each.id)) for each in entries)
            return Tree(0, tuple(sorted(poisoned)))
        if isinstance(record, StepsNode):
            pairs = ((self._text(name), self._value(found)) for name, found in record.entries)
            return StepsNode(0, tuple(sorted(pairs, key=lambda pair: pair[0])))
        fields = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
        return dataclasses.replace(
            record,
            **{name: value if name in self._plain else self._value(value) for name, value in fields.items()},
        )

    def _value(self, value: Any) -> Any:
        if isinstance(value, Record):
            return self._record(value)
        if isinstance(value, (tuple, list)):
            return type(value)(self._value(item) for item in value)
        if isinstance(value, Mapping):
            typed = any(key.startswith("$") for key in value)
            return {
                key if typed else self._text(key): value[key] if typed else self._value(value[key]) for key in value
            }
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        if is_oid(text):
            known = self._source.store.has(Oid(text))
            return self._object(Oid(text)) if known else text  # a cache key or a fingerprint
        return "path" if text == "path" else text + EVIL


@pytest.fixture(params=[False, True], ids=["texts", "words too"])
def hostile(
    request: pytest.FixtureRequest, art: Art, project: Path, once: Once, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    def make() -> None:
        (project / "data").mkdir()
        for name in ("a.txt", "b.txt"):
            (project / "data" / name).write_text("content")
        file = project / "adding.py"
        art("run", "adding.py:adding")
        file.write_text(file.read_text().replace("FACTOR = 10", "FACTOR = 11") + FAILING)
        art("run", "adding.py:adding", "-p", "label=other")
        art("run", "adding.py:failing")
        art("run", "adding.py:telling")
        art("add", "data", "--name", "folder", "--tag", "raw")
        art("tag", "folder", "production", "-m", "it is raw")
        os.rename(".artifacts", "original")
        source, target = Repository(project / "original"), Repository.init(project / ".artifacts")
        Poisoner(source, target, words=request.param).copy()

    monkeypatch.setattr(output, "_takes_colours", lambda stream: True)
    once(f"hostile-{request.param}", make)
    return Repository(project / ".artifacts")


def check(done: Done) -> Done:
    for written in (done.out, done.err):
        left = OURS.sub("", written)
        assert not FORBIDDEN & set(left), repr(left)
    assert "Unexpected" not in done.err, done.err
    return done


# `*` stands for the hostile text.
VERBS = [
    *("ls", "ls --json", "ls total*", "ls total* --json", "ls --type *", "ls *", "ls --*", "-C * ls"),
    *("show total*", "show total* --json", "show folder*", "show totl*", "--debug show *"),
    *("log", "log --json", "log --oneline", "log --graph", "log --graph --oneline"),
    *("log total*", "log folder* --json", "log *"),
    *("why total*", "why total* --code", "why total* --json", "why fails*", "why *"),
    *("status", "status --json", "fsck", "fsck --json", "gc -n", "gc", "prune -n", "prune -n --json", "prune"),
    *("checkout folder*", "checkout total*@2", "checkout *", "cat folder*", "cat folder*:*", "cat-file *"),
    *(
        "tag",
        "tag --json",
        "tag folder*",
        "tag folder* --json",
        "tag folder* *",
        "tag -d folder* production*",
        "tag * x",
    ),
    *("runs", "runs --json", "runs adding* --sort *", "plot * --by label*", "plot values* adding*", "plot * *"),
    *(
        "lock",
        "lock *",
        "checkout --lock",
        "add -u",
        "migrate zenml *",
        "import dvc *",
        "import lfs *",
        "import mlflow *",
    ),
    *("rm numbers*@1", "rm *", "add * --name x", "add data --name *"),
    *("run *", "run adding.py:*", "run adding.py:adding -p *=1", "*"),
]


@pytest.mark.long
def test_no_verb_lets_a_control_character_through(hostile: Repository, art: Art) -> None:
    shown = "".join(done.out for done in (check(art(*verb.replace("*", EVIL).split(" "))) for verb in VERBS))
    assert "(did you mean 'total\\x1b]0;title" in check(art("checkout", f"totl{EVIL}")).err
    assert "total\\x1b]0;title\\x07" in shown
    assert "no luck\\x1b" in shown
    assert "\x1b[33m" in shown, "our own colours are there"


@pytest.mark.parametrize("width", [40, 100])
def test_no_table_or_line_that_is_cut_does(
    hostile: Repository, art: Art, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(Terminal, "width", width)
    for verb in ("ls", "log", "log --oneline", "log --graph", "status", "show total*"):
        for line in check(art(*verb.replace("*", EVIL).split(" "))).out.splitlines():
            is_cut = verb in ("ls", "log --oneline") and "  " in line  # a name alone is never cut
            assert cell_len(OURS.sub("", line)) <= width or not is_cut, line


LOOKING_AT_A_RUN = [
    ["show"],
    ["show", "--json"],
    ["log"],
    ["log", "--graph"],
    ["why", "--code", f"total{EVIL}", "--run"],
    ["rm"],
]


def test_runs_their_failures_and_what_changed_between_them(hostile: Repository, art: Art) -> None:
    runs = check(art("log", "--json")).json
    shown = "".join(check(art(*verb, run["name"])).out for run in runs for verb in LOOKING_AT_A_RUN)
    assert "raise ValueError" in shown
    assert "\x1b[32m+FACTOR = 11\\x1b]0;title" in shown
    assert "Deleted the record of adding" in shown


def test_every_object_can_be_looked_at(hostile: Repository, art: Art) -> None:
    oids = [oid for oid in every_object(hostile) if hostile.store.location(oid).kind != "blob"]
    assert {hostile.store.location(oid).kind for oid in oids} == set(KINDS) - {"blob"}
    for oid in oids:
        check(art("cat-file", oid))
        check(art("show", oid))
        check(art("log", oid))


def every_object(repository: Repository) -> list[Oid]:
    newest = repository.store.refresh().entry.oid
    return [at.oid for at in graph.reachable(repository.store, [newest])]


def test_json_means_what_is_stored(hostile: Repository, art: Art) -> None:
    listed = check(art("ls", "--json")).json
    assert f"total{EVIL}" in {each["name"] for each in listed}


def test_files_are_shown_as_text_and_piped_as_they_are(
    hostile: Repository, art: Art, monkeypatch: pytest.MonkeyPatch
) -> None:
    [log] = [
        oid for oid in every_object(hostile) if hostile.store.location(oid).kind == "blob" and is_log(hostile, oid)
    ]
    assert EVIL in art("cat-file", log).out
    assert EVIL in art("cat", log).out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for verb in ("cat-file", "cat"):
        assert check(art(verb, log)).out.startswith("counting\n\\x1b]0;title")


def is_log(repository: Repository, oid: Oid) -> bool:
    return repository.store.read(oid, "blob").startswith(b"counting")


def test_damage_with_a_hostile_name_is_reported_in_words(hostile: Repository, art: Art, project: Path) -> None:
    (project / ".artifacts" / f"odd{EVIL}").write_text("")
    assert "odd\\x1b]0;title" in check(art("fsck")).out
    check(art("--debug", "fsck", "--json"))


def test_the_moving_line_is_made_safe_too(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artvcs.cli.terminal.screen._EVERY", 0.001)
    output.show_moving(f"checking {EVIL}")
    output.show_bar(f"checking {EVIL}", 1, 2, EVIL)
    with Screen(lambda: f"step {EVIL}").open():
        time.sleep(0.1)
    written = capfd.readouterr().err
    assert "step \\x1b]0;" in written
    assert not FORBIDDEN & set(OURS.sub("", written))


def test_the_shell_is_offered_only_what_it_takes_as_a_word(hostile: Repository, art: Art) -> None:
    with hostile.transaction("name") as transaction:
        artifact = next(oid for ref, oid in hostile.refs().items("newest/"))
        for name in ("plain-name", "größe", "$(touch owned)", "a;b", "two words", "-o"):
            transaction.set_ref(f"newest/{quote(name, safe='')}", artifact)
    asked = {"_ART_COMPLETE": "bash_complete", "COMP_WORDS": "art ls ", "COMP_CWORD": "2"}
    offered = CliRunner().invoke(main.art, [], env=asked, prog_name="art").output
    assert set(offered.split("\n")) == {"plain,plain-name", "plain,größe", ""}


# One way to the terminal


def test_only_the_module_for_output_writes() -> None:
    writing = re.compile(r"click\.(echo|secho|style|confirm|prompt)|\bprint\(|\.buffer\b|\.write\(")
    folder = Path(main.__file__).parent
    found = {path.name for path in folder.rglob("*.py") if writing.search(path.read_text())}
    assert found == {"output.py", "screen.py"}


def test_colours_are_only_ours(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_takes_colours", lambda stream: True)
    Terminal().say(f"{output.style('name', fg='yellow')}: \x1b[31mred\x1b[0m")
    Terminal(colour=False).say(output.style("name", fg="yellow"))
    assert capsys.readouterr().out == "\x1b[33mname\x1b[0m: \\x1b[31mred\\x1b[0m\nname\n"
    assert output.cut(output.style("a\x07b", fg="red"), 4) == "a\\x…"


def test_lines_stay_lines_only_where_they_are_meant(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().say("one\ntwo")
    Terminal().lines("one\r\ntwo\x1b\n\nthree")
    assert capsys.readouterr().out == "one\\ntwo\none\ntwo\\x1b\n\nthree\n"
    assert ERASE in output.moving("")
