"""What runs on an engine's workers: the post there, and an outpost for each run."""
