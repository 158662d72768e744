"""Bringing in what other tools have kept: DVC and Git LFS, revision by revision of Git, and the runs of MLflow.

`planning` finds what is new of what the `keepers` say, and `bringing` makes versions and runs of it; `tracking` makes
`runs` and `models` of what `mlflow` reads.
"""
