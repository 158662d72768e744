"""Where steps run. The one seam is `concurrent.futures.Executor`."""

from .inline import InlineExecutor

__all__ = ["InlineExecutor"]
