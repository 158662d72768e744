"""Changing a repository: transactions, the journal of what has landed, recovery after a kill."""
