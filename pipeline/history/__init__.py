"""Reading what was written down: versions, runs and their steps; finding, choosing and deleting them."""
