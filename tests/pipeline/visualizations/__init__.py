"""Pictures of stored values."""
