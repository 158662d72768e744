"""Bringing in what other tools have kept: DVC and Git LFS, revision by revision of Git, and the runs of MLflow.

`bringing` makes versions of what the `keepers` say; `tracking` makes `runs` and `models` of what `mlflow` reads.
"""
