"""Steps in processes of this machine: a pool whose workers are forked from a process that is as the coordinator was.

`pool` is the executor, `foreman` who hands out tasks for it, `host` the process that workers are forked from with its
`link`, `worker` one of these with its `place`, and `channel` what goes between them.
"""
