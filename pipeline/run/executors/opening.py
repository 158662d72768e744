"""Opening the executor that is chosen for a run."""

from __future__ import annotations

import importlib.util
import os
import resource
from dataclasses import replace
from typing import TYPE_CHECKING

from artvcs.vcs import Repository, UnknownName, config, connect

from ...define.options import executors
from ...define.options.executors import Chosen, chosen
from ...define.options.options import PipelineOptions
from ...errors import DefinitionError, PipelineError
from ..coordinator import Coordinator
from ..machine import cores_here
from .engine import Engine
from .inline import InlineExecutor

if TYPE_CHECKING:
    from .clusters.engines.cluster import Cluster

EXECUTOR, JOBS = "ARTVCS_EXECUTOR", "ARTVCS_JOBS"
"""Environment variables that choose where nothing else does, but before the project's settings."""


def choose(repository: Repository, options: PipelineOptions) -> Chosen:
    """Where the steps of a run are executed: as the pipeline says, or else the environment, or the project.

    Raises:
        DefinitionError: It cannot be.
        PipelineError: There can be no processes here.
        RepositoryError: The project's settings cannot be understood.
    """
    settings = config.read(repository)
    around = os.environ.get(EXECUTOR) or None, _number(os.environ.get(JOBS) or None)
    said = (options.executor, options.jobs), around, (settings.executor, settings.jobs)
    found = chosen(*said, cores=cores_here())
    return replace(found, jobs=_affordable(found.jobs)) if found.kind == executors.PROCESSES else found


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal():
        raise DefinitionError(f"{JOBS}={text!r} is no number; give a number of steps that run side by side.")
    return int(text)


_HANDLES = 5
"""So many files are open for each process: its channel, and what it prints."""
_OWN_HANDLES = 24
"""And so many for all else."""


def _affordable(jobs: int) -> int:
    """So many processes, or as many as there can be by the limit of open files."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return jobs
    open_now = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0
    if (found := (most - open_now - _OWN_HANDLES) // _HANDLES) < 1:
        raise PipelineError(
            f"No more than {most} files may be open here, which is too few for steps in processes; raise that, as by "
            "`ulimit -n 1024`, or run inline."
        )
    return min(jobs, found)


def open_engine(chosen: Chosen, coordinator: Coordinator) -> Engine:
    """An executor for the steps of a run."""
    if chosen.kind == executors.INLINE:
        return Engine(InlineExecutor(), coordinator)
    slots = chosen.jobs
    if chosen.kind == executors.THREADS:
        from .threads import ThreadExecutor

        coordinator.side_by_side = slots > 1
        return Engine(ThreadExecutor(slots), coordinator)
    if chosen.kind in executors.ENGINES:
        return _open_cluster(chosen, coordinator)
    from .processes.pool import ProcessExecutor

    return Engine(ProcessExecutor(slots, coordinator, coordinator.known()), coordinator, shares_memory=False)


_PACKAGES = {executors.DASK: "distributed", executors.RAY: "ray"}


def _open_cluster(chosen: Chosen, coordinator: Coordinator) -> Engine:
    """An engine's workers, looked for when the first step has to be executed.

    Raises:
        PipelineError: The engine is not installed, or nothing is shared with its workers.
    """
    name = chosen.kind.title()
    if importlib.util.find_spec(package := _PACKAGES[chosen.kind]) is None:
        raise PipelineError(
            f"{name} is not installed here ({package} is missing); `pip install 'artvcs[{chosen.kind}]'` does that."
        )
    try:
        configured = config.read(coordinator.repository).remote()
    except UnknownName as error:
        raise PipelineError(
            f"Steps on {name} need a remote by which data comes to its workers; `art remote add origin URL` adds one."
        ) from error
    from .clusters.executor import ClusterExecutor

    def find() -> Cluster:
        address, jobs = chosen.address or None, chosen.jobs or cores_here()
        if chosen.kind == executors.DASK:
            from .clusters.engines.on_dask.cluster import DaskCluster

            return DaskCluster(address, jobs)
        from .clusters.engines.on_ray.cluster import RayCluster

        return RayCluster(address, jobs)

    remote = connect(coordinator.repository, configured)
    executor = ClusterExecutor(find, chosen.jobs, coordinator, remote, configured)
    return Engine(executor, coordinator, shares_memory=False, elsewhere=executor.claiming)
