"""Pictures of stored values, made when they are asked for.

They are not stored with the artifact: making them costs more than saving the value, their bytes depend on
the versions of libraries, which an artifact's id must not, and newer code draws better. A materializer's
`save_visualizations` writes files; `make` reads them, `gallery` puts them on a page or a terminal.

Ours say what there is to say (`kinds/`) in a summary, which becomes HTML (`pages/`) and text (`terminal`).

Nothing here imports the materializers, which import this package when they are asked to draw.
"""

from __future__ import annotations

from .make import make
from .model import Visualization

__all__ = ["Visualization", "make"]
