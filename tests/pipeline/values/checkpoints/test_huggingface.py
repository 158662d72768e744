"""The callback for Hugging Face's Trainer, with a real trainer and a tiny model made from a configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, pipeline, step

os.environ.setdefault("HF_HUB_OFFLINE", "1")
torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
transformers = pytest.importorskip("transformers")

from artvcs.pipelines.checkpoints.huggingface import ArtifactCallback  # noqa: E402

pytestmark = [pytest.mark.usefixtures("project"), pytest.mark.filterwarnings("ignore")]


def trainer(**options: Any) -> Any:
    config = transformers.GPT2Config(vocab_size=8, n_positions=8, n_embd=4, n_layer=1, n_head=1)
    arguments = transformers.TrainingArguments(
        output_dir="out", use_cpu=True, report_to=[], disable_tqdm=True, num_train_epochs=2,
        per_device_train_batch_size=2, **{"save_strategy": "epoch", "logging_strategy": "epoch", **options},
    )  # fmt: skip
    ids = torch.arange(8)
    rows = [{"input_ids": ids, "labels": ids} for _ in range(4)]
    return transformers.Trainer(
        model=transformers.GPT2LMHeadModel(config), args=arguments, train_dataset=rows, eval_dataset=rows,
        callbacks=[ArtifactCallback("ckpt", tags=["tiny"])],
    )  # fmt: skip


def versions() -> list[Any]:
    return Client().list_artifact_versions("ckpt", sort="number")


def test_each_saved_folder_is_a_version() -> None:
    trainer(eval_strategy="epoch", save_total_limit=1).train()
    assert [folder.name for folder in Path("out").glob("checkpoint-*")] == ["checkpoint-4"]
    made = versions()
    assert [(version.metadata["epoch"], version.metadata["global_step"]) for version in made] == [(1.0, 2), (2.0, 4)]
    assert all({"loss", "eval_loss"} <= version.metadata.keys() for version in made)
    assert made[0].tags == ("tiny",)
    folder = made[0].load()
    assert folder.name == "checkpoint-2"
    transformers.GPT2LMHeadModel.from_pretrained(folder)
    again = trainer()
    again.train(resume_from_checkpoint=str(folder))
    assert again.state.global_step == 4


def test_by_steps_and_inside_a_step_of_a_run() -> None:
    @step
    def train() -> int:
        trained = trainer(save_strategy="steps", save_steps=1)
        trained.train()
        return int(trained.state.global_step)

    @pipeline
    def training() -> None:
        train()

    run = training()
    assert run.steps["train"].output.load() == 4
    assert [version.run.id for version in versions()] == [run.id] * 4


def test_training_ends_well_though_nothing_can_be_registered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no space is left")

    monkeypatch.setattr("artvcs.pipelines.functions.register_artifact", refuse)
    trained = trainer()
    trained.train()
    assert trained.state.global_step == 4
    assert caplog.text.count("no space is left") == 2
