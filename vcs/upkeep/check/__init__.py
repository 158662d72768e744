"""Checking: everything that lies in a repository, read once, and what is wrong with it."""
