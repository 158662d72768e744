"""When a step need not run: its key, the decision, claims on keys, and why it was decided so."""
