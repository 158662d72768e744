"""Values of the optional libraries, made from seeds; those of libraries that are not installed are left out."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from .strategies import arrays


def has(name: str) -> bool:
    """Whether a library is installed."""
    return importlib.util.find_spec(name) is not None


def tables() -> st.SearchStrategy[Any]:
    """pyarrow tables."""
    rows = st.lists(st.tuples(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), st.text(max_size=4)), max_size=5)
    schema = pa.schema([("number", pa.int64()), ("text", pa.string())], {"made": "here"})
    return rows.map(lambda found: pa.table([[a for a, _ in found], [b for _, b in found]], schema=schema))


def tensors() -> st.SearchStrategy[Any]:
    """torch tensors of the shapes, layouts and types that numpy has."""
    return arrays().map(_as_tensor)


def _as_tensor(array: Any) -> Any:
    import torch

    usable = array.dtype.kind in "biufc" and array.dtype.isnative and array.dtype.itemsize <= 8
    return torch.from_numpy(np.array(array)) if usable else torch.zeros(array.shape, dtype=torch.bfloat16)


def scientific(seed: int) -> Iterator[Any]:
    """Arrays, frames, images and generators of random numbers."""
    random = np.random.default_rng(seed)
    yield random
    yield np.random.RandomState(seed)
    yield np.ma.MaskedArray(random.normal(size=3), mask=random.random(3) > 0.5)
    if has("scipy"):
        import scipy.sparse

        yield scipy.sparse.random_array((4, 5), density=0.4, format=("csr", "csc", "coo")[seed % 3], rng=seed)
    if has("polars"):
        import polars

        yield polars.DataFrame({"a": random.integers(0, 9, 3), "b": [str(seed), None, "x"]})
    if has("PIL"):
        import PIL.Image

        yield PIL.Image.fromarray(random.integers(0, 255, (3, 4, 3), dtype=np.uint8))


def documents(seed: int) -> Iterator[Any]:
    """Figures and datasets."""
    random = np.random.default_rng(seed)
    if has("plotly"):
        import plotly.graph_objects as go

        yield go.Figure(go.Scatter(x=random.normal(size=4), y=[seed, None, 1, 2]))
    if has("datasets"):
        import datasets

        yield datasets.Dataset.from_dict({"a": random.normal(size=3), "b": [str(seed), None, "x"]})


def samples(seed: int) -> tuple[Any, Any]:
    """What models are fitted to."""
    points = np.random.default_rng(seed).normal(size=(40, 3))
    return points, (points[:, 0] > 0).astype(int)


def models(seed: int) -> Iterator[Any]:
    """Fitted models."""
    points, answers = samples(seed)
    if has("skops"):
        from sklearn import ensemble, linear_model, neighbors

        yield linear_model.LogisticRegression().fit(points, answers)
        yield ensemble.RandomForestClassifier(2, random_state=seed).fit(points, answers)
        yield neighbors.KNeighborsClassifier(2).fit(points, answers)
    if has("xgboost"):
        import xgboost

        yield xgboost.XGBClassifier(n_estimators=2, random_state=seed).fit(points, answers)
    if has("lightgbm"):
        import lightgbm

        yield lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, n_jobs=1).fit(points, answers)


def networks(seed: int) -> Iterator[Any]:
    """Keras and Hugging Face models."""
    if has("keras"):
        import keras

        keras.utils.disable_interactive_logging()
        layers = [keras.layers.Input((3,)), keras.layers.Dense(2 + seed % 3)]
        yield keras.Sequential(layers, name="model")
    if has("transformers"):
        import transformers

        sizes: dict[str, Any] = {
            "n_layer": 1,
            "n_head": 2,
            "n_embd": 8,
            "vocab_size": 20,
            "bos_token_id": 0,
            "eos_token_id": 1,
        }
        yield transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes))
        yield transformers.GPT2Config(**sizes, resid_pdrop=seed / 100)


def modules(seed: int) -> Iterator[Any]:
    """torch modules and their states."""
    if has("torch") and has("safetensors"):
        import torch

        torch.manual_seed(seed)
        module = torch.nn.Sequential(torch.nn.Linear(2 + seed % 3, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout())
        yield module
        yield module.state_dict()


def figures(seed: int) -> Iterator[Any]:
    """matplotlib figures."""
    if has("matplotlib"):
        from matplotlib.figure import Figure

        figure = Figure()
        figure.subplots().plot(np.random.default_rng(seed).normal(size=9))
        yield figure
