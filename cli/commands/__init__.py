"""One module a verb, in a room by what it is for; each has a click command called `command`."""
