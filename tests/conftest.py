"""What the tests share: a project folder of their own, and Python processes started in it."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from artvcs.pipelines.fingerprint.live import installed
from artvcs.vcs.repository import Repository

TESTS = str(Path(__file__).parent)

# Times on a shared machine say nothing; and a fixture that only names a folder need not be made anew.
settings.register_profile(
    "artvcs", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.load_profile("artvcs")

Python = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A state folder of the tests' own, for them and the processes they start: the secret there is the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell starts what runs in the background with Ctrl-C ignored, `nohup` what it runs without hanging up."""
    for each, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, usual)


def pytest_collection_finish() -> None:
    """Takes the hundreds of tests' modules out of what is looked through again and again: by Python, and by each run.

    A run looks at what loaded modules of the user's do to packages. Those of tests are nobody's, but for a step's own.
    """
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None) or ""
        if path.startswith(TESTS) and path.endswith(".py"):
            installed._own_files[path] = None
    gc.collect()
    gc.freeze()


COMPLETE = bool(os.environ.get("ARTVCS_COMPLETE"))
"""Whether long fault tests leave out nothing, where they else take a fixed part of what is much alike."""

MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder of the test's own; for the long fault tests in memory, where there is some.

    They make things durable by the ten thousand, and what a killed process leaves is the same there. Those that cut the
    power mount a disk of their own.
    """
    if request.node.get_closest_marker("faults") is None or not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="artvcs-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def few_objects() -> Iterator[None]:
    """Makes it cheap to collect objects again and again: what there was before the test is not looked at."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that holds nothing but a repository: else one above it might be found."""
    monkeypatch.delenv("ARTVCS_DIR", raising=False)
    Repository.init(tmp_path / ".artifacts")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def python(project: Path) -> Python:
    """Runs a script of the project in a process of its own: `python("flow.py", "argument", NAME="value")`."""

    def run(script: str, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, script, *arguments],
            cwd=project,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return run
