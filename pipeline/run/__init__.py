"""Running a pipeline: the order of its steps, their inputs, execution, context, log and progress."""
