"""The content-addressed store: bytes, ids, objects, packs, refs, gc and fsck.

Knows nothing of pipelines, pandas or terminals. Start reading at `repository`.
"""
