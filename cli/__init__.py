"""The `art` command. All terminal output of the project lives here; the library below never prints."""
