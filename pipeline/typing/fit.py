"""Does a value fit its annotation, all the way down? And numbers made as wide as it says.

One walk does both: builtin containers, unions, literals and classes are looked at here, because a
number inside may have to be widened; every other annotation (protocols, callables, typed
dictionaries, …) is a leaf of the walk and left to typeguard, which is imported only then.
"""

from __future__ import annotations

import copy
import inspect
import sys
import types
import typing
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import TypeMismatch

# Exact types: a subclass may not be made anew from its items, so its contents are only looked at.
_ITEMS = (list, tuple, set, frozenset, deque)
_DICTS = (dict, OrderedDict, defaultdict)
# Each of Python's numbers, with what may be given instead: classes, and kinds of numpy's scalars.
NUMBERS: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((), "b"),
    int: ((), "iu"),  # not "m": numpy counts a time span as an integer
    float: ((int,), "iuf"),
    complex: ((int, float), "iufc"),
}


class Misfit(Exception):
    """A value, or something inside it, is not what its annotation says.

    Attributes:
        expected: What should be there.
        found: What is there.
        path: Where, from the outside in, as in `["key 'a'", "item 3"]`.
    """

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(expected, found)
        self.expected = expected
        self.found = found
        self.path: list[str] = []

    def inside(self, place: str) -> Misfit:
        """The same misfit, seen from the container it is in."""
        self.path.insert(0, place)
        return self

    def __str__(self) -> str:
        place = " of ".join(reversed(self.path))
        return f"{place} is {self.found} instead of {self.expected}" if place else f"it is {self.found}"


def check(value: Any, annotation: Any, what: str) -> Any:
    """Checks a step's input or output, contents included.

    Args:
        value: The value.
        annotation: Its type; anything that is not a type is accepted as if it were not there.
        what: The value's name in a message, as in "output 'train' of step 'split'".

    Returns:
        The value. It is a changed copy only where a number had to become the one that was declared (an
        int a float, a numpy scalar a number of Python's).

    Raises:
        TypeMismatch: The value does not fit; the message says where.
    """
    try:
        return fit(value, annotation)
    except Misfit as misfit:
        raise TypeMismatch(
            f"{capitalised(what)} is declared as {spell(annotation)}, but {misfit}; "
            "make the value fit, or change the annotation."
        ) from None


def fit(value: Any, annotation: Any) -> Any:
    """The value as the annotation wants it.

    Raises:
        Misfit: It does not fit.
    """
    annotation = bare(annotation)
    if accepts_all(annotation):
        return value
    if isinstance(annotation, type):
        return _fit_class(value, annotation)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return first_fit(value, annotation, fit)
    if origin is typing.Literal:
        return fit_literal(value, annotation)
    arguments = typing.get_args(annotation)
    if arguments and is_container(origin) and isinstance(value, origin):
        if type(value) in _DICTS and issubclass(origin, Mapping):
            return _fit_dict(value, *arguments)
        if type(value) in _ITEMS:
            if origin is tuple and Ellipsis not in arguments:
                return _fit_each(value, arguments, annotation)
            return _fit_all(value, arguments[0])
    return _fit_other(value, annotation)


def is_container(origin: Any) -> bool:
    """Whether the origin of a generic annotation is Python's own: its arguments are what is inside."""
    return isinstance(origin, type) and origin.__module__ in ("builtins", "collections", "collections.abc")


def bare(annotation: Any) -> Any:
    """The annotation without `Annotated`, `NewType`, `Required` and aliases around it."""
    if annotation is None:
        return types.NoneType
    if isinstance(annotation, typing.NewType):
        return bare(annotation.__supertype__)
    if type(annotation).__name__ == "TypeAliasType":
        return bare(annotation.__value__)
    if type(typing.get_origin(annotation)).__name__ == "TypeAliasType":  # an alias with arguments, as NDArray[...]
        return bare(typing.get_origin(annotation).__value__[typing.get_args(annotation)])
    if typing.get_origin(annotation) in (typing.Annotated, typing.Required, typing.NotRequired):
        return bare(typing.get_args(annotation)[0])
    return annotation


def accepts_all(annotation: Any) -> bool:
    """Whether a bare annotation says nothing about the value."""
    if annotation is Any or annotation is object or annotation is inspect.Parameter.empty:
        return True
    return isinstance(annotation, str | typing.TypeVar | typing.ForwardRef)


def fit_at(place: str, value: Any, annotation: Any, fitting: Callable[[Any, Any], Any] = fit) -> Any:
    """The value as the annotation wants it, where a misfit says that it was found at `place`.

    Raises:
        Misfit: It does not fit.
    """
    try:
        return fitting(value, annotation)
    except Misfit as misfit:
        raise misfit.inside(place) from None


def _fit_class(value: Any, cls: type) -> Any:
    if getattr(cls, "_is_protocol", False) or typing.is_typeddict(cls):
        return _fit_other(value, cls)
    if cls in NUMBERS:
        return fit_number(value, cls)
    if isinstance(value, cls):
        return value
    raise Misfit(spell(cls), describe(value))


def fit_number(value: Any, cls: type) -> Any:
    """The number of one of Python's own types, `cls`, that equals `value`; of a subclass, if that is what it has.

    Raises:
        Misfit: `value` is no number, or digits would be lost. A bool is no number here.
    """
    narrower, kinds = NUMBERS[cls]
    if _is_numpy(type(value)):
        fits, plain = value.dtype.kind in kinds, value.item()  # numpy itself compares as floats, which loses digits
    else:
        if isinstance(value, cls) and _is_number(type(value), cls):
            return value
        fits, plain = isinstance(value, narrower) and not isinstance(value, bool), value
    if not fits:
        raise Misfit(spell(cls), describe(value))
    try:
        number = cls(plain)
    except OverflowError:
        raise Misfit(spell(cls), "an int too large for it") from None
    if number == plain or plain != plain:  # NaN differs from itself
        return number
    raise Misfit(spell(cls), f"{describe(value)}, which would lose digits")


def _is_number(cls: type, number: type) -> bool:
    """Whether instances of `cls`, a subclass of `number`, count as such; numpy's, and a bool for an int, do not."""
    return not _is_numpy(cls) and (cls is not bool or number is bool)


def _is_numpy(cls: type) -> bool:
    numpy = sys.modules.get("numpy")  # where numpy was not imported, there are no values of it
    return numpy is not None and issubclass(cls, numpy.generic)


def first_fit(value: Any, union: Any, fitting: Callable[[Any, Any], Any]) -> Any:
    """What the first member of a union makes of `value`; one that takes it unchanged comes first.

    Raises:
        Misfit: No member takes it.
    """
    changed, misfits = [], []
    for member in typing.get_args(union):
        try:
            fitted = fitting(value, member)
        except Misfit as misfit:
            misfits.append(misfit)
            continue
        if fitted is value:
            return value
        changed.append(fitted)
    if changed and _is_numpy(type(value)):  # an integer of numpy's is an int before it is a float
        return next((fitted for fitted in changed if type(fitted) is type(value.item())), changed[0])
    if changed:
        return changed[0]
    # A member whose container fits is the one that was meant: say what is wrong inside.
    inner = [misfit for misfit in misfits if misfit.path]
    raise inner[0] if len(inner) == 1 else Misfit(spell(union), describe(value))


def fit_literal(value: Any, annotation: Any) -> Any:
    """The value, when it is one of a `Literal`'s.

    Raises:
        Misfit: It is none of them; `True` is not `1`.
    """
    for choice in typing.get_args(annotation):
        if type(choice) is type(value) and choice == value:
            return value
    raise Misfit(spell(annotation), describe(value))


def _fit_all(items: Any, annotation: Any) -> Any:
    """A list, tuple or set whose items all have one annotation."""
    annotation = bare(annotation)
    if _all_pass(items, annotation):
        return items
    return _rebuilt(items, [fit_at(f"item {i}", item, annotation) for i, item in enumerate(items)])


def _fit_each(items: Any, annotations: tuple[Any, ...], whole: Any) -> Any:
    """A tuple whose items have an annotation each."""
    if any(getattr(each, "__unpacked__", False) for each in annotations):
        return _fit_other(items, whole)
    if len(items) != len(annotations):
        raise Misfit(spell(whole), f"a tuple of {len(items)}")
    pairs = zip(items, annotations, strict=True)
    return _rebuilt(items, [fit_at(f"item {i}", item, each) for i, (item, each) in enumerate(pairs)])


def _fit_dict(value: dict[Any, Any], of_keys: Any, of_values: Any) -> Any:
    of_keys, of_values = bare(of_keys), bare(of_values)
    if _all_pass(value, of_keys) and _all_pass(value.values(), of_values):
        return value
    fitted = {
        fit_at(f"the key {short(key)}", key, of_keys): fit_at(f"the value of key {short(key)}", item, of_values)
        for key, item in value.items()
    }
    pairs = zip(value.items(), fitted.items(), strict=True)
    if all(old[0] is new[0] and old[1] is new[1] for old, new in pairs):
        return value
    changed = copy.copy(value)  # keeps what else the dict knows, such as its default
    changed.clear()
    changed.update(fitted)
    return changed


def _all_pass(items: Iterable[Any], annotation: Any) -> bool:
    """Whether all items are instances of the annotation's classes: a million are seen in 20 ms."""
    return all(_class_passes(cls, annotation) for cls in set(map(type, items)))


def _class_passes(cls: type, annotation: Any) -> bool:
    annotation = bare(annotation)
    if accepts_all(annotation):
        return True
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_class_passes(cls, member) for member in typing.get_args(annotation))
    if not isinstance(annotation, type) or annotation not in cls.__mro__:
        return False
    return annotation not in NUMBERS or _is_number(cls, annotation)


def _rebuilt(items: Any, fitted: list[Any]) -> Any:
    """A container like `items`; `items` itself when nothing in it changed."""
    if all(old is new for old, new in zip(items, fitted, strict=True)):
        return items
    return deque(fitted, items.maxlen) if isinstance(items, deque) else type(items)(fitted)


def _fit_other(value: Any, annotation: Any) -> Any:
    import typeguard  # 100 ms, and most annotations never come here

    try:
        typeguard.check_type(
            value,
            annotation,
            forward_ref_policy=typeguard.ForwardRefPolicy.IGNORE,
            collection_check_strategy=typeguard.CollectionCheckStrategy.ALL_ITEMS,
        )
    except typeguard.TypeCheckError as error:
        raise Misfit(spell(annotation), f"{describe(value)} ({error})") from None
    except TypeError:
        return value  # not a type, as in `data: 3`: there is nothing to check against
    return value


def spell(annotation: Any) -> str:
    """The annotation as its author would write it."""
    return "None" if annotation is types.NoneType else inspect.formatannotation(annotation)


def describe(value: Any) -> str:
    """The value in a message: its type, and the value itself where that is short."""
    if value is None:
        return "None"
    name = type(value).__qualname__
    article = "an" if name[0].lower() in "aeiou" else "a"
    shown = f" ({short(value)})" if isinstance(value, bool | int | float | str) else ""
    return f"{article} {name}{shown}"


def short(value: Any) -> str:
    """The value's representation, cut to what a line can hold."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "a very large number"
    return text if len(text) <= 40 else f"{text[:37]}..."


def capitalised(text: str) -> str:
    """The text with a capital first letter, to begin a sentence."""
    return text[:1].upper() + text[1:]
