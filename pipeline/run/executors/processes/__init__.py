"""Steps in processes of this machine: a pool whose workers are forked from a process that is as the coordinator was.

`pool` is the coordinator's end, `host` the process that workers are forked from, `worker` one of these, and `channel`
what goes between them.
"""
