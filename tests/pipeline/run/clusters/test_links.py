"""Workers on another host, whose link is cut in the midst of a step: neither side is told."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from artvcs import Client, load_artifact
from tests.servers.clusters import Dask, ray_with_a_node, wait_until
from tests.servers.networks import CAN_BE_MADE, Host, another_host

from .conftest import write
from .test_losses import WAITING, Begun, begun, signs

__all__ = ["signs"]

pytestmark = [
    pytest.mark.clusters,
    pytest.mark.skipif(not CAN_BE_MADE, reason="only root can make network namespaces, with iproute2"),
]

SOON = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}
"""How soon Dask takes a silent connection for lost; usually after 30 seconds, and not before 11."""

Cluster = tuple[str, Callable[[], object]]
"""What `art run --executor` is told, and how a worker is started here beside the one that is elsewhere."""

Engine = Callable[[Path, Host], AbstractContextManager[Cluster]]


@contextmanager
def dask_elsewhere(folder: Path, host: Host) -> Iterator[Cluster]:
    cluster = Dask(folder, host.near, **SOON)
    try:
        cluster.add_worker("--no-nanny", host=host)
        yield cluster.executor, lambda: cluster.add_worker("--no-nanny")
    finally:
        cluster.close()


@pytest.fixture
def host() -> Iterator[Host]:
    """Another host."""
    with another_host() as found:
        yield found


@pytest.mark.parametrize("engine", [dask_elsewhere, ray_with_a_node], ids=["dask", "ray"])
def test_a_worker_whose_link_is_cut_is_a_failed_try(
    engine: Engine, shared: Path, signs: Path, begun_art: Begun, host: Host, tmp_path: Path
) -> None:
    write(shared / "flow.py", WAITING.format(signs=str(signs), retry=1))
    with engine(tmp_path.parent / f"{tmp_path.name}-engine", host) as (executor, start_here):
        running = begun_art("run", "flow.py", "--executor", executor)
        wait_until(lambda: begun(signs) == 1 or running.poll() is not None, "the step has not begun")
        host.cut()
        start_here()
        wait_until(lambda: begun(signs) == 2 or running.poll() is not None, "it was not tried again")
        (signs / "go").touch()
        said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert load_artifact("waited") == 42
    assert "Try 1 of 2 failed" in Client().list_pipeline_runs()[0].steps["waits"].logs


def test_a_link_that_is_cut_for_a_moment_costs_nothing(
    shared: Path, signs: Path, begun_art: Begun, host: Host, tmp_path: Path
) -> None:
    write(shared / "flow.py", WAITING.format(signs=str(signs), retry=0))
    cluster = Dask(tmp_path.parent / f"{tmp_path.name}-engine", host.near)
    try:
        cluster.add_worker("--no-nanny", host=host)
        running: subprocess.Popen[str] = begun_art("run", "flow.py", "--executor", cluster.executor)
        wait_until(lambda: begun(signs) == 1, "the step has not begun")
        host.cut()
        (signs / "go").touch()  # it ends while nobody hears it
        time.sleep(5)
        host.mend()
        said, _ = running.communicate(timeout=60)
    finally:
        cluster.close()
    assert running.returncode == 0, said
    assert begun(signs) == 1
    assert load_artifact("waited") == 42
