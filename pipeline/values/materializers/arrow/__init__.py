"""Tables as Parquet and Arrow IPC: pyarrow, polars, datasets."""
