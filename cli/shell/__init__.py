"""What a shell asks while somebody types."""
