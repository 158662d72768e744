"""A model of the commit point and of the collection of garbage: random interleavings, from a seed.

Actors (writers, readers, collectors) are generators that yield each request to a simulated store, so that
anything may happen between any two requests of one actor. There is no clock: an actor may sleep while others
make a hundred commits and clean up. A protocol is a set of rules, and each rule can be left out: the tests
show that the whole set holds, and that without a rule the model finds what breaks.

- `world.py`: the store, its faults, the scheduler
- `history.py`: what really happened, as an all-seeing observer writes it down, and what must hold
- `log_design.py`, `register_design.py`: the two designs of the commit point
- `gc_design.py`: writers that reuse what is stored, readers with leases, collectors, on either commit point
- `scenarios.py`: who takes part in a run

What came out is told in `docs/commit-point-model.md`.
"""
