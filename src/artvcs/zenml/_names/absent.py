"""What belongs to ZenML's stacks, servers and containers, of which there are none here.

What only says where or with what ZenML would run something is taken and passed over, with one warning. What would do
something itself is there to be imported, annotated with and compared; whoever uses it is told what to do instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn

from artvcs.pipelines.errors import IgnoredSetting, PipelineError
from artvcs.vcs.tracebacks import warn

from .flavours import text_of
from .installed import get_tracking_uri

PACKAGE = "artvcs.zenml"

_SAYS_ONLY = re.compile(
    r"(Settings|Config|Configuration|Spec|Parameters|Params|Payload|ColumnMapping|Metadata|Options|Schedule|Flavor)$"
)
"""How those classes end whose objects say something and do nothing."""

_INSTEAD = (
    (r"ModelDeployer|DeploymentService|_deployer|Service$", "deploy the stored files: `art checkout NAME@production`"),
    (r"ExperimentTracker|experiment_tracker", "note measures with log_metadata(…), and compare runs with `art runs`"),
    (r"ModelRegist|register_model", "use models and stages: Model(…), `art tag NAME@3 production`"),
    (r"[Aa]lerter", "call the chat's own client in a step"),
    (r"Annotator", "call the annotator's own client in a step"),
    (r"DataValidator|report_step|profiler|_step$", "call the library itself in a step of yours"),
    (r"Orchestrator|StepOperator|schedule|Schedule", "start `art run` where it is to run, and `art push` the results"),
    (r"[Ss]ecret", "set an environment variable"),
    (r"[Tt]rigger|[Aa]ction|[Rr]un_?[Tt]emplate|[Ss]napshot", "have a CI job start `art run`"),
    (r"[Dd]ashboard|^show\b|get_run_url", "look with `art log`, `art show` and `art runs`"),
)  # fmt: skip


class NotHere(PipelineError, AttributeError):
    """Something was used that belongs to ZenML's stacks or server.

    It is an AttributeError as well, so that whoever asks with `hasattr` whether a thing has something is told no.
    """


def not_here(what: str, of: str = "") -> NoReturn:
    """Says that something is not here, and what to do instead.

    Raises:
        NotHere: Always.
    """
    advice = next((advice for pattern, advice in _INSTEAD if re.search(pattern, f"{what} {of}")), None)
    where = f" of {of}" if of else ""
    advice = advice or "leave it out, or do in a step what it did"
    raise NotHere(f"{what}{where} belongs to ZenML's stacks or its server, of which there are none here; {advice}.")


class HasMore:
    """What ZenML has more of than is here: the rest is a sentence when it is used.

    Attributes:
        CALLED: What it is called in that sentence, before the rest's name.
    """

    CALLED: ClassVar[str]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        not_here(f"{self.CALLED}.{name}")


_told: set[str] = set()


def ignored(what: str, of: str = "where or with what steps run") -> None:
    """Says, once for all of a kind, that something is passed over.

    Args:
        what: What.
        of: What things of that kind say.
    """
    if of not in _told:
        _told.add(of)
        warn(
            f"{what} says {of}, which ZenML's stacks decide; there are none here, and it is passed over.",
            IgnoredSetting,
        )


class _AbsentType(type):
    """The type of classes that are not here: they can be annotated with, subclassed and compared, and do nothing."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        not_here(cls.__name__, cls.__module__.removeprefix("artvcs."))

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in ("with_options", "configure"):  # of a step that is ZenML's: it is no matter until it is called
            return lambda *_, **__: cls
        if name.isupper():  # of an enum: it may only go into settings, which are passed over
            return AbsentConstant(f"{cls.__name__}.{name}", cls.__module__)
        not_here(f"{cls.__name__}.{name}", cls.__module__.removeprefix("artvcs."))


class AbsentConstant:
    """Stands for a constant of ZenML's, or a member of an enum, that is none here: whoever looks at it is told so."""

    def __init__(self, name: str, module: str) -> None:
        self.__name__, self.__module__ = name, module

    def _use(self, *_: Any) -> Any:
        not_here(self.__name__, self.__module__.removeprefix("artvcs."))

    __bool__ = __str__ = __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __index__ = _use
    __len__ = __iter__ = __contains__ = __getitem__ = __call__ = __fspath__ = __format__ = _use
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _use
    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self if name == "value" else self._use()


class _SaidType(type):
    """The type of classes that only say something: what they are asked for says no more than they do."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: cls(*args, **kwargs)  # other ways to make one, as `Metric.of("…")`


class Said(metaclass=_SaidType):
    """Takes whatever it is given, and does nothing: its arguments are its attributes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        ignored(type(self).__name__)
        self.__dict__.update(kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        not_here(f"{type(self).__name__}.{name}")


def _skip_decorator(*args: Any, **kwargs: Any) -> Any:
    """As a decorator, with arguments or without, gives what it decorates."""
    if args and callable(args[0]):
        return args[0]
    return lambda function: function


def stand_in(module: str, name: str) -> Any:
    """What stands for a name of ZenML that has no meaning here.

    Args:
        module: The module it is looked for in, as `artvcs.zenml.…`.
        name: The name.

    Raises:
        AttributeError: No public name is spelt so.
    """
    if name.startswith("_"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    if name.isupper():
        return text_of(name) or AbsentConstant(name, module)
    if name.startswith("enable_") or name in _DECORATORS:
        return _named(_ignoring(name), name, module)
    if name.endswith("_hook"):
        return _named(_ignoring(name), name, module)
    if _SAYS_ONLY.search(name):
        return type(name, (Said,), {"__module__": module})
    return _AbsentType(name, (), {"__module__": module})


_DECORATORS = frozenset(("run_with_accelerate",))


def _ignoring(name: str) -> Callable[..., Any]:
    def skipped(*args: Any, **kwargs: Any) -> Any:
        ignored(name)
        return _skip_decorator(*args, **kwargs)

    return skipped


def _named(function: Callable[..., Any], name: str, module: str) -> Callable[..., Any]:
    function.__name__, function.__qualname__, function.__module__ = name, name, module
    return function


def is_absent(value: Any) -> bool:
    """Whether something only stands for a class, or a constant, that is not here."""
    return isinstance(value, (_AbsentType, AbsentConstant))


class NoComponent:
    """Stands for a component of a stack that there is none of: false, without a name, and of no use."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    name = None
    id = None

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "get_tracking_uri":
            return get_tracking_uri
        not_here(f"active_stack.{self._kind}.{name}")

    def __repr__(self) -> str:
        return f"<no {self._kind}>"


def passed_over(said: Mapping[str, Any], known: frozenset[str], what: str) -> dict[str, Any]:
    """What is said without what is passed over; that it is, is said.

    Args:
        said: Option → value; None was not said.
        known: The options that are passed over.
        what: Of what they are, as `@step`.
    """
    for name in known & said.keys():
        if said[name] not in (None, False, {}, ""):
            ignored(f"{what}({name}=…)")
    return {name: value for name, value in said.items() if name not in known}
