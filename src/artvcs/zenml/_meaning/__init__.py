"""What those of ZenML's names do here that are not a module's of their own."""
