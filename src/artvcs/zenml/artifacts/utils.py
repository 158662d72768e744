"""Saving, loading and noting."""

from .._meaning.noting import load_artifact, log_artifact_metadata, register_artifact, save_artifact

__all__ = ["load_artifact", "log_artifact_metadata", "register_artifact", "save_artifact"]
