"""Keeping a repository small and sound: garbage collection and checking."""
