"""Git for what pipelines make."""

__version__ = "0.1.0"
