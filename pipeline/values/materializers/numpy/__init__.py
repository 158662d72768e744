"""numpy and scipy: arrays of every kind, scalars, polynomials, sources of chance."""
