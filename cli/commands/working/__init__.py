"""Making artifacts and using them: what changes the repository or the working directory by adding to it."""
