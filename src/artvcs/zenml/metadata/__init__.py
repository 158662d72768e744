"""What can be noted."""
