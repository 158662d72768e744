"""Finding versions and runs: by what people call them, and what conditions they meet."""
