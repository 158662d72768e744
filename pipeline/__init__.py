"""Steps, pipelines, materializers, code fingerprints, the cache and the runner.

Knows `artvcs.vcs`, never `artvcs.cli`. Installed as `artvcs.pipelines`.
"""
