"""Where steps are executed."""
