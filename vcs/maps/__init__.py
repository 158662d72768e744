"""Ordered maps kept as Merkle trees: the refs of a repository, and the folders of an artifact."""
