"""Python's own values, records, paths and text."""
