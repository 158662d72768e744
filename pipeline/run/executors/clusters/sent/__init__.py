"""The code that goes along with a run: its session, files, the program, and whether both ends have the same."""
