"""Packages that read files in C or Rust, without Python's seeing it."""

from __future__ import annotations

from collections.abc import Iterable

_READERS = frozenset(
    [
        *("SimpleITK", "av", "catboost", "chdb", "ctranslate2", "cv2", "cyvcf2", "daft", "datafusion", "decord"),
        *("deltalake", "duckdb", "faiss", "fastparquet", "fasttext", "fiona", "fitz", "gemmi", "h5py", "igraph"),
        *("lance", "lightgbm", "llama_cpp", "lxml", "netCDF4", "onnxruntime", "openslide", "osgeo", "polars"),
        "pyarrow",
        *("pymupdf", "pyogrio", "pypdfium2", "pyreadstat", "pysam", "rasterio", "rdkit", "safetensors", "scipy.io"),
        *("sentencepiece", "simdjson", "soundfile", "tables", "tensorflow", "tokenizers", "torchaudio", "torchvision"),
        *("vtk", "xgboost"),
    ]
)
_TAKING = frozenset({"pandas", *(each.partition(".")[0] for each in _READERS)})
"""Those whose code is given paths, by their top-level names; pandas hands them on."""


def is_reader(dotted: str) -> bool:
    """Whether a module is of such a package."""
    while dotted and dotted not in _READERS:
        dotted = dotted.rpartition(".")[0]
    return bool(dotted)


def is_any_loaded(modules: Iterable[str]) -> bool:
    """Whether any of these is among loaded modules."""
    return not _READERS.isdisjoint(modules)


def takes_paths(package: str) -> bool:
    """Whether a package hands paths to such code: by its top-level name."""
    return package in _TAKING
