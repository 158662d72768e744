"""Which file was written last, where a step asks for that: running a hit would have made its files the newest."""

from __future__ import annotations

import os
import re
import time

_NO_DIGITS = re.compile(r"\D")
_FORMS = ("%Y%m%d", "%y%m%d", "%d%m%Y", "%H%M%S", "%m%d%H%M")
_THOUSANDS = 3
"""So many digits of the seconds since 1970 may have passed between the making of a name and that of its file."""


def is_named_by_time(path: str) -> bool:
    """Whether the name of a file or folder tells when it was made: another execution would have made another one."""
    digits, moment = _NO_DIGITS.sub("", os.path.basename(path)), written(path) / 1e9
    if str(int(moment))[:-_THOUSANDS] in digits and len(digits) >= len(str(int(moment))):
        return True
    return any(time.strftime(form, of(moment)) in digits for of in (time.localtime, time.gmtime) for form in _FORMS)


def written(path: str) -> int:
    """When something was written, as nanoseconds since 1970; -1 of what is not there."""
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return -1
