"""Names: placeholders in them, what an artifact may be called, and the names given by default.

A template such as `"{dataset}_data"` gets its values from the user's `substitutions`; `{date}` and
`{time}` are always there. Nothing but a bare name may stand between the braces: a template is data,
and `{x.__class__}` would let it reach into objects.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Mapping
from datetime import UTC, datetime

from artvcs.vcs import InvalidName

from ..errors import DefinitionError

MAX_NAME_BYTES = 255
DEFAULT_RUN_NAME = "{pipeline}-{date}-{time}"

# Control characters and line breaks garble a terminal, and the overrides of text direction make one
# name look like another.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_REFUSED_DIRECTIONS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
# `@` separates a name from its version, slashes separate the parts of a ref.
_SEPARATORS = "@/\\"


def substitute(template: str, substitutions: Mapping[str, str], started: datetime) -> str:
    """Fills the placeholders of a name.

    Args:
        template: The name, as in `"{kind}_data_{date}"`; `{{` and `}}` stand for braces.
        substitutions: The user's own placeholders; they may replace `date` and `time`.
        started: When the run started; without a time zone it is taken as UTC.

    Raises:
        DefinitionError: A placeholder has no value, its value is not text, or the braces are malformed.
    """
    values: dict[str, str] = {**_moments(started), **substitutions}
    pieces = []
    for literal, name in _parse(template):
        pieces.append(literal)
        if name is not None:
            pieces.append(_value(template, name, values))
    return "".join(pieces)


def placeholders(template: str) -> set[str]:
    """The names between the braces of `template`.

    Raises:
        DefinitionError: The braces are malformed or hold more than a name.
    """
    return {name for _, name in _parse(template) if name is not None}


def _moments(started: datetime) -> dict[str, str]:
    moment = started.replace(tzinfo=UTC) if started.tzinfo is None else started.astimezone(UTC)
    return {"date": moment.strftime("%Y_%m_%d"), "time": moment.strftime("%H_%M_%S_%f")}


def _value(template: str, name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        known = ", ".join(f"{{{each}}}" for each in sorted(values))
        raise DefinitionError(
            f"The name {template!r} uses the placeholder {{{name}}}, which has no value (known: {known}); "
            f"define it with substitutions={{{name!r}: ...}} on the step or the pipeline."
        )
    value = values[name]
    if not isinstance(value, str):
        raise DefinitionError(
            f"The placeholder {{{name}}} of the name {template!r} has a value of type "
            f"{type(value).__name__}; give text in substitutions={{{name!r}: ...}}."
        )
    return value


def _parse(template: str) -> list[tuple[str, str | None]]:
    """Pairs of literal text and the placeholder after it."""
    import string  # costs as much as all of this module, which every command imports

    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise DefinitionError(
            f"The braces in the name {template!r} are malformed ({error}); write a placeholder as "
            "{name}, and a brace that is meant as such twice."
        ) from None
    for _, name, form, conversion in parts:
        if name is not None and (form or conversion or not name.isidentifier()):
            raise DefinitionError(
                f"The name {template!r} holds more than a plain name between braces; "
                "only placeholders such as {date} are allowed there."
            )
    return [(literal, name) for literal, name, _, _ in parts]


def check_artifact_name(name: str) -> str:
    """The name as it is stored, in Unicode's composed form (NFC).

    Raises:
        InvalidName: No artifact can be called so; the message says why.
    """
    return check_name(name, "artifact name")


def check_name_template(template: str, noun: str = "artifact name") -> str:
    """The template as given, when its placeholders are well-formed and its own text can stand in a name.

    Raises:
        DefinitionError: The braces are malformed.
        InvalidName: No value of the placeholders could make this a name.
    """
    check_name("".join(literal + ("x" if name else "") for literal, name in _parse(template)), noun)
    return template


def check_name(name: str, noun: str) -> str:
    """The same rules as for artifact names, for the name of something else.

    Args:
        name: The name to look at.
        noun: What kind of name it is, for the message.

    Raises:
        InvalidName: The name breaks a rule.
    """
    if not isinstance(name, str):
        raise InvalidName(f"The {noun} {name!r} is no text; give one.")
    normal = unicodedata.normalize("NFC", name)
    problem = _problem(normal)
    if problem:
        raise InvalidName(f"The {noun} {name!r} {problem}; choose another name.")
    return normal


def _problem(name: str) -> str | None:
    if not name:
        return "is empty"
    if name in (".", ".."):
        return "means a folder"
    if name != name.strip():
        return "starts or ends with a space"
    for char in name:
        if char in _SEPARATORS:
            return f"contains {char!r}"
        if unicodedata.category(char) in _REFUSED_CATEGORIES:
            return f"contains the control character {char!r}"
        if unicodedata.bidirectional(char) in _REFUSED_DIRECTIONS:
            return f"contains the text direction mark {char!r}"
    if len(name.encode("utf-8")) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    return None


def default_artifact_name(pipeline: str, step: str, output: str) -> str:
    """What an output without a name of its own is stored as: `pipeline::step::output`.

    Raises:
        InvalidName: The three together make no artifact name.
    """
    return check_artifact_name(f"{pipeline}::{step}::{output}")


def invocation_id(step_name: str, taken: Container[str], number: int = 1) -> str:
    """The id of one more use of a step in a pipeline: `bump`, `bump_2`, `bump_3`, and so on.

    Args:
        step_name: What the step is called.
        taken: The ids there are.
        number: The first to try; those before it are known to be taken.
    """
    while (candidate := step_name if number == 1 else f"{step_name}_{number}") in taken:
        number += 1
    return candidate


def run_name(template: str | None, pipeline: str, substitutions: Mapping[str, str], started: datetime) -> str:
    """The name of a run, from its template or as `{pipeline}-{date}-{time}`.

    Besides the placeholders of `substitute` a template may hold `{pipeline}`.

    Raises:
        DefinitionError: The template cannot be filled.
        InvalidName: What comes out cannot be a name.
    """
    values = {"pipeline": pipeline, **substitutions}
    name = substitute(DEFAULT_RUN_NAME if template is None else template, values, started)
    return check_name(name, "run name")
