"""pandas: frames, series, indexes and what they are made of."""
