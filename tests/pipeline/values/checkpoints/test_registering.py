"""Registering one checkpoint, whatever framework wrote it."""

from __future__ import annotations

import logging
import re
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, pipeline, step
from artvcs.pipelines.checkpoints.registering import Checkpoints, numbers
from artvcs.pipelines.errors import PipelineError
from artvcs.vcs.errors import ArtError, InvalidName
from tests.conftest import Python

pytestmark = pytest.mark.usefixtures("project")


def versions(name: str = "ckpt") -> list[Any]:
    return Client().list_artifact_versions(name, sort="number")


def write(text: str, path: str = "model.ckpt") -> Path:
    Path(path).write_text(text)
    return Path(path)


def test_each_checkpoint_is_a_version_with_its_metadata() -> None:
    checkpoints = Checkpoints("ckpt", tags=("nightly",))
    for epoch in range(3):
        checkpoints.register(write(f"weights {epoch}"), {"epoch": epoch, "val_loss": 1 / (epoch + 1)})
    made = versions()
    assert [version.version for version in made] == ["1", "2", "3"]
    assert [version.metadata["epoch"] for version in made] == [0, 1, 2]
    assert made[0].tags == ("nightly",)
    assert made[0].load().name == "model.ckpt"
    assert made[0].load().read_text() == "weights 0"
    [best] = Client().list_artifact_versions("ckpt", metadata="val_loss < 0.4")
    assert best.version == "3"


def test_an_identical_checkpoint_makes_no_new_version() -> None:
    checkpoints = Checkpoints("ckpt")
    first = checkpoints.register(write("same"), {"epoch": 0})
    second = checkpoints.register(write("same"), {"epoch": 1})
    assert first is not None
    assert second is not None
    assert (first.id, first.version) == (second.id, second.version)
    assert len(versions()) == 1


def test_a_checkpoint_that_cannot_be_registered_is_a_warning_with_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert Checkpoints("ckpt").register("nowhere.ckpt", {}) is None
    assert re.search("nowhere.ckpt was not registered as 'ckpt'.*There is no file", caplog.text)
    with pytest.raises(ArtError, match="There is no file"):
        Checkpoints("ckpt", strict=True).register("nowhere.ckpt", {})


def test_a_name_that_cannot_be_used_is_refused_before_training() -> None:
    with pytest.raises(InvalidName):
        Checkpoints("a@b")


def test_inside_a_step_versions_belong_to_its_run_and_others_see_them_at_once() -> None:
    seen: list[int] = []

    @step(enable_cache=False)
    def train() -> int:
        checkpoints = Checkpoints("ckpt")
        for epoch in range(2):
            checkpoints.register(write(f"weights {epoch}"), {"epoch": epoch})
            seen.append(len(Client(".").list_artifact_versions("ckpt")))
        return len(Client().list_artifact_versions("ckpt"))

    @pipeline
    def training() -> None:
        train()

    run = training()
    assert run.status == "completed"
    assert run.steps["train"].output.load() == 2
    assert seen == [1, 2]
    assert [version.run.id for version in versions() if version.run] == [run.id, run.id]


def test_in_a_step_that_fails_the_versions_before_stay() -> None:
    @step
    def train() -> int:
        Checkpoints("ckpt").register(write("weights"), {})
        Checkpoints("ckpt").register("nowhere.ckpt", {})
        raise ValueError("diverged")

    @pipeline
    def training() -> None:
        train()

    with pytest.raises(PipelineError):
        training()
    assert len(versions()) == 1


def test_a_steps_time_limit_is_not_taken_for_a_failed_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artvcs.pipelines.functions.register_artifact", lambda *_, **__: time.sleep(5))

    @step(timeout=0.2)
    def train() -> int:
        Checkpoints("ckpt").register("x", {})
        return 1

    @pipeline
    def training() -> None:
        train()

    with pytest.raises(PipelineError, match="timeout"):
        training()


KILLED = """
import os, signal
from pathlib import Path
from artvcs import pipeline, step
from artvcs.pipelines.checkpoints.registering import Checkpoints

@step
def train() -> int:
    for epoch in range(5):
        Path("model.ckpt").write_text(f"weights {epoch}")
        if epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        Checkpoints("ckpt").register("model.ckpt", {"epoch": epoch})
    return 1

@pipeline
def training():
    train()

training() if IN_STEP else train()
"""


@pytest.mark.parametrize("in_step", [True, False])
def test_what_was_registered_before_a_kill_stays(project: Path, python: Python, in_step: bool) -> None:
    (project / "train.py").write_text(f"IN_STEP = {in_step}\n{KILLED}")
    assert python("train.py", check=False).returncode == -signal.SIGKILL
    assert [version.metadata["epoch"] for version in versions()] == [0, 1, 2]
    assert [run.status for run in Client().list_pipeline_runs()] == (["interrupted"] if in_step else [])


FORKED = """
import os
from pathlib import Path
from artvcs import pipeline, step
from artvcs.pipelines.checkpoints.registering import Checkpoints

@step
def train() -> int:
    checkpoints = Checkpoints("ckpt", strict=True)
    Path("model.ckpt").write_text("parent")
    checkpoints.register("model.ckpt", {"by": "parent"})
    if (child := os.fork()) == 0:
        Path("model.ckpt").write_text("child")
        checkpoints.register("model.ckpt", {"by": "child"})
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    Path("model.ckpt").write_text("parent again")
    checkpoints.register("model.ckpt", {"by": "parent"})
    return 1

@pipeline
def training():
    train()

training()
"""


def test_a_worker_forked_in_a_step_registers_by_itself(project: Path, python: Python) -> None:
    (project / "forked.py").write_text(FORKED)
    python("forked.py")
    made = versions()
    assert [version.metadata["by"] for version in made] == ["parent", "child", "parent"]
    assert [version.run is not None for version in made] == [True, False, True]
    assert [version.load().read_text() for version in made] == ["parent", "child", "parent again"]


FULL = """
import resource, signal
from pathlib import Path
from random import Random
from artvcs import Client, pipeline, step
from artvcs.pipelines.checkpoints.registering import Checkpoints

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

@step
def train() -> int:
    for epoch in range(3):
        Path("model.ckpt").write_bytes(Random(epoch).randbytes(5 << 20))
        if epoch == 1:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, unlimited[1]))
        Checkpoints("ckpt").register("model.ckpt", {"epoch": epoch})
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    return 1

@pipeline
def training():
    train()

print(training().status)
for version in Client().list_artifact_versions("ckpt"):
    assert version.load().read_bytes() == Random(version.metadata["epoch"]).randbytes(5 << 20)
"""


def test_when_the_disk_is_full_for_a_while_one_checkpoint_is_missing(project: Path, python: Python) -> None:
    (project / "full.py").write_text(FULL)
    done = python("full.py")
    assert done.stdout == "completed\n"
    assert "No space is left" in done.stderr
    assert [version.metadata["epoch"] for version in versions()] == [0, 2]


LARGE = """
import random, resource, sys
from artvcs.pipelines.checkpoints.registering import Checkpoints

checkpoints = Checkpoints("ckpt", strict=True)
open("small.ckpt", "wb").write(bytes(3 << 20))
checkpoints.register("small.ckpt", {})
with open("large.ckpt", "wb") as file:
    for part in range(96):
        file.write(random.Random(part).randbytes(1 << 20))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
checkpoints.register("large.ckpt", {})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_a_large_checkpoint_is_not_held_in_memory(project: Path, python: Python) -> None:
    (project / "large.py").write_text(LARGE)
    kilobytes = int(python("large.py").stdout)
    assert kilobytes < 48 << 10


def test_only_single_numbers_are_noted() -> None:
    np = pytest.importorskip("numpy")
    metrics = {"a": 1, "b": np.float32(0.5), "c": np.ones(3), "d": "text", "e": np.array([2.0]), "f": None, "g": True}
    assert numbers(metrics) == {"a": 1, "b": 0.5, "e": 2.0, "g": True}


@pytest.mark.parametrize(("module", "package"), [("huggingface", "transformers"), ("keras", "keras")])
def test_a_framework_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, module: str, package: str) -> None:
    monkeypatch.delitem(sys.modules, f"artvcs.pipelines.checkpoints.{module}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PipelineError, match=f"pip install {package}"):
        import_module(f"artvcs.pipelines.checkpoints.{module}")


def test_lightning_is_missing_only_when_a_callback_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    lightning = import_module("artvcs.pipelines.checkpoints.lightning")
    monkeypatch.setattr(lightning, "_PACKAGES", {"lightning": "lightning_that_is_nowhere"})
    lightning._on_base_of.cache_clear()
    with pytest.raises(PipelineError, match="pip install lightning"):
        lightning.ArtifactCheckpoint("ckpt")
    lightning._on_base_of.cache_clear()
