"""Steps on machines that share nothing with the run's but a remote, by way of an engine that has workers there.

`executor` is the coordinator's side, with its `orders`, what goes in and out in `exchange`, and `claiming` beside other
machines that run the same. `cluster` is what it asks of an engine; `on_dask` and `on_ray` are engines, and `switchboard`
is how what they carry comes to its run. On a worker `post` starts an `outpost` for each run, which is told the run's `session` with the `project`
and its `program`, and executes its steps in processes, as any machine does. `messages` is what goes between the two
ends; `code` says whether both have the same.
"""
