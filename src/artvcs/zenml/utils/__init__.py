"""ZenML's helpers that mean something here."""
