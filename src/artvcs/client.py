"""Reading and changing what pipelines made: `from artvcs.client import Client`."""

from artvcs.pipelines.client import Client

__all__ = ["Client"]
