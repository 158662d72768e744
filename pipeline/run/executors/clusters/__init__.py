"""Steps on machines that share nothing with the run's but a remote, by way of an engine that has workers there.

`executor` is the coordinator's side, with its `orders`, what goes in and out in `exchange`, and `claiming` beside other
machines that run the same. `engines` has Dask and Ray, and what is asked of either. On a worker, `worker.post` starts a
`worker.outpost` for each run, which is told the code in `sent`, and executes the run's steps in processes, as any
machine does. `messages` is what goes between the two ends.
"""
