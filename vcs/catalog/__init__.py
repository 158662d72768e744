"""What is derived: it can be deleted at any time, and is made anew from what it was made of."""
