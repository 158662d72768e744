"""Looking: verbs that change nothing."""
