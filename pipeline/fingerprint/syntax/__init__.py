"""Reading code: what it says, and which names it uses."""
