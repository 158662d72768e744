"""One module a verb; each has a click command called `command`."""
