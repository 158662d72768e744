"""The transitive fingerprint of a step's code: one id over all of the user's own code that it reaches.

Comments, formatting and docstrings do not count, nor does where the project lies, how its file was
loaded, or which Python runs it. Third-party packages count by version.
"""

from .compare import Change, PartLike, compare
from .compute import fingerprint
from .model import Fingerprint, Part, Reach, Unfollowed, from_json, to_json

__all__ = [
    "Change",
    "Fingerprint",
    "Part",
    "PartLike",
    "Reach",
    "Unfollowed",
    "compare",
    "fingerprint",
    "from_json",
    "to_json",
]
