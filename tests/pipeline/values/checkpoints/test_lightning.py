"""The callback for Lightning, with real trainers of both packages that Lightning comes in."""

from __future__ import annotations

import copy
import logging
import pickle
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, pipeline, step
from artvcs.pipelines.checkpoints.lightning import ArtifactCheckpoint
from artvcs.pipelines.errors import DefinitionError

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.usefixtures("project"), pytest.mark.filterwarnings("ignore")]

MODULES = {"lightning": "lightning.pytorch", "pytorch_lightning": "pytorch_lightning"}


@pytest.fixture(params=MODULES)
def pl(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lightning under one of its names, as if the other had not been imported."""
    module = pytest.importorskip(MODULES[request.param])
    for other in MODULES.values():
        if other != MODULES[request.param]:
            monkeypatch.delitem(sys.modules, other, raising=False)
    logging.getLogger(MODULES[request.param]).setLevel(logging.ERROR)
    return module


def tiny_model(pl: Any) -> Any:
    class Tiny(pl.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch: Any, _: int) -> Any:
            loss = self.layer(batch).pow(2).mean()
            self.log("loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

        def train_dataloader(self) -> Any:
            return torch.utils.data.DataLoader(torch.ones(4, 2), batch_size=2)

    return Tiny()


def trainer(pl: Any, callback: Any, **options: Any) -> Any:
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return pl.Trainer(**{"max_epochs": 3, "accelerator": "cpu", "callbacks": [callback], **quiet, **options})


def versions() -> list[Any]:
    return Client().list_artifact_versions("ckpt", sort="number")


def test_each_epoch_is_a_version(pl: Any) -> None:
    callback: Any = ArtifactCheckpoint("ckpt", tags=["tiny"], monitor="loss", save_top_k=-1, filename="at-{epoch:02d}")
    assert isinstance(callback, ArtifactCheckpoint)
    assert isinstance(callback, pl.callbacks.ModelCheckpoint)
    fitted = trainer(pl, callback)
    fitted.fit(tiny_model(pl))
    assert fitted.checkpoint_callbacks == [callback]
    made = versions()
    assert [version.metadata["epoch"] for version in made] == [0, 1, 2]
    assert [version.metadata["global_step"] for version in made] == [2, 4, 6]
    assert [version.load().name for version in made] == [f"at-epoch=0{epoch}.ckpt" for epoch in range(3)]
    assert made[-1].metadata["loss"] == pytest.approx(float(fitted.callback_metrics["loss"]))
    assert made[0].tags == ("tiny",)
    state = torch.load(made[1].load(), weights_only=False)
    assert (state["epoch"], state["global_step"]) == (1, 4)


def test_training_goes_on_from_a_version(pl: Any) -> None:
    trainer(pl, ArtifactCheckpoint("ckpt")).fit(tiny_model(pl))
    path = Client().get_artifact_version("ckpt").load()
    resumed = trainer(pl, ArtifactCheckpoint("ckpt", dirpath="again"), max_epochs=4)
    resumed.fit(tiny_model(pl), ckpt_path=path)
    assert [version.metadata["epoch"] for version in versions()] == [0, 1, 2, 3]


def test_inside_a_step_the_versions_are_of_its_run(pl: Any) -> None:
    @step
    def train() -> Path:
        callback: Any = ArtifactCheckpoint("ckpt")
        trainer(pl, callback).fit(tiny_model(pl))
        return Path(callback.best_model_path)

    @pipeline
    def training() -> None:
        train()

    run = training()
    assert [version.run.id for version in versions()] == [run.id] * 3


def test_checkpoints_that_lightning_removes_stay_as_versions_and_last_makes_none(pl: Any) -> None:
    trainer(pl, ArtifactCheckpoint("ckpt", dirpath="files", save_top_k=1, save_last=True)).fit(tiny_model(pl))
    assert len(list(Path("files").iterdir())) == 2
    assert [version.metadata["epoch"] for version in versions()] == [0, 1, 2]


def test_training_ends_well_though_nothing_can_be_registered(
    pl: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no space is left")

    monkeypatch.setattr("artvcs.pipelines.functions.register_artifact", refuse)
    fitted = trainer(pl, ArtifactCheckpoint("ckpt"))
    fitted.fit(tiny_model(pl))
    assert fitted.current_epoch == 3
    assert caplog.text.count("no space is left") == 3
    with pytest.raises(OSError, match="no space is left"):
        trainer(pl, ArtifactCheckpoint("ckpt", dirpath="strict", strict=True)).fit(tiny_model(pl))


def test_it_can_be_copied_and_pickled(pl: Any) -> None:
    callback: Any = ArtifactCheckpoint("ckpt", monitor="loss")
    for again in (copy.deepcopy(callback), pickle.loads(pickle.dumps(callback))):
        assert isinstance(again, pl.callbacks.ModelCheckpoint)
        assert (again.monitor, again._checkpoints, again.state_key) == (
            "loss", callback._checkpoints, callback.state_key,
        )  # fmt: skip


def test_an_asynchronous_writer_is_refused_before_training(pl: Any) -> None:
    io = import_module(f"{pl.__name__}.plugins.io").AsyncCheckpointIO
    with pytest.raises(DefinitionError, match="AsyncCheckpointIO"):
        trainer(pl, ArtifactCheckpoint("ckpt"), plugins=[io()]).fit(tiny_model(pl))


def test_with_both_packages_imported_the_right_one_can_be_said() -> None:
    other, pl = pytest.importorskip("lightning.pytorch"), pytest.importorskip("pytorch_lightning")
    with pytest.raises(DefinitionError, match=r"The Trainer is of pytorch_lightning and its .* of lightning"):
        trainer(pl, ArtifactCheckpoint("ckpt")).fit(tiny_model(pl))

    base: Any = pl.callbacks.ModelCheckpoint

    class Mine(ArtifactCheckpoint, base):  # type: ignore[misc]
        pass

    assert not isinstance(Mine("ckpt"), other.callbacks.ModelCheckpoint)
    trainer(pl, Mine("ckpt")).fit(tiny_model(pl))
    assert len(versions()) == 3
