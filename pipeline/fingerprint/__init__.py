"""The transitive fingerprint of a step's code: one id over all of the user's own code that it reaches.

Comments, formatting and docstrings do not count, nor does where the project lies, how its file was
loaded, or which Python runs it. Third-party packages count by version.
"""

from .compare import Change, PartLike, compare
from .compute import fingerprint, follow
from .followed import Followed
from .followed import lock as following
from .live.installed import own_file, own_modules
from .live.state import ABSENT, UNLOADED, Name, State
from .live.surroundings import is_setting
from .model import HOW_WRITTEN, Fingerprint, Part, Reach, Unfollowed, digest, from_json, to_json
from .project.locate import TOOL_FOLDER, import_root, is_own, project_root, stated
from .project.module import is_main_test
from .project.packages import version as package_version
from .project.packages import versions as package_versions
from .project.sources import stamp
from .reach.acting import SEEDING

__all__ = [
    "ABSENT",
    "HOW_WRITTEN",
    "SEEDING",
    "TOOL_FOLDER",
    "UNLOADED",
    "Change",
    "Fingerprint",
    "Followed",
    "Name",
    "Part",
    "PartLike",
    "Reach",
    "State",
    "Unfollowed",
    "compare",
    "digest",
    "fingerprint",
    "follow",
    "following",
    "from_json",
    "import_root",
    "is_main_test",
    "is_own",
    "is_setting",
    "own_file",
    "own_modules",
    "package_version",
    "package_versions",
    "project_root",
    "stamp",
    "stated",
    "to_json",
]
