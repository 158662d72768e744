"""Dask as an engine, see https://distributed.dask.org: the coordinator's side, and what its workers do."""
