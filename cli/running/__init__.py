"""The user's file: loading it, and looking around where it failed."""
