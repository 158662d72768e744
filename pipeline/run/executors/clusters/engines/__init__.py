"""The engines that a run can be executed on: what is asked of one, and those there are."""
