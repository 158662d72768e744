"""torch: tensors bit by bit, modules with what they share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import by_name, find_for_value

from .conformance import hashes, needs_trust, refuses_cut_files, reload
from .harness import files_of, round_trip, save

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

TENSOR, MODULE, STATE = "artvcs.torch.Tensor", "artvcs.torch.Module", "artvcs.torch.state_dict"
DTYPES = (
    *("bool", "uint8", "int8", "int16", "uint16", "uint32", "int32", "int64", "uint64", "float16", "bfloat16"),
    *("float32", "float64", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2"),
)


def samples() -> dict[str, Any]:
    from .torch_samples import tied

    module = tied()
    return {
        "tensor": torch.arange(6.0).reshape(2, 3),
        "module": module,
        "state": module.state_dict(),
        "nested": {"weights": [torch.ones(2), {"b": torch.zeros(1, dtype=torch.bfloat16)}]},
    }


def _bits(tensor: Any) -> Any:
    plain = tensor.detach().resolve_conj().resolve_neg().contiguous().clone()
    return plain.view(torch.uint8).tolist() if plain.dim() else plain.reshape(1).view(torch.uint8).tolist()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("change", ["as it is", "transposed", "strided", "empty", "0-d", "expanded"])
def test_tensors_of_every_type_and_layout(dtype: str, change: str) -> None:
    whole = torch.tensor([[0, 1, 2], [3, 4, 5]]).to(getattr(torch, dtype))
    changed = {
        "as it is": whole,
        "transposed": whole.t(),
        "strided": whole[:, ::2],
        "empty": whole[:0],
        "0-d": whole[0, 1],
        "expanded": whole[:1].expand(4, 3),
    }[change]
    loaded = round_trip(changed)
    assert (loaded.dtype, loaded.shape) == (changed.dtype, changed.shape)
    assert _bits(loaded) == _bits(changed)


def test_special_numbers_keep_their_bits() -> None:
    numbers = torch.tensor([0x7FC00001, 0x7F800000, -(2**31), 1], dtype=torch.int32).view(torch.float32)
    assert _bits(round_trip(numbers)) == _bits(numbers)
    conjugate = torch.tensor([1 + 2j]).conj()
    assert round_trip(conjugate).tolist() == [1 - 2j]


def test_the_order_in_memory_is_kept() -> None:
    pictures = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert round_trip(pictures).stride() == pictures.stride()


def test_gradients_are_asked_for_again() -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    loaded = round_trip(parameter)
    assert type(loaded) is torch.nn.Parameter
    assert loaded.requires_grad
    assert not round_trip(torch.nn.Parameter(torch.ones(2), requires_grad=False)).requires_grad
    assert round_trip(torch.ones(1, requires_grad=True) * 2).is_leaf


def test_a_loaded_tensor_can_be_written_to(tmp_path: Path) -> None:
    loaded = reload(torch.arange(5), tmp_path, TENSOR)
    before = files_of(tmp_path / "first")
    loaded += 1
    assert files_of(tmp_path / "first") == before


def test_strange_tensors_are_pickled() -> None:
    assert find_for_value(torch.eye(2).to_sparse()).NAME == "artvcs.pickle"
    marked = torch.ones(1)
    marked.note = "x"
    assert find_for_value(marked).NAME == "artvcs.pickle"


@pytest.mark.filterwarnings("ignore")
def test_a_module_comes_back_with_what_it_shares(tmp_path: Path) -> None:
    from .torch_samples import tied

    module = tied()
    loaded = reload(module, tmp_path, MODULE, exact=False)
    assert loaded.output.weight is loaded.embedding.weight
    loaded.whole[2] = 77
    assert loaded.part[0] == 77
    words = torch.tensor([1, 2])
    assert torch.equal(loaded(words), module(words))
    assert loaded._non_persistent_buffers_set == {"one", "two", "three"}


def test_tied_weights_are_stored_once(tmp_path: Path) -> None:
    layer = torch.nn.Linear(300, 300, bias=False)
    other = torch.nn.Linear(300, 300, bias=False)
    other.weight = layer.weight
    save(torch.nn.Sequential(layer, other), tmp_path)
    size = layer.weight.numel() * 4
    assert size < sum(map(len, files_of(tmp_path).values())) < 1.1 * size


def test_no_tensor_is_in_the_pickle(tmp_path: Path) -> None:
    save(torch.nn.Linear(300, 300), tmp_path)
    assert len((tmp_path / "module.pkl").read_bytes()) < 5_000


def test_a_module_keeps_mode_frozen_parameters_and_hooks(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout()).eval()
    module[0].weight.requires_grad_(False)
    module.register_forward_hook(lambda module, given, result: result + 1)
    loaded = reload(module, tmp_path, MODULE, exact=False)
    assert not loaded.training
    assert not loaded[0].weight.requires_grad
    assert torch.equal(loaded(torch.ones(2)), module(torch.ones(2)))


def test_state_dicts(tmp_path: Path) -> None:
    from .torch_samples import tied

    state = tied().state_dict()
    loaded = reload(state, tmp_path, STATE)
    assert list(loaded) == list(state)
    assert loaded._metadata == state._metadata
    loaded["embedding.weight"][0, 0] = 9
    assert loaded["output.weight"][0, 0] == 9
    tied().load_state_dict(loaded)


def test_optimizer_states_go_on() -> None:
    def trained() -> tuple[Any, Any]:
        torch.manual_seed(0)
        layer = torch.nn.Linear(2, 1)
        optimizer = torch.optim.Adam(layer.parameters())
        layer(torch.ones(2)).sum().backward()
        optimizer.step()
        return layer, optimizer

    (one, first), (two, second) = trained(), trained()
    second.load_state_dict(round_trip(first.state_dict()))
    first.step()
    second.step()
    assert torch.equal(one.weight, two.weight)


def test_metadata() -> None:
    module = torch.nn.Linear(2, 3)
    module.bias.requires_grad_(False)
    facts = find_for_value(module)("").extract_metadata(module)
    assert facts == {
        "class": "Linear",
        "parameter_count": 9,
        "trainable_count": 6,
        "dtypes": ["float32"],
        "modules": 1,
    }
    tensor = torch.tensor([1, 3])
    facts = find_for_value(tensor)("").extract_metadata(tensor)
    assert facts == {
        "shape": [2],
        "dtype": "int64",
        "requires_grad": False,
        "min": 1.0,
        "max": 3.0,
        "mean": 2.0,
        "std": 1.0,
    }


def test_a_script_is_refused(tmp_path: Path) -> None:
    class Locked(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __reduce__(self) -> Any:
            raise TypeError("not this one")

    with pytest.raises(MaterializerError, match="state_dict"):
        save(Locked(), tmp_path / "value")


def test_two_processes_write_the_same_bytes() -> None:
    assert hashes(__name__, "1") == hashes(__name__, "2")


def test_a_module_needs_trust_and_a_tensor_does_not(tmp_path: Path) -> None:
    needs_trust(torch.nn.Linear(1, 1), tmp_path)
    needs_trust({"model": torch.nn.Linear(1, 1)}, tmp_path / "inside")
    save(torch.ones(2), tmp_path / "tensor")
    reader = by_name(TENSOR)(str(tmp_path / "tensor"))
    reader.trusted = False
    assert reader.load(object).tolist() == [1, 1]
    assert not reader.runs_code


@pytest.mark.parametrize("name", ["tensor", "module", "state"])
def test_cut_files(name: str, tmp_path: Path) -> None:
    refuses_cut_files(samples()[name], tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "load"},
        {"dtype": "float64"},
        {"data": "missing"},
        {"shape": [7]},
        {"order": [5, 5]},
        {"stride": [1000, 1], "offset": 0},
        {"stride": [1, 1], "offset": -1},
        {"stride": [3, 1], "offset": 2**40},
        {"requires_grad": "yes", "type": "Parameter", "dtype": "int8"},
    ],
    ids=str,
)
def test_false_descriptions(change: dict[str, Any], tmp_path: Path) -> None:
    save(torch.arange(6.0).reshape(2, 3), tmp_path)
    path = tmp_path / "tensor.json"
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps({"tensor": document["tensor"] | change}))
    with pytest.raises(MaterializerError):
        by_name(TENSOR)(str(tmp_path)).load(object)
