"""One execution of a step: what is to be done, where it is done, and what comes of it."""
