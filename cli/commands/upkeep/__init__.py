"""Keeping a repository small and sound: deleting, freeing space, checking and mending."""
