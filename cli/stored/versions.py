"""What a version is, in a word: the same wherever it is listed or shown."""

from __future__ import annotations

from artvcs.pipelines.history.views import ArtifactVersion


def kind(version: ArtifactVersion) -> str:
    """The last part of its type's name; `model` or `path` for what is no value of Python's."""
    return type_of(version).rpartition(".")[2]


def type_of(version: ArtifactVersion) -> str:
    """The whole name of its type, but for what Python has built in; `model` or `path` as `kind`."""
    if version.record.origin == "model":
        return "model"
    return "path" if version.type.rpartition(".")[2] == "PosixPath" else version.type.removeprefix("builtins.")
