"""What is said about steps and pipelines besides their code, in Python or in a file."""
