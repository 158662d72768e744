"""What other tools keep beside Git: DVC and Git LFS, of which Git itself has small files that stand for the others.

`tracked` says what such a tool keeps; `dvc` and `lfs` read it from any revision, and find the files: DVC's in the
`cache`. What is made of it is told by `importing`.
"""
