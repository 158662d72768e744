"""Callbacks that register each checkpoint of a training as a version of one artifact, while it goes on.

One module for each framework, imported only by who uses it: `lightning`, `huggingface`, `keras`.
"""
