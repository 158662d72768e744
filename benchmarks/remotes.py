"""Sharing through a real S3 on this machine: Ceph's gateway, whose own log says how many requests there were.

DVC pushes the same bytes to the same server; a plain upload by obstore is the limit for one large artifact.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import ceph, dvc

FILES = 10_000
SMALL = 1000
"""Bytes of a small artifact."""
LARGE = 1 << 30
RUNS = 100_000
PUSHERS, PUSHES = 16, 100

_ART = (sys.executable, "-c", "from artvcs.cli import start; start()")
_TOOK = re.compile(r"(\d+) requests?, (\S+) (\S+) sent, (\S+) (\S+) received")
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Server:
    """The server, and what it has been asked."""

    def __init__(self, endpoint: str, log: Path) -> None:
        self.endpoint = endpoint
        self.log = log

    def bucket(self) -> str:
        """A new bucket."""
        name = f"bench-{secrets.token_hex(8)}"
        ceph.make_bucket(self.endpoint, name)
        return name

    def requests(self) -> int:
        """How many requests it has answered so far."""
        time.sleep(1)  # the log is written a moment later
        return self.log.read_text(errors="replace").count(" beast: ")


def main() -> None:
    os.environ |= {"AWS_ACCESS_KEY_ID": ceph.ACCESS, "AWS_SECRET_ACCESS_KEY": ceph.SECRET}
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    ceph.install()
    work = (_many_small, _one_large, _changed_rows, _one_column, _first_run, _many_pushers, _long_history)
    for each in work:  # a server each: what it keeps is in memory
        with _server() as server, tempfile.TemporaryDirectory() as place:
            each(server, Path(place))


@contextmanager
def _server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder, ceph.running(Path(folder)) as environment:
        yield Server(environment["ARTVCS_TEST_S3"], Path(environment["ARTVCS_TEST_S3_LOG"]))


def _say(title: str, found: float, asked: float, unit: str, *, at_least: bool = False) -> None:
    good = found >= asked if at_least else found <= asked
    sign = "≥" if at_least else "≤"
    print(f"{title:<58} {found:10.3g} {unit:<9} (asked {sign} {asked:g}) {'ok' if good else 'MISSED'}", flush=True)


def _art(folder: Path, *arguments: str) -> tuple[float, str]:
    """Seconds that a verb takes, and what it says."""
    began = time.perf_counter()
    done = subprocess.run([*_ART, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"art {' '.join(arguments)}: {done.stderr}")
    return took, done.stdout


def _traffic(said: str) -> tuple[int, float, float]:
    """The requests, bytes sent, and bytes received that a verb names."""
    found = list(_TOOK.finditer(said))[-1]
    sent, received = (float(found[at]) * _UNITS[found[at + 1]] for at in (2, 4))
    return int(found[1]), sent, received


def _project(server: Server, folder: Path, bucket: str) -> Path:
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / "pyproject.toml").touch()
    url = f"s3://{bucket}/project"
    _art(folder, "remote", "add", "origin", url, "--endpoint", server.endpoint, "--region", "us-east-1")
    return folder


def _python(folder: Path, code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


_SAVE = """
import os, random, sys
from artvcs.vcs import AddVersion, Artifact, Entry, FILE, Repository, Version, now_ms
from artvcs.vcs.objects.nodes import Tree
repository = Repository.discover()
chance = random.Random(int(sys.argv[3]))
with repository.transaction("save") as transaction:
    for number in range(int(sys.argv[1])):
        data = chance.randbytes(int(sys.argv[2]))
        entry = Entry("value.bin", FILE, transaction.put_blob(data), len(data))
        payload = transaction.put(Tree(0, (entry,)))
        artifact = transaction.put(Artifact("bytes", "bytes", 1, payload, len(data), False))
        name = f"small-{sys.argv[3]}-{number:05d}"
        version = Version(name, 0, None, artifact, None, None, None, "saved", now_ms(), (), {})
        transaction.add(AddVersion(version, {}))
"""


def _many_small(server: Server, place: Path) -> None:
    folder = _project(server, place / "ours", server.bucket())
    _python(folder, _SAVE, str(FILES), str(SMALL), "0")
    _art(folder, "remote", "test")
    before = server.requests()
    ours, said = _art(folder, "push")
    our_requests = server.requests() - before
    theirs, their_requests = _dvc(server, place / "dvc", dvc.install())
    what = f"push {FILES:,} small artifacts"
    _say(f"{what}: {our_requests} requests beside DVC's {their_requests}", our_requests / their_requests, 1 / 50, "×")
    _say(f"{what}: {ours:.2f} s beside DVC's {theirs:.1f} s", ours / theirs, 1 / 10, "×")
    assert _traffic(said)[0] == our_requests, f"counted {said}, and the server {our_requests}"
    _, said = _art(folder, "push")
    _say("push again with nothing new", _traffic(said)[0], 3, "requests")


def _dvc(server: Server, folder: Path, command: str) -> tuple[float, int]:
    """Seconds and requests of DVC's push of as many files."""
    data = folder / "data"
    data.mkdir(parents=True)
    for number in range(FILES):
        (data / f"{number:05d}.bin").write_bytes(os.urandom(SMALL))

    def run(*arguments: str) -> None:
        subprocess.run([command, *arguments], cwd=folder, check=True, capture_output=True)

    run("init", "--no-scm", "-q")
    run("remote", "add", "-d", "origin", f"s3://{server.bucket()}/dvc")
    run("remote", "modify", "origin", "endpointurl", server.endpoint)
    run("add", "-q", "data")
    before, began = server.requests(), time.perf_counter()
    run("push", "-q")
    return time.perf_counter() - began, server.requests() - before


_UPLOAD = """
import sys, time
from pathlib import Path
import obstore
from obstore.store import S3Store
store = S3Store(sys.argv[1], client_options={"allow_http": True}, endpoint=sys.argv[2], region="us-east-1",
                virtual_hosted_style_request=False)
began = time.perf_counter()
obstore.put(store, "plain", Path(sys.argv[3]), use_multipart=True, chunk_size=16 << 20, max_concurrency=4)
print(time.perf_counter() - began)
"""


def _one_large(server: Server, place: Path) -> None:
    bucket = server.bucket()
    folder = _project(server, place / "ours", bucket)
    file = folder / "large.bin"
    with file.open("wb") as out:
        for _ in range(LARGE >> 24):
            out.write(os.urandom(1 << 24))
    _art(folder, "remote", "test")
    ratios = []
    for number in range(3):
        with file.open("r+b") as out:
            for start in range(0, LARGE, 1 << 20):  # nothing of the time before is in it
                out.seek(start)
                out.write(os.urandom(64 << 10) * 16)
        _art(folder, "add", "large.bin", "--name", f"large-{number}")
        plain = float(_python(folder, _UPLOAD, bucket, server.endpoint, str(file)))
        ours, _ = _art(folder, "push")
        ratios.append(plain / ours)
    _say("push 1 GB in one artifact: speed beside obstore's upload", sorted(ratios)[1], 0.8, "×", at_least=True)


_TABLE = """
import numpy, pyarrow, sys
from artvcs import save_artifact
groups, rows = 64, 1_250_000
chance = numpy.random.default_rng(1)
columns = []
for group in range(groups):
    columns.append(chance.random(rows))
if len(sys.argv) > 1:
    columns[30] = numpy.random.default_rng(2).random(rows)
save_artifact(pyarrow.table({"x": pyarrow.chunked_array(columns)}), "table")
"""


def _changed_rows(server: Server, place: Path) -> None:
    folder = _project(server, place / "ours", server.bucket())
    _python(folder, _TABLE)
    _, said = _art(folder, "push")
    whole = _traffic(said)[1]
    _python(folder, _TABLE, "changed")
    _, said = _art(folder, "push")
    _say(f"push one changed row group of a {whole / 1e6:.0f} MB table", 100 * _traffic(said)[1] / whole, 5, "% bytes")


_WIDE = """
import numpy, pyarrow
from artvcs import save_artifact
chance = numpy.random.default_rng(1)
save_artifact(pyarrow.table({f"c{number}": chance.random(4_000_000) for number in range(20)}), "wide")
"""

_COLUMN = """
import pyarrow.parquet
from artvcs import Client
file = Client().get_artifact_version("wide").open()
group = pyarrow.parquet.ParquetFile(file).read_row_group(0, columns=["c7"])
assert group.column("c7")[0].as_py() >= 0
"""


def _one_column(server: Server, place: Path) -> None:
    bucket = server.bucket()
    folder = _project(server, place / "ours", bucket)
    _python(folder, _WIDE)
    _, said = _art(folder, "push")
    whole = _traffic(said)[1]
    other = _project(server, place / "other", bucket)
    _art(other, "pull")
    before = server.requests()
    _python(other, _COLUMN)
    _say(f"first bytes of one column of a {whole / 1e6:.0f} MB table", server.requests() - before, 5, "requests")


_FLOW = (
    "from artvcs import pipeline, step\n"
    + "".join(f"@step\ndef s{number}(before: int) -> int:\n    return before + 1\n" for number in range(10))
    + "@pipeline\ndef ten():\n    value = 1\n"
    + "".join(f"    value = s{number}(value)\n" for number in range(10))
)


def _first_run(server: Server, place: Path) -> None:
    folder = _project(server, place / "ours", server.bucket())
    (folder / "flow.py").write_text(_FLOW)
    for arguments in (["add", "."], ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    _art(folder, "run", "flow.py")
    _art(folder, "push")
    ratios, downloaded = [], 0.0
    for number in range(3):
        clone = place / f"clone-{number}"
        began = time.perf_counter()
        subprocess.run(["git", "clone", "-q", str(folder), str(clone)], check=True)
        git, began = time.perf_counter() - began, time.perf_counter()
        _, said = _art(clone, "pull")
        _, run = _art(clone, "run", "flow.py")
        assert "10 reused" in run, run
        downloaded = _traffic(said)[2]
        ratios.append((git + time.perf_counter() - began) / (2 * git + 2))
    print(f"the first run of a clone downloaded {downloaded / 1000:.1f} KB")
    _say("cold clone to the first all-cached run of ten steps", sorted(ratios)[1], 1, "× of 2 git clones + 2 s")


_PUSH = """
import sys
from pathlib import Path
from artvcs.vcs import Repository, config, push, supply
exec(Path(sys.argv[3]).read_text())
me, pushes = sys.argv[1], int(sys.argv[2])
near = Repository.discover()
remote = supply.connect(near, config.read(near).remote())
for number in range(pushes):
    save(near, f"{me}-{number}")
    push(near, remote)
print(remote.traffic.requests)
"""

_SAVE_ONE = """
from artvcs.vcs import AddVersion, Artifact, Entry, FILE, Version, now_ms
from artvcs.vcs.objects.nodes import Tree
def save(repository, text):
    with repository.transaction("save") as transaction:
        entry = Entry("value.bin", FILE, transaction.put_blob(text.encode()), len(text))
        payload = transaction.put(Tree(0, (entry,)))
        artifact = transaction.put(Artifact("bytes", "bytes", 1, payload, len(text), False))
        version = Version("shared", 0, None, artifact, None, None, None, "saved", now_ms(), (), {})
        transaction.add(AddVersion(version, {}))
"""


def _many_pushers(server: Server, place: Path) -> None:
    bucket = server.bucket()
    folders = [_project(server, place / str(number), bucket) for number in range(PUSHERS)]
    (place / "save.py").write_text(_SAVE_ONE)
    _art(folders[0], "remote", "test")
    began = time.perf_counter()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _PUSH, str(number), str(PUSHES), str(place / "save.py")],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number, folder in enumerate(folders)
    ]  # fmt: skip
    said = [each.communicate() for each in running]
    took = time.perf_counter() - began
    assert not any(each.returncode for each in running), [err for _, err in said]
    requests = sum(int(out) for out, _ in said)
    _art(folders[0], "pull")
    _, listed = _art(folders[0], "ls", "shared", "--json", "--all")
    values = re.findall(r'"artifact": "([0-9a-f]{64})"|"id": "([0-9a-f]{64})"', listed)
    pushed = PUSHERS * PUSHES
    _say(f"{PUSHERS} pushers at once, {PUSHES} pushes each: there", len(set(values)), pushed, "versions", at_least=True)
    assert len(values) == len(set(values)) == pushed, (len(values), len(set(values)))
    print(f"{pushed / took:.1f} pushes a second, {requests / pushed:.1f} requests each")


_HISTORY = """
import sys
sys.path.insert(0, sys.argv[2])
from artvcs.vcs.repository import Repository
from tests.histories import write_runs
write_runs(Repository.discover(), int(sys.argv[1]))
"""


def _long_history(server: Server, place: Path) -> None:
    bucket = server.bucket()
    folder = _project(server, place / "ours", bucket)
    _python(folder, _HISTORY, str(RUNS), str(Path(__file__).parents[1]))
    _art(folder, "push")
    clone = ["clone", f"s3://{bucket}/project", str(place / "clone")]
    command, began = [*_ART, *clone, "--endpoint", server.endpoint, "--region", "us-east-1"], time.perf_counter()
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) as cloning:
        assert cloning.stdout is not None
        said = cloning.stdout.read()
        _, status, used = os.wait4(cloning.pid, 0)
        cloning.returncode = os.waitstatus_to_exitcode(status)
    assert cloning.returncode == 0
    took = time.perf_counter() - began
    requests, _, received = _traffic(said)
    memory = used.ru_maxrss >> 10
    print(f"clone {RUNS:,} runs' lineage: {took:.0f} s, {received / 1e6:.0f} MB")
    _say("clone: requests per 100 MB", requests / (received / 1e8), 20, "requests")
    _say("clone: memory", memory, 300, "MB")


if __name__ == "__main__":
    main()
