"""A value's way into the store and back: materializers, visualizations, and whose code may run."""
