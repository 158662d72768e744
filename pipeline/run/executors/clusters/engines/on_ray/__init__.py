"""Ray as an engine, see https://docs.ray.io: the coordinator's side, and what its workers do."""
