"""What there is to say about a value of each kind, as a summary."""
