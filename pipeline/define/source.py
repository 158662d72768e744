"""What steps take."""


class Source:
    """Something a step can take as an artifact: another step's output, or data from outside."""
