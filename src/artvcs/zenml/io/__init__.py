"""Files by their paths."""
