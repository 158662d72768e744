"""Bringing in what other tools have kept: DVC and Git LFS here, revision by revision of the project's Git repository.

`tracked` says what such a tool keeps, `dvc` and `lfs` read it, `bringing` makes versions of it.
"""
