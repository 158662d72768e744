"""The page's section "Register Framework Checkpoints": its block as it stands, on a tiny real model."""

from __future__ import annotations

import runpy
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client
from artvcs.pipelines.checkpoints.lightning import ArtifactCheckpoint

torch = pytest.importorskip("torch")
pytorch_lightning = pytest.importorskip("pytorch_lightning")

BLOCK = Path(__file__).parent / "blocks" / "lightning.py"
pytestmark = [pytest.mark.usefixtures("project"), pytest.mark.filterwarnings("ignore")]


class TinyModel(pytorch_lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        loss = self.layer(batch).pow(2).mean()
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def train_dataloader(self) -> Any:
        return torch.utils.data.DataLoader(torch.ones(4, 2), batch_size=2)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainers that stop after two epochs on the CPU; the page's would train a thousand, and write logs."""
    trainer = partial(
        pytorch_lightning.Trainer, max_epochs=2, accelerator="cpu", logger=False, enable_progress_bar=False
    )
    monkeypatch.setattr(pytorch_lightning, "Trainer", trainer)


@pytest.mark.usefixtures("short")
def test_the_block_on_lightning_runs() -> None:
    block = runpy.run_path(str(BLOCK), {"YourLightningModel": TinyModel})

    folder = Client().get_artifact_version("lightning_checkpoints").load()
    assert isinstance(folder, Path)
    assert folder.is_dir()
    assert block["checkpoint_path"].is_dir()
    assert folder.name == Path(block["checkpoint_dir"]).name
    found = sorted(path.name for path in folder.rglob("*.ckpt"))
    assert found == ["checkpoint-epoch=00.ckpt", "checkpoint-epoch=01.ckpt"]
    [first, _] = sorted(folder.rglob("*.ckpt"))
    assert torch.load(first, weights_only=False)["global_step"] == 2


@pytest.mark.usefixtures("short")
def test_each_checkpoint_is_a_separate_version_with_model_checkpoint_extended(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "lightning"]:
        monkeypatch.delitem(sys.modules, module)  # other tests may have imported Lightning's other package
    checkpoint: Any = ArtifactCheckpoint("lightning_checkpoints", monitor="train_loss", save_top_k=-1)
    assert isinstance(checkpoint, pytorch_lightning.callbacks.ModelCheckpoint)
    counted: list[int] = []

    class Count(pytorch_lightning.Callback):
        def on_train_epoch_start(self, *_: Any) -> None:
            counted.append(len(Client().list_artifact_versions("lightning_checkpoints")) if counted else 0)

    pytorch_lightning.Trainer(callbacks=[checkpoint, Count()]).fit(TinyModel())

    assert counted == [0, 1]  # the first epoch's was there before the second began
    made = Client().list_artifact_versions("lightning_checkpoints", sort="number")
    assert [version.version for version in made] == ["1", "2"]
    assert [version.metadata["epoch"] for version in made] == [0, 1]
    assert [version.metadata["global_step"] for version in made] == [2, 4]
    assert made[1].metadata["train_loss"] < made[0].metadata["train_loss"]
    for version in made:
        path = version.load()
        assert path.is_file()
        assert torch.load(path, weights_only=False)["epoch"] == version.metadata["epoch"]
