"""Live objects and the state of the process, as far as code reaches them."""
