"""Writing down what a run does, while it goes on."""
