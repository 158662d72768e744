"""Hearing what is opened below a folder by code that Python does not see: readers in C or Rust, and other programs."""
