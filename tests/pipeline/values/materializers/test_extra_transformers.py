"""Hugging Face models, configurations and tokenizers, all made here: nothing is downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import by_name, find_for_value

from .conformance import hashes, refuses_cut_files, reload
from .harness import files_of, save

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

pytestmark = pytest.mark.filterwarnings("ignore")
MODEL, CONFIG, TOKENIZER = (f"artvcs.transformers.{kind}" for kind in ("model", "config", "tokenizer"))
WORDS = [[1, 2, 3]]


def _bert() -> Any:
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    return transformers.BertForMaskedLM(transformers.BertConfig(vocab_size=20, **sizes)).eval()


def _gpt() -> Any:
    torch.manual_seed(0)
    config = transformers.GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=20, bos_token_id=0, eos_token_id=1)
    return transformers.GPT2LMHeadModel(config).to(torch.bfloat16).eval()


def _tokenizer() -> Any:
    words = tokenizers.models.WordLevel({"a": 0, "b": 1, "[UNK]": 2, "[PAD]": 3}, unk_token="[UNK]")
    found = tokenizers.Tokenizer(words)
    found.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=found, unk_token="[UNK]", pad_token="[PAD]")


def samples() -> dict[str, Any]:
    return {"bert": _bert(), "gpt": _gpt(), "config": _gpt().config, "tokenizer": _tokenizer()}


@pytest.mark.parametrize("make", [_bert, _gpt])
def test_models(make: Any, tmp_path: Path) -> None:
    model = make()
    loaded = reload(model, tmp_path, MODEL)
    ours, theirs = loaded.state_dict(), model.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) and ours[name].dtype == theirs[name].dtype for name in ours)
    assert torch.equal(loaded(torch.tensor(WORDS)).logits, model(torch.tensor(WORDS)).logits)
    assert loaded.get_output_embeddings().weight is loaded.get_input_embeddings().weight
    assert loaded.name_or_path == ""
    assert getattr(loaded, "generation_config", None) == getattr(model, "generation_config", None)


def test_frozen_parameters_and_mode_are_kept(tmp_path: Path) -> None:
    model = _bert().train()
    model.bert.embeddings.requires_grad_(False)
    model.cls.eval()
    loaded = reload(model, tmp_path, MODEL)
    assert not loaded.bert.embeddings.word_embeddings.weight.requires_grad
    assert loaded.bert.training
    assert not loaded.cls.training


def test_a_model_that_was_changed_goes_to_torch(tmp_path: Path) -> None:
    model = _bert()
    model.cls = torch.nn.Linear(8, 2)
    assert find_for_value(model).NAME == "artvcs.torch.Module"
    mixed = _bert()
    mixed.cls.to(torch.float64)
    loaded = reload(mixed, tmp_path, "artvcs.torch.Module", exact=False)
    assert loaded.cls.predictions.bias.dtype == torch.float64


def test_random_numbers_go_on_as_before(tmp_path: Path) -> None:
    model = _bert()
    before = torch.random.get_rng_state()
    reload(model, tmp_path, MODEL)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_configurations(tmp_path: Path) -> None:
    config = _gpt().config
    assert reload(config, tmp_path, CONFIG).to_dict() == config.to_dict()


def test_tokenizers(tmp_path: Path) -> None:
    tokenizer = _tokenizer()
    loaded = reload(tokenizer, tmp_path, TOKENIZER)
    assert loaded("a b c") == tokenizer("a b c")
    assert loaded.name_or_path == ""


def test_using_a_tokenizer_makes_no_other_artifact(tmp_path: Path) -> None:
    tokenizer = _tokenizer()
    save(tokenizer, tmp_path / "before")
    tokenizer(["a b", "a"], truncation=True, max_length=1, padding="max_length")
    save(tokenizer, tmp_path / "after")
    assert files_of(tmp_path / "before") == files_of(tmp_path / "after")


def test_two_processes_write_the_same_bytes() -> None:
    assert hashes(__name__, "1") == hashes(__name__, "2")


def test_metadata() -> None:
    facts = find_for_value(_gpt())("").extract_metadata(_gpt())
    assert (facts["class"], facts["model_type"], facts["dtypes"]) == ("GPT2LMHeadModel", "gpt2", ["bfloat16"])
    assert facts["parameter_count"] == sum(each.numel() for each in _gpt().parameters())


def test_loading_runs_no_code(tmp_path: Path) -> None:
    for name, value in samples().items():
        assert not save(value, tmp_path / name).runs_code
        reader = find_for_value(value)(str(tmp_path / name))
        reader.trusted = False
        reader.load(object)


@pytest.mark.parametrize("name", ["gpt", "config", "tokenizer"])
def test_cut_files(name: str, tmp_path: Path) -> None:
    refuses_cut_files(samples()[name], tmp_path, "generation_config.json", "tokenizer_config.json")


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("state.json", {"class": "subprocess:Popen"}),
        ("state.json", {"class": "torch.nn:Linear"}),
        ("state.json", {"class": "transformers:BertForMaskedLM"}),
        ("state.json", {"attention": "somebody/kernels"}),
        ("state.json", {"dtype": "load"}),
        ("model/config.json", {"quantization_config": {"quant_method": "bitsandbytes"}}),
        ("model/config.json", {"n_layer": 2}),
    ],
    ids=str,
)
def test_other_files_are_refused(file: str, change: dict[str, Any], tmp_path: Path) -> None:
    save(_gpt(), tmp_path)
    path = tmp_path / file
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))
    with pytest.raises(MaterializerError):
        by_name(MODEL)(str(tmp_path)).load(object)
