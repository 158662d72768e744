"""Sharing: verbs that bring what others made, and send what was made here."""
