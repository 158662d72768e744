"""What a call, a setting or a decorator does to the package that it is of, as far as its name says it."""

from __future__ import annotations

import ast

VARIABLES = "os.environ"
"""What the setting of a variable is an effect on: any package may read it."""

SEEDING = {
    "random": ("seed", "setstate"),
    "numpy.random": ("seed", "set_state"),
    "torch": ("manual_seed", "seed", "set_rng_state"),
}
"""The functions that seed a common source of random numbers, by the module that it is of."""

_COMPARED = frozenset(f"{source}.{name}" for source in ("random", "numpy.random") for name in SEEDING[source])
"""Those after which the state of the source is compared, and nothing else is another; torch also seeds the GPUs."""
_WATCHING = frozenset({"sys.addaudithook", "sys.setprofile", "sys.settrace"})
"""What sees code run, and changes nothing of what it does."""
_ACTING = (
    *("add", "basicconfig", "configure", "connect", "dictconfig", "disable", "enable", "fileconfig", "filterwarnings"),
    *("hook", "init", "install", "load", "option", "patch", "register", "reset", "set", "simplefilter", "unregister"),
    "use",
)
"""How the names of functions begin that do something to their module, also where a result is taken."""
_READING = ("load", "settings", "user")
"""How those begin of which somebody takes what they read, and that do nothing else: `json.loads`, `yaml.load`."""
_LOADING = ("load_dotenv", "load_ext", "load_plugin")
_KEEPING = ("accessor", "hook", "implements", "namespace", "plugin", "regist")
"""What the names of decorators hold that keep what they are given."""
_SILENT = frozenset(
    {"asyncio", "atexit", "faulthandler", "gc", "os", "shutil", "signal", "subprocess", "threading", "time"}
)
"""Modules of Python's library in which a call does nothing to a later step."""
_ENVIRONMENT = ("os.environ", "os.putenv", "os.unsetenv", "dotenv.load_dotenv")


def is_done_to(dotted: str) -> str:
    """What something is done to: VARIABLES, or the top-level module of a name."""
    return VARIABLES if dotted.startswith(_ENVIRONMENT) else dotted.partition(".")[0]


def does_something(dotted: str, *, of_package: bool, taken: bool) -> bool:
    """Whether the call of a name may do something to its module.

    Args:
        dotted: The name.
        of_package: Whether it is of a package, rather than of Python's library.
        taken: Whether somebody takes the result; then only the name can say that it does more than give one.
    """
    if dotted in _COMPARED | _WATCHING:
        return False
    name = dotted.rpartition(".")[2].lower()
    acts = name.startswith(_ACTING) and not (taken and name.startswith(_READING) and not name.startswith(_LOADING))
    if of_package:
        return acts or not taken
    return dotted.startswith(_ENVIRONMENT) or (acts and dotted.partition(".")[0] not in _SILENT)


def keeps(decorator: ast.expr, name: str) -> bool:
    """Whether a decorator of this name keeps what it is given: it is called so, or is told under which name."""
    if any(word in name.lower() for word in _KEEPING):
        return True
    arguments = (
        [*decorator.args, *(each.value for each in decorator.keywords)] if isinstance(decorator, ast.Call) else ()
    )
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in arguments)
