"""Repositories elsewhere: where they are, how their files are reached, what can be relied on there."""
