"""Files and folders of the user ↔ blobs and trees.

What is stored may come from a hostile repository: names are checked (`objects.check_entry_name`), links may not lead
out of the tree, and nothing is written through a link. Nothing is overwritten that cannot be had again.
"""

from ..catalog.stat_cache import StatCache
from ..maps.trees import inside
from .add import add_folder, add_path
from .checkout import checkout, write_tree
from .comparing import Difference, compare
from .files.databases import is_database
from .files.file_ids import FileIds
from .files.reading import file_id, signature
from .held import add_held, read_held
from .placed import Placed, Places
from .staging import clean_up
from .trees import MAX_DEPTH, Progress, entries, extent, is_stored, measure, no_progress, stored

__all__ = [
    "MAX_DEPTH",
    "Difference",
    "FileIds",
    "Placed",
    "Places",
    "Progress",
    "StatCache",
    "add_folder",
    "add_held",
    "add_path",
    "checkout",
    "clean_up",
    "compare",
    "entries",
    "extent",
    "file_id",
    "inside",
    "is_database",
    "is_stored",
    "measure",
    "no_progress",
    "read_held",
    "signature",
    "stored",
    "write_tree",
]
