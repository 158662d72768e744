"""What is stored, as the verbs show it: histories, runs, an artifact's files."""
