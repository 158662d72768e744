"""Repositories that a stranger forged, used as one's own: a sentence within a second and 200 MB, and nothing else.

Each is looked at by every verb that reads, and loaded, in a process of its own: its processor time and its memory are
measured, and whatever appears outside the repository is found.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard

from artvcs.pipelines import errors as pipeline_errors
from artvcs.vcs import errors as vcs_errors
from artvcs.vcs.changes.intents import AddVersion
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.maps import ref_names
from artvcs.vcs.maps.trees import as_entry
from artvcs.vcs.objects.kinds import Artifact, Op, State, Version
from artvcs.vcs.objects.nodes import FILE, Entry, Tree
from artvcs.vcs.objects.oid import NULL, Oid, hash_bytes
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import PackName, op_name
from artvcs.vcs.storage.packs import codec, table
from artvcs.vcs.storage.packs.op_file import Entry as LogEntry
from artvcs.vcs.storage.packs.pack import Item

from ...vcs.helpers import put_text, version_of
from ...vcs.storage.making import blob, in_chunks, put_pack, rows_of, write_segment
from .test_hostile import EVIL, FORBIDDEN, OURS

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured as Linux tells it"),
]

SECONDS, BYTES = 1.0, 200 << 20
"""What each look may cost: of the processor, as others may use it too, and of memory, with Python's own."""

USED_AS_ONES_OWN = """
import contextlib, json, os, resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))  # what goes off ends this process, and not the machine
resource.setrlimit(resource.RLIMIT_FSIZE, (300 << 20, 300 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
from artvcs import Client
from artvcs.cli import main
from artvcs.vcs import ArtError

def load(name):
    try:
        return repr(Client().get_artifact_version(name).load())
    except ArtError as error:
        print(error, file=sys.stderr)
        return type(error).__name__

results = os.environ["RESULTS"]
with contextlib.suppress(ArtError):
    Client(os.environ["GOOD"]).get_artifact_version("good").load()  # what Python imports costs once
for number, verb in enumerate(json.load(sys.stdin)):
    for stream, suffix in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{results}/{number}.{suffix}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), stream)
    began = time.process_time()
    ended = load(verb[1]) if verb[0] == "load" else main.run(verb)
    took = time.process_time() - began
    sys.stdout.flush()
    [peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
    with open(f"{results}/{number}.json", "w") as file:
        json.dump([ended, took, int(peak) << 10], file)
"""


@dataclass
class Look:
    """What came of one verb: its exit code, or what loading gave or raised; and what it wrote."""

    ended: int | str
    out: str
    err: str


class Stranger:
    """A folder with a project in it whose repository is a stranger's, and what is outside that."""

    def __init__(self, tmp_path: Path) -> None:
        self._tmp_path = tmp_path
        self.outside = tmp_path / "outside"
        self.project = self.outside / "project"
        self.project.mkdir(parents=True)
        (self.project / "evil.py").write_text("open('../ran', 'w').close()\nclass Thing: pass\n")
        self.repository = Repository.init(self.project / ".artifacts")
        (tmp_path / "good").mkdir()
        put_version(Repository.init(tmp_path / "good" / ".artifacts"), "good", {"value.json": b"[1]"})
        (tmp_path / "results").mkdir()

    def looks(self, *verbs: Sequence[str]) -> dict[str, Look]:
        """Each verb as it ended; none costs more than it may, says what no terminal may see, or leaves anything."""
        before, results = self._everything(), self._tmp_path / "results"
        places = {"RESULTS": results, "GOOD": self._tmp_path / "good", "HOME": self.outside}
        environment = {**os.environ, **{name: str(place) for name, place in places.items()}}
        subprocess.run(
            [sys.executable, "-c", USED_AS_ONES_OWN], cwd=self.project, env=environment, timeout=300,
            input=json.dumps(verbs), text=True, check=False,
        )  # fmt: skip
        found = {}
        for number, verb in enumerate(verbs):
            shown = " ".join(verb).replace(EVIL, "*")
            assert (results / f"{number}.json").exists(), (shown, (results / f"{number}.err").read_text()[-2000:])
            ended, took, peak = json.loads((results / f"{number}.json").read_text())
            out, err = (
                (results / f"{number}.{suffix}").read_text(errors="surrogateescape") for suffix in ("out", "err")
            )
            assert took < SECONDS, (shown, took)
            assert peak < BYTES, (shown, peak)
            assert "Unexpected" not in err, (shown, err)
            assert "Traceback" not in err, (shown, err)
            assert not FORBIDDEN & set(OURS.sub("", out if verb[0] != "cat" else "") + err), (shown, out, err)
            found[shown] = Look(ended, out, err)
        assert self._everything() == before
        return found

    def _everything(self) -> set[Path]:
        """All outside the repository, but what is checked out to `out`."""
        inside = (self.project / ".artifacts", self.project / "out")
        return {path for path in self.outside.rglob("*") if not any(path.is_relative_to(place) for place in inside)}


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    return Stranger(tmp_path)


READING = [
    *(["ls"], ["ls", "--json"], ["log"], ["log", "evil"], ["status"], ["show", "evil"], ["show", "evil", "--json"]),
    *(["cat", "evil"], ["checkout", "evil", "-o", "out"], ["prune", "-n"], ["fsck"], ["gc"], ["load", "evil"]),
]
"""Every way to look at an artifact."""


NUMBER = Artifact("builtins.int", "artvcs.scalar", 1, NULL, 0, False)
LIST = Artifact("builtins.list", "artvcs.container", 1, NULL, 0, False)


def put_version(
    repository: Repository,
    name: str,
    files: dict[str, bytes],
    artifact: Artifact = NUMBER,
    **facts: Any,
) -> None:
    """Publishes a version of these files."""
    with repository.begin("files") as transaction:
        entries = [Entry(path, FILE, transaction.put_blob(data), len(data)) for path, data in files.items()]
        payload = transaction.put(Tree(0, tuple(entries)))
        size = sum(map(len, files.values()))
        oid = transaction.put(dataclasses.replace(artifact, payload=payload, size=size))
        transaction.add(AddVersion(dataclasses.replace(version_of(name, oid), **facts), {}))


def put_version_of(transaction: Transaction, payload: Oid, size: int) -> None:
    """Adds a version `evil` of a payload that may be anything."""
    oid = transaction.put(dataclasses.replace(NUMBER, payload=payload, size=size))
    transaction.add(AddVersion(version_of("evil", oid), {}))


def forge(repository: Repository, *packs: PackName, segments: tuple[Oid, ...] = (), items: Sequence[Item] = ()) -> None:
    """Publishes a state that names these packs and index segments too, and nothing that it should not say."""
    newest = repository.store.refresh().entry
    seq, old = newest.seq + 1, newest.op.state
    state = State(old.refs, (*old.segments, *segments), (*old.loose, *packs, op_name(seq)), {}, old.epoch, ())
    op = Op(seq, newest.oid, state, f"{seq:016x}", "0" * 16, "Eve <eve@example.org>", 0, "forged")
    repository.store.log.commit(LogEntry.make(op, items))


def raw(kind: str, text: bytes) -> Item:
    """Bytes that pass for a record, under their right id."""
    return Item(hash_bytes(text, kind), kind, codec.RAW, text, len(text))


def file_in_a_tree(repository: Repository, oid: Oid, size: int) -> None:
    """Publishes a version `evil` whose only file is said to be this blob."""
    with repository.begin("a tree") as transaction:
        put_version_of(transaction, transaction.put(Tree(0, (Entry("value.json", FILE, oid, size),))), size)


REFUSED = {vcs_errors.DamagedError: 5, vcs_errors.StorageError: 6}
"""Exit codes of a verb that did not get what it was asked for."""
NEEDING_THE_DATA = ("cat evil", "checkout evil -o out")


def check_refused(looks: dict[str, Look], *errors: str) -> None:
    """What needs the data ended with a typed error, and each exit code is one of those that are documented."""
    assert {looks[verb].ended for verb in NEEDING_THE_DATA} <= set(REFUSED.values())
    assert looks["load evil"].ended in (errors or ("DamagedError", "DiskFull", "UnknownName"))
    assert {look.ended for verb, look in looks.items() if not verb.startswith("load")} <= {0, 3, 5, 6}


HUGE, WANTED = 100 * 10**9, Oid("ab" * 32)


def zeros(size: int) -> Item:
    """A blob of so many zeros, as small as that is stored."""
    data = bytes(size)
    return Item(hash_bytes(data), "blob", codec.ZSTD, zstandard.ZstdCompressor(level=1).compress(data), size)


PACKS: dict[str, Callable[[], list[Item]]] = {
    "700 large chunks": lambda: [chunk := zeros(143 << 20), in_chunks([(chunk.oid, HUGE // 700)] * 700, WANTED, HUGE)],
    "700 chunks": lambda: [chunk := zeros(1 << 20), in_chunks([(chunk.oid, 1 << 20)] * 700, WANTED, HUGE)],
    "one frame": lambda: [Item(WANTED, "blob", codec.ZSTD, zeros(800 << 20).stored, HUGE)],
}


@pytest.mark.parametrize("said", [HUGE, 700 << 20, 10], ids=["100 GB", "700 MB", "10 bytes"])
@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_of_28_kilobytes_that_declares_100_gigabytes(stranger: Stranger, pack: str, said: int) -> None:
    """Also where the folder says so itself, or says that it is small."""
    name = put_pack(stranger.repository.store.files, *PACKS[pack]())
    assert stranger.repository.store.files.size(name) < 36_000
    forge(stranger.repository, name)
    file_in_a_tree(stranger.repository, WANTED, said)
    looks = stranger.looks(*READING)
    check_refused(looks)
    assert looks["fsck"].ended == 5


@pytest.mark.parametrize("content", [b"x", b""], ids=["of a byte", "empty"])
def test_a_tree_of_100_to_the_7th_files(stranger: Stranger, content: bytes) -> None:
    repository = stranger.repository
    with repository.begin("bomb") as transaction:
        below = Entry("x", FILE, transaction.put_blob(content), len(content))
        for _ in range(7):
            tree = Tree(0, tuple(below._replace(name=f"{number:03}") for number in range(100)))
            below = as_entry("x", transaction.put(tree), tree)
        put_version_of(transaction, below.id, below.size)
    looks = stranger.looks(*READING)
    check_refused(looks)
    assert looks["fsck"].ended == 0  # each of its bytes is as it was written
    assert not (stranger.project / "out").exists()


DIGITS = b"9" * 5_000_000


@pytest.mark.parametrize("integer", [DIGITS, b'{"$int":"%s"}' % DIGITS], ids=["of JSON", "typed"])
def test_an_integer_of_5_million_digits_in_metadata(stranger: Stranger, integer: bytes) -> None:
    """One that is a text in JSON keeps nobody from the data, only from the metadata."""
    repository = stranger.repository
    put_version(repository, "evil", {"value.json": b"[1]"})
    ref = ref_names.version("evil", 1)
    text = repository.store.record(repository.refs().get(ref) or NULL, Version).encode()
    forged = raw("version", text.replace(b'"metadata":{}', b'"metadata":{"n":%s}' % integer))
    forge(repository, put_pack(repository.store.files, forged))
    with repository.begin("forged") as transaction:
        transaction.set_ref(ref, forged.oid)
    looks = stranger.looks(*READING)
    assert {look.ended for verb, look in looks.items() if not verb.startswith("load")} <= {0, 3, 5}
    assert looks["show evil"].ended == looks["show evil --json"].ended == 5
    assert "damaged" in looks["ls --json"].out
    assert looks["cat evil"].ended == (5 if integer == DIGITS else 0)


@pytest.mark.parametrize("stored", [2**40, 2**60, 2**64 - 1])
def test_a_huge_stored_size_in_a_row_of_the_index(stranger: Stranger, stored: int) -> None:
    files = stranger.repository.store.files
    name = put_pack(files, blob(b"wanted"))
    [row] = rows_of(files, name)
    lie = table.pack_row(dataclasses.replace(row, stored=stored))
    forge(stranger.repository, segments=(write_segment(files, [([name], lie)]),))
    file_in_a_tree(stranger.repository, row.oid, row.size)
    looks = stranger.looks(*READING)
    check_refused(looks)
    assert looks["fsck"].ended == 5


def test_a_pack_that_lists_an_id_that_it_does_not_hold(stranger: Stranger) -> None:
    files = stranger.repository.store.files
    rows = [dataclasses.replace(row, oid=WANTED) for row in rows_of(files, put_pack(files, blob(b"wanted")))]
    forge(stranger.repository, put_pack(files, blob(b"wanted"), rows=rows))
    file_in_a_tree(stranger.repository, WANTED, 6)
    looks = stranger.looks(*READING)
    check_refused(looks)
    assert looks["fsck"].ended == 5


NAMES = [".artifacts", ".ARTIFACTS", ".artifacts.", ".git", "..", "../evil", "/evil", "", "a\\b", "a\0b"]


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("name", NAMES)
def test_an_entry_of_a_tree_with_a_name_that_leads_elsewhere(stranger: Stranger, name: str, kind: str) -> None:
    repository = stranger.repository
    with repository.begin("evil") as transaction:
        inner, mode = transaction.put_blob(b"evil"), "100644"
        if kind == "folder":
            inner, mode = transaction.put(Tree(0, (Entry("format", FILE, inner, 4),))), "040000"
        text = json.dumps({"entries": [[name, mode, inner, 4, 1]], "level": 0}, separators=(",", ":"))
        forged = raw("tree", text.encode())
        put_version_of(transaction, forged.oid, 4)
        transaction.set_ref("tags/inner", inner)
    forge(repository, put_pack(repository.store.files, forged))
    before = (repository.layout.folder / "format").read_bytes()
    looks = stranger.looks(*READING, ["checkout", "evil"])
    check_refused(looks)
    assert looks["fsck"].ended == looks["checkout evil"].ended == 5
    assert (repository.layout.folder / "format").read_bytes() == before


@pytest.mark.parametrize("file", ["conftest.py", "evil.pth", ".bashrc", "-rf", f"x{EVIL}", "con", "evil.py"])
def test_a_single_file_under_a_hostile_name_comes_under_the_name_that_was_asked_for(
    stranger: Stranger, file: str
) -> None:
    put_version(stranger.repository, "data", {file: b"evil"})
    os.mkdir(stranger.project / "out")
    looks = stranger.looks(["-C", "out", "checkout", "data"], ["fsck"])
    assert {look.ended for look in looks.values()} == {0}
    [made] = os.listdir(stranger.project / "out")
    assert made.startswith("data")
    assert (stranger.project / "out" / made).read_bytes() == b"evil"


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "..", ".artifacts", ".git", "a/../../evil", "evil\0", "-o"])
def test_an_artifact_of_a_hostile_name_is_put_nowhere_but_where_it_is_told(stranger: Stranger, name: str) -> None:
    put_version(stranger.repository, name, {"data": b"content"})
    os.mkdir(stranger.project / "out")
    looks = stranger.looks(*READING[:3], ["fsck"], ["gc"], ["-C", "out", "checkout", "--", name])
    assert looks.pop(f"-C out checkout -- {name}").ended == (0 if name == "-o" else 1)
    assert {look.ended for look in looks.values()} == {0}
    assert os.listdir(stranger.project / "out") == (["-o"] if name == "-o" else [])


THING = b'[{"$dataclass":["evil:Thing",{}]}]'
TYPES = {
    "as the type": (dataclasses.replace(NUMBER, type="evil.Thing"), b"[1]"),
    "as the materializer": (dataclasses.replace(NUMBER, materializer="evil:Thing"), b"[1]"),
    "in a container": (LIST, THING),
    "as an enumeration": (LIST, b'[{"$enum":["evil:Thing","x"]}]'),
    "of a record": (dataclasses.replace(NUMBER, type="evil.Thing", materializer="artvcs.record"), THING),
}


@pytest.mark.parametrize("where", TYPES)
def test_the_name_of_a_type_that_imports_a_module(stranger: Stranger, where: str) -> None:
    artifact, document = TYPES[where]
    put_version(stranger.repository, "evil", {"value.json": document}, artifact)
    looks = stranger.looks(*READING)
    assert looks.pop("load evil").ended == "UntrustedData"
    assert {look.ended for look in looks.values()} <= {0, 3}


INSTALLED = {
    "as the type": (dataclasses.replace(NUMBER, type="polars.DataFrame"), b"[1]"),
    "as the materializer": (dataclasses.replace(NUMBER, materializer="artvcs.torch.Tensor"), b"[1]"),
    "in a container": (LIST, b'[{"$enum":["datasets.x:Y","a"]}]'),
}


@pytest.mark.parametrize("where", INSTALLED)
def test_a_module_that_is_called_like_a_library(stranger: Stranger, where: str) -> None:
    """Python looks for it beside the program, or where it was begun, before where libraries are installed."""
    for library in ("polars", "torch", "datasets"):
        (stranger.project / f"{library}.py").write_text("open('../ran', 'w').close()\nraise ImportError\n")
    artifact, content = INSTALLED[where]
    put_version(stranger.repository, "evil", {"value.json": content}, artifact)
    looks = stranger.looks(*READING, ["load", "evil"])
    assert looks["load evil"].ended in ("UntrustedData", "MaterializerError")


@pytest.mark.parametrize("type_name", ["a." * 8000 + "b", "numpy." + "a." * 8000 + "b"], ids=["unknown", "known"])
def test_the_name_of_a_type_with_thousands_of_parts(stranger: Stranger, type_name: str) -> None:
    put_version(stranger.repository, "evil", {"value.json": b"[1]"}, dataclasses.replace(NUMBER, type=type_name))
    stranger.looks(["ls"], ["show", "evil"], ["load", "evil"])


def test_a_table_whose_offsets_lead_out_of_it(stranger: Stranger) -> None:
    table = pa.table({"a": pa.array(["abc", "def", "ghi", "jkl"] * 10)})
    buffer = io.BytesIO()
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table)
    raw = bytearray(buffer.getvalue())
    at = raw.find(b"".join(struct.pack("<i", 3 * number) for number in range(41)))
    raw[at + 80 : at + 84] = struct.pack("<i", 2_000_000_000)
    artifact = dataclasses.replace(NUMBER, type="pyarrow.Table", materializer="artvcs.pyarrow.Table")
    put_version(stranger.repository, "evil", {"table.arrow": bytes(raw)}, artifact)
    assert stranger.looks(["load", "evil"])["load evil"].ended == "MaterializerError"


class Ran:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("../ran",)


@pytest.mark.parametrize("runs_code", [True, False])
def test_a_pickle(stranger: Stranger, runs_code: bool) -> None:
    """Whatever its record says of it."""
    artifact = Artifact("evil.Thing", "artvcs.pickle", 1, NULL, 0, runs_code)
    put_version(stranger.repository, "evil", {"value.pkl": pickle.dumps(Ran())}, artifact)
    looks = stranger.looks(*READING)
    assert looks.pop("load evil").ended == "UntrustedData"
    assert {look.ended for look in looks.values()} <= {0, 3}


def test_escape_sequences_in_names_and_keys_of_metadata(stranger: Stranger) -> None:
    """See test_hostile.py, where every text of a repository is so."""
    name = f"evil{EVIL}"
    put_version(stranger.repository, name, {f"a{EVIL}": b"x"}, metadata={f"k{EVIL}": f"v{EVIL}"}, tags=(f"t{EVIL}",))
    put_text(stranger.repository, "tags/a", "a")
    verbs = [[part.replace("evil", name) for part in verb] for verb in READING]
    looks = stranger.looks(*verbs, ["show", f"x{EVIL}"])
    assert "k\\x1b]0;title" in looks["show evil*"].out
    assert looks["load evil*"].ended == "MaterializerError"
    assert {look.ended for verb, look in looks.items() if not verb.startswith("load")} <= {0, 1, 3}


def test_the_errors_that_are_expected_here_are_typed() -> None:
    for name in ("DamagedError", "DiskFull", "UnknownName", "UntrustedData", "MaterializerError"):
        error = getattr(vcs_errors, name, None) or getattr(pipeline_errors, name)
        assert issubclass(error, vcs_errors.ArtError)
