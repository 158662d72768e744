"""What an execution is seen to use, and whether that is still the same: the key finds a result, its trace decides.

Build systems call this a verifying trace (Shake; Mokhov, Mitchell, Peyton Jones: Build Systems à la Carte, 2018). While
a step runs, `recording` notes the files and variables it reads, the programs it starts, the code it enters that its
text does not lead to. With the live values that its code reaches (see `fingerprint.live.state`) that makes its `Trace`.
"""
