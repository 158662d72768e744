"""Values against annotations: whether they fit, what they are coerced to, and how plain values are written down."""
