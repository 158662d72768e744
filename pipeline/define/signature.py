"""What a step takes and returns, read from its annotations and its source.

Annotations alone do not tell `return a, b` (two outputs) from `return pair` (one output that is a
tuple), so the `return` statements are looked at: only a tuple written out in every one of them makes
several outputs.

A function without retrievable source (typed at an older prompt, made by `exec`, a lambda) is judged by
its bytecode: several outputs when every value it returns is visibly a tuple built on the spot, else one.
"""

from __future__ import annotations

import ast
import dis
import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from artvcs.vcs import InvalidName

from ..errors import DefinitionError
from .artifact_config import ArtifactConfig


class Missing(enum.Enum):
    """The type of `MISSING`; an enum, so that it survives pickling and a type checker knows it."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""The default of an input that has none."""


@dataclass(frozen=True)
class Input:
    """One parameter of the function; `default` is `MISSING` when it must be given."""

    name: str
    annotation: Any
    default: Any


def as_written(entry: Input) -> str:
    """A parameter as in the source, `depth: int = 5`."""
    empty = inspect.Parameter.empty
    default = empty if entry.default is MISSING else entry.default
    annotation = empty if entry.annotation is Any else entry.annotation
    return str(inspect.Parameter(entry.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation))


@dataclass(frozen=True)
class Output:
    """One value the function returns.

    Attributes:
        name: Its name, which may hold placeholders.
        annotation: Its type, without name and configuration.
        config: What the annotation says besides the type.
        named: Whether the author gave the name.
    """

    name: str
    annotation: Any
    config: ArtifactConfig
    named: bool


@dataclass(frozen=True)
class Signature:
    """What a step takes and returns.

    Attributes:
        inputs: The parameters, in order.
        outputs: What is returned, in order; empty when nothing is.
        single: Whether the returned value is the one output; else it is a tuple of them all.
    """

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    single: bool


def read_signature(function: Callable[..., Any], what: str = "step") -> Signature:
    """Reads what `function` takes and returns.

    Args:
        function: A plain Python function; decorators made with `functools.wraps` are looked through.
        what: What the function is to be, for the messages.

    Raises:
        DefinitionError: The function cannot be used so; the message says why and what to do.
    """
    function = inspect.unwrap(function)
    subject = f"{what} {getattr(function, '__name__', function)!r}"
    if not isinstance(function, types.FunctionType):
        raise DefinitionError(f"The {subject} is not a Python function; write it with `def`.")
    _refuse_generators(function, subject)
    if what == "pipeline" and inspect.iscoroutinefunction(function):
        raise DefinitionError(f"The {subject} is async, and only says which steps there are; write a plain `def`.")
    hints = _hints(function, subject)
    outputs, single = _outputs(function, hints.get("return", MISSING), subject)
    names = [output.name for output in outputs]
    for name in names:
        if names.count(name) > 1:
            raise DefinitionError(f"The {subject} has two outputs named {name!r}; give each a name of its own.")
    return Signature(_inputs(function, hints, subject), outputs, single)


def _refuse_generators(function: types.FunctionType, subject: str) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise DefinitionError(
            f"The {subject} is a generator (it has a `yield`); collect the values and return them as a list."
        )


def _inputs(function: types.FunctionType, hints: dict[str, Any], subject: str) -> tuple[Input, ...]:
    inputs = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise DefinitionError(
                f"The {subject} takes {str(parameter).split(':')[0]}, so its inputs are not known; "
                "name each input (and if a decorator hides them, give that functools.wraps)."
            )
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise DefinitionError(
                f"The {subject} has the positional-only input {name!r}; remove the `/` from its parameters."
            )
        default = MISSING if parameter.default is parameter.empty else parameter.default
        inputs.append(Input(name, hints.get(name, Any), default))
    return tuple(inputs)


def _hints(function: types.FunctionType, subject: str) -> dict[str, Any]:
    """The function's annotations with those given as text evaluated."""
    local = {parameter.__name__: parameter for parameter in getattr(function, "__type_params__", ())}
    local.update(_closure(function))
    hints = {}
    for name, annotation in function.__annotations__.items():
        holder = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            hints.update(typing.get_type_hints(holder, function.__globals__, local, include_extras=True))
        except Exception as error:  # an annotation is any expression, so anything may be raised
            place = "return annotation" if name == "return" else f"annotation of input {name!r}"
            raise DefinitionError(
                f"The {place} of {subject}, {_spell(annotation)}, cannot be resolved ({error}); import or "
                "define what it names at the top of the module, not in a function or under TYPE_CHECKING."
            ) from error
    return hints


def _closure(function: types.FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # a local variable that has no value yet
            continue
    return found


def _spell(annotation: Any) -> str:
    return repr(annotation) if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _outputs(function: types.FunctionType, hint: Any, subject: str) -> tuple[tuple[Output, ...], bool]:
    returns = _returns(function)
    if hint is MISSING:
        return ((_output(Any, "output", subject),), True) if returns.gives_value else ((), False)
    while type(hint).__name__ == "TypeAliasType":  # `type Pair = tuple[int, int]`, new in Python 3.12
        hint = hint.__value__
    if any(hint is nothing for nothing in (types.NoneType, typing.NoReturn, typing.Never)):
        return (), False
    whole = _output(hint, "output", subject)
    described = whole.config != ArtifactConfig()
    elements = typing.get_args(whole.annotation) if typing.get_origin(whole.annotation) is tuple else ()
    if described or not elements or not _several(returns, elements, subject):
        return (whole,), True
    parts = (_output(element, f"output_{i}", subject) for i, element in enumerate(elements))
    return tuple(parts), False


def _output(hint: Any, default_name: str, subject: str) -> Output:
    """One output, from an annotation that may carry its name or an `ArtifactConfig`."""
    if typing.get_origin(hint) is not typing.Annotated:
        return Output(default_name, hint, ArtifactConfig(), named=False)
    texts = [extra for extra in hint.__metadata__ if isinstance(extra, str)]
    configs = [extra for extra in hint.__metadata__ if isinstance(extra, ArtifactConfig)]
    names = [*texts, *(config.name for config in configs if config.name is not None)]
    if len(names) > 1 or len(configs) > 1:
        raise DefinitionError(
            f"The return annotation of {subject} describes one output twice ({_spell(hint)}); "
            "keep one name and one ArtifactConfig."
        )
    config = configs[0] if configs else ArtifactConfig()
    try:
        config = replace(config, name=names[0]) if names else config
    except (DefinitionError, InvalidName) as error:
        raise DefinitionError(f"The return annotation of {subject} holds an unusable name: {error}") from None
    return Output(config.name or default_name, hint.__origin__, config, named=bool(names))


def _several(returns: _Returns, elements: tuple[Any, ...], subject: str) -> bool:
    """Whether a function annotated as a tuple of `elements` has one output for each of them."""
    if returns.opaque and not returns.lengths:
        return False
    if Ellipsis in elements or any(_is_unpacked(element) for element in elements):
        if not returns.lengths:
            return False
        raise DefinitionError(
            f"The {subject} returns a tuple written out, but its annotation leaves the length open; name the "
            "type of each output, as in tuple[int, str], or return a variable that holds the one tuple."
        )
    if returns.opaque and not all(hasattr(element, "__metadata__") for element in elements):  # each has a name
        raise DefinitionError(
            f"The {subject} returns a tuple written out in one place and another value elsewhere; write "
            "`return a, b` everywhere (several outputs), or return a variable everywhere (one output)."
        )
    for length in returns.lengths:
        if length != len(elements):
            raise DefinitionError(
                f"The {subject} returns a tuple of {length}, but its annotation says {len(elements)}; "
                "make the two agree."
            )
    return len(elements) > 1


def _is_unpacked(element: Any) -> bool:
    return typing.get_origin(element) is typing.Unpack or getattr(element, "__unpacked__", False)


@dataclass(frozen=True)
class _Returns:
    """What the `return` statements that give a value look like.

    Attributes:
        lengths: Of the tuples that are written out.
        opaque: Whether some statement returns anything else.
    """

    lengths: frozenset[int]
    opaque: bool

    @property
    def gives_value(self) -> bool:
        return self.opaque or bool(self.lengths)


def _returns(function: types.FunctionType) -> _Returns:
    body = _body(function)
    seen = set(_lengths_in_source(body)) if body is not None else set(_lengths_in_bytecode(function.__code__))
    lengths = frozenset(length for length in seen if length is not None)
    if body is None and None in seen:
        # Bytecode hides some written-out tuples (under `with`, say), so a mixture proves nothing.
        lengths = frozenset()
    return _Returns(lengths, None in seen)


def _body(function: types.FunctionType) -> list[ast.stmt] | None:
    """The statements of the function, or None when its source cannot be had."""
    try:
        source = inspect.getsource(function)
        # Not textwrap.dedent: a string over several lines may reach the left margin.
        tree = ast.parse("if True:\n" + source if source[:1].isspace() else source)
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):  # breadth first: the outermost function comes before any inside it
        if isinstance(node, ast.FunctionDef):
            return node.body if node.name == function.__code__.co_name else None
    return None


def _lengths_in_source(body: list[ast.stmt]) -> Iterator[int | None]:
    """For each value returned the length of the tuple written out, or None for anything else."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue  # what they return is their own affair
        if isinstance(node, ast.Return):
            value = node.value
            if value is None or (isinstance(value, ast.Constant) and value.value is None):
                continue
            written_out = isinstance(value, ast.Tuple) and not any(isinstance(e, ast.Starred) for e in value.elts)
            yield len(value.elts) if written_out and isinstance(value, ast.Tuple) else None
        else:
            pending.extend(ast.iter_child_nodes(node))


def _lengths_in_bytecode(code: types.CodeType) -> Iterator[int | None]:
    """The same, from the instruction before each return."""
    before = None
    for instruction in dis.get_instructions(code):
        constant = instruction.opname == "RETURN_CONST"
        if constant or instruction.opname == "RETURN_VALUE":
            source = instruction if constant or before is None else before
            if source.opname == "BUILD_TUPLE":
                yield source.arg
            elif not source.opname.endswith("_CONST"):
                yield None
            elif source.argval is not None:
                yield len(source.argval) if isinstance(source.argval, tuple) else None
        before = instruction
