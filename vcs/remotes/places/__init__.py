"""Places for files elsewhere: how they are written down, reached, and found out about."""
