"""What a folder of the user's holds: listed ahead, compared with what was known, put into the repository."""
