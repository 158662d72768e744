"""Steps on Dask and Ray beside the same functions without us, and a large array from one worker to the next.

The engines' workers are processes of this machine in folders of their own. What is compared stores nothing, records
nothing and reuses nothing. The array goes through Ceph's S3 gateway; beside it stands obstore, up and down.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import obstore
from obstore.store import S3Store

from tests.servers import ceph
from tests.servers.clusters import Dask, ray_head

ITEMS = 10_000
MANY = 100_000
ARRAY = 1 << 30
RUNS = 3

_ART = str(Path(sys.executable).with_name("art"))

FAN = """
    import json, resource, sys, time
    from artvcs import pipeline, step

    @step
    def item(number: int) -> float:
        time.sleep(0.002)
        return number * 1.5

    @pipeline
    def fan(count: int):
        item.map(range(count))

    def timed(run, *arguments):
        start = time.perf_counter(); run(*arguments); return time.perf_counter() - start

    if __name__ == "__main__":
        flow = fan.with_options(executor=sys.argv[1])
        took = [timed(flow, int(count)) for count in sys.argv[2:]]
        print(json.dumps([*took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3]))
"""

BARE_DASK = """
    import json, sys, time
    from distributed import Client

    def item(number):
        time.sleep(0.002)
        return number * 1.5

    client = Client(sys.argv[1].removeprefix("dask://"))
    client.gather(client.map(item, range(-10, 0), pure=False))
    start = time.perf_counter()
    client.gather([client.submit(item, number, pure=False) for number in range(int(sys.argv[2]))])
    print(json.dumps(time.perf_counter() - start))
"""

BARE_RAY = """
    import json, sys, time
    import ray

    try:
        ray.init(sys.argv[1], log_to_driver=False)
    except ConnectionAbortedError:  # where Ray itself has only just begun, its server for a program may die
        ray.init(sys.argv[1], log_to_driver=False)

    @ray.remote
    def item(number):
        time.sleep(0.002)
        return number * 1.5

    ray.get([item.remote(number) for number in range(10)])
    start = time.perf_counter()
    ray.get([item.remote(number) for number in range(int(sys.argv[2]))])
    print(json.dumps(time.perf_counter() - start))
"""

ARRAY_FLOW = """
    import os, time
    import numpy as np
    from artvcs import pipeline, step

    @step
    def make() -> np.ndarray:
        made = np.frombuffer(os.urandom({size}), dtype=np.int64)
        print("made at", time.time())
        return made

    @step(resources={{"gpus": 1}})
    def take(values: np.ndarray) -> int:
        print("taken at", time.time())
        return len(values)

    @pipeline
    def flow():
        take(make())
"""


def main() -> None:
    """Prints the medians beside what is asked."""
    with tempfile.TemporaryDirectory() as folder:
        with _dask(Path(folder) / "dask") as dask:
            _fan_out(Path(folder) / "on-dask", "Dask", dask.executor, BARE_DASK)
            _many(Path(folder) / "many", dask.executor)
        with ray_head(Path(folder) / "ray") as ray:
            _fan_out(Path(folder) / "on-ray", "Ray", ray, BARE_RAY)
        ceph.install()
        os.environ |= {"AWS_ACCESS_KEY_ID": ceph.ACCESS, "AWS_SECRET_ACCESS_KEY": ceph.SECRET}  # of the workers, too
        (Path(folder) / "s3").mkdir()
        with ceph.running(Path(folder) / "s3") as environment, _dask(Path(folder) / "dask-2") as dask:
            _array(Path(folder) / "array", environment["ARTVCS_TEST_S3"], dask)


@contextmanager
def _dask(folder: Path) -> Iterator[Dask]:
    """Two workers, of which one counts a graphics card."""
    cluster = Dask(folder)
    try:
        cluster.add_worker()
        cluster.add_worker("--resources", "GPU=1")
        yield cluster
    finally:
        cluster.close()


def _fan_out(folder: Path, name: str, executor: str, bare_code: str) -> None:
    runs = []
    for number in range(RUNS):
        project = _project(folder / str(number), FAN, str(folder / f"remote-{number}"))
        (project / "bare.py").write_text(textwrap.dedent(bare_code))
        bare = json.loads(_ran(project, "bare.py", executor, str(ITEMS)).splitlines()[-1])
        begun, ours, _ = _fanned_out(project, executor, 1, ITEMS)
        again, _ = _fanned_out(project, executor, ITEMS)
        runs.append((ours, bare, begun, again))
    ours, bare, begun, again = (statistics.median(each) for each in zip(*runs, strict=True))
    ratio = statistics.median(run[0] / run[1] for run in runs)
    print(
        f"{ITEMS:,} items of 2 ms on {name:<4} {ours:6.2f} s   bare {bare:6.2f} s   ratio {ratio:5.2f} (asked ≤ 1.5)"
        f"   one item {begun:5.2f} s   cached again {again:5.2f} s"
    )


def _many(folder: Path, executor: str) -> None:
    """What the coordinator takes of very many steps."""
    project = _project(folder, FAN, str(folder / "remote"))
    (ours, taken), (again, taken_again) = (_fanned_out(project, executor, MANY) for _ in range(2))
    print(
        f"{MANY:,} items of 2 ms on Dask  {ours:6.1f} s, {taken:.0f} MB   cached again {again:6.1f} s, "
        f"{taken_again:.0f} MB   (asked: memory of the coordinator ≤ 500 MB)"
    )


def _fanned_out(project: Path, executor: str, *counts: int) -> list[float]:
    """Seconds that runs of so many items take, one after another, and the most memory of their process, in MB."""
    found: list[float] = json.loads(_ran(project, "flow.py", executor, *map(str, counts)).splitlines()[-1])
    return found


def _array(folder: Path, endpoint: str, dask: Dask) -> None:
    bucket = f"bench-{secrets.token_hex(4)}"
    ceph.make_bucket(endpoint, bucket)
    store = S3Store(
        bucket, endpoint=endpoint, region="us-east-1", virtual_hosted_style_request=False,
        client_options={"allow_http": True}, access_key_id=ceph.ACCESS, secret_access_key=ceph.SECRET,
    )  # fmt: skip
    ratios = []
    for number in range(RUNS):
        limit = _up_and_down(store)
        remote = f"s3://{bucket}/{number}"
        where = ("--endpoint", endpoint, "--region", "us-east-1")
        project = _project(folder / str(number), ARRAY_FLOW.format(size=ARRAY), remote, *where)
        said = _art(project, "run", "flow.py", "--executor", dask.executor)
        made, taken = (float(line.split()[-1]) for line in said.splitlines() if " at " in line)
        ratios.append((taken - made) / limit)
        print(f"1 GiB from one worker to the next {taken - made:6.2f} s   obstore up and down {limit:6.2f} s")
    print(f"ratio {statistics.median(ratios):5.2f} (asked ≤ 1.5)")


def _up_and_down(store: S3Store) -> float:
    data = os.urandom(ARRAY)
    start = time.perf_counter()
    obstore.put(store, "plain", data)
    bytes(obstore.get(store, "plain").bytes())
    took = time.perf_counter() - start
    obstore.delete(store, "plain")
    return took


def _project(folder: Path, code: str, remote: str, *options: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "flow.py").write_text(textwrap.dedent(code))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    _art(folder, "init")
    _art(folder, "remote", "add", "origin", remote, *options)
    return folder


def _art(folder: Path, *arguments: str) -> str:
    return subprocess.run([_ART, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def _ran(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    ).stdout  # fmt: skip


if __name__ == "__main__":
    main()
