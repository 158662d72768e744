"""From one name to everything that it reaches, and the id of that."""
