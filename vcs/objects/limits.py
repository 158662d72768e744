"""How large what is read may be: a stored record may come from a stranger, and must not cost more than a second.

Writers keep to the same limits, so that nothing is stored that no reader takes. Described in docs/format/objects.md.
"""

from __future__ import annotations

MAX_RECORD = 32 << 20
"""Bytes of a record: decoding takes several times as much memory."""

MAX_ITEMS = 2_000_000
"""Commas and opening brackets in a record, in its texts too: two bytes of JSON can make an object of seventy."""

MAX_DEPTH = 200
"""Nesting of JSON: parsers recurse, and a stack that overflows ends the process."""

MAX_INT = 2**53 - 1
"""The greatest integer that every JSON reader reads exactly."""

MAX_VALUE_DEPTH = 180
"""Nesting of a typed value, in JSON: the record around it needs some levels of its own."""

MAX_KEY_DEPTH = 40
"""Nesting of what stands in a set or is a key, in JSON: each level around it sorts and hashes it again."""

MAX_ALIKE = 64
"""Elements of one set, or keys, with the same hash: Python compares each with all others."""

MAX_DIGITS = 4300
"""Digits of an integer: reading takes time that grows with their square. Python's own limit."""

MAX_FLOAT = 32
"""Characters of a float: no `repr` has more than 24."""

MAX_NAME = 255
"""Bytes of a file's name in UTF-8: what Linux and macOS can write."""

MAX_TEXT = 16 << 10
"""Characters of a name, a key, a path, a tag or an author: more than anybody's, and no flood."""

MAX_REPORT = 1 << 20
"""Characters of an exception's text, and of a traceback."""

MAX_TIME = 253_402_300_799_999
"""Milliseconds since 1970 UTC until the end of the year 9999, after which calendars fail."""
