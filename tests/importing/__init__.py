"""What other tools have kept becomes versions: `art import`."""
