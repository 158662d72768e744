"""Figures against peers, measured side by side in one run. `make bench` runs all of them.

Ratios count, not seconds: the machine is never quiet. Nothing here is a test and nothing asserts a time.
"""
