"""What a file says about a pipeline and its steps besides their code: `with_options(config_path=…)`, `art run -c`.

The file is YAML, or JSON, which YAML holds. Its keys are ours where a meaning of ZenML's is the same; what belongs to
ZenML's stacks, of which there are none here, is passed over with a warning, so that a file works here and there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artvcs.vcs import UnknownName
from artvcs.vcs.tracebacks import warn

from ...errors import DefinitionError, IgnoredSetting, perhaps
from ...units import some
from ..model import Model
from . import sources

if TYPE_CHECKING:
    from yaml import MarkedYAMLError

_PIPELINE = (
    "parameters", "steps", "run_name", "enable_cache", "execution_mode", "tags", "substitutions", "model",
    "extra", "environment", "success_hook_source", "failure_hook_source", "executor", "jobs",
)  # fmt: skip
_STEP = (
    "parameters", "enable_cache", "retry", "timeout", "resources", "substitutions", "model", "extra", "environment",
    "success_hook_source", "failure_hook_source",
)  # fmt: skip
_HOOKS = {"success_hook_source": "on_success", "failure_hook_source": "on_failure"}
_MODEL = ("name", "version", "tags", "metadata")

_STACK = frozenset((
    "settings", "schedule", "build", "deployment_settings", "secrets", "runtime", "step_operator",
    "experiment_tracker", "enable_heartbeat", "heartbeat_healthy_threshold", "enable_artifact_metadata",
    "enable_artifact_visualization", "enable_step_logs", "enable_pipeline_logs", "outputs", "cache_policy",
    "init_hook_source", "init_hook_kwargs", "cleanup_hook_source",
    "group",
))  # fmt: skip
"""What ZenML's files may say and has no meaning here."""

_OF_MODELS = frozenset((
    "description", "license", "audience", "use_cases", "limitations", "trade_offs", "ethics",
))  # fmt: skip
"""What ZenML's models say of themselves; here it is metadata."""
_OF_STACK_MODELS = frozenset(("save_models_to_registry", "suppress_class_validation_warnings"))

_MOST = 10 << 20
"""Bytes of a file; what is larger is no configuration."""


@dataclass(frozen=True)
class StepSettings:
    """What is said about a step where its pipeline is configured.

    Attributes:
        parameters: Parameter → value, in place of what the pipeline passes.
        options: What `Step.with_options` takes.
        origin: Where that is said, for messages.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    origin: str = "with_options(steps=…)"

    def override(self, later: StepSettings) -> StepSettings:
        """These settings with later ones on top."""
        return StepSettings({**self.parameters, **later.parameters}, {**self.options, **later.options}, later.origin)


def of_steps(said: Any, origin: str = StepSettings.origin) -> dict[str, StepSettings]:
    """What is said about steps, by their names or invocation ids.

    Args:
        said: Step → what is said about it: `parameters`, and options of steps.
        origin: Where that is said.

    Raises:
        DefinitionError: It is no such mapping, or says what there is not.
    """
    return _steps(said, origin, [])


def read(path: str | os.PathLike[str], *, strict: bool = True) -> dict[str, Any]:
    """What a file says, as the arguments of `Pipeline.with_options`.

    Args:
        path: The file.
        strict: Whether what there is not is an error, or passed over with a warning, as ZenML passes it over.

    Raises:
        DefinitionError: There is no such file, it is no YAML, or says what there is not.
    """
    file = Path(path)
    origin, ignored = file.name, list[str]()
    said = _mapping(_load(file), origin)
    if not strict and (unknown := [name for name in said if name not in _PIPELINE and name not in _STACK]):
        hint = perhaps(unknown[0], _PIPELINE)
        warn(f"{origin}: there is no {unknown[0]!r}{hint}, and it is passed over.", IgnoredSetting)
        said = {name: value for name, value in said.items() if name not in unknown}
    found = _known(said, _PIPELINE, origin, "", ignored)
    found["parameters"] = _mapping(found.get("parameters"), f"{origin}: parameters")
    found["steps"] = _steps(found.get("steps"), origin, ignored)
    if "model" in found:
        found["model"] = _model(found["model"], origin, "model.", ignored)
    _check(found, origin, "")
    found = _with_hooks(found, origin, "")
    if ignored:
        listed = some(map(repr, ignored), 5)
        be = (
            "belongs to a stack, of which there are none here, and is"
            if len(ignored) == 1
            else ("belong to stacks, of which there are none here, and are")
        )
        warn(f"{origin}: {listed} {be} passed over.", IgnoredSetting)
    return {name: value for name, value in found.items() if value is not None}


def _steps(said: Any, origin: str, ignored: list[str]) -> dict[str, StepSettings]:
    found = {}
    for name, each in _mapping(said, f"{origin}: steps").items():
        if isinstance(each, StepSettings):
            found[name] = each
            continue
        where = f"steps.{name}."
        options = _known(_mapping(each, f"{origin}: {where[:-1]}"), _STEP, origin, where, ignored)
        parameters = _mapping(options.pop("parameters", None), f"{origin}: {where}parameters")
        if "model" in options:
            options["model"] = _model(options["model"], origin, f"{where}model.", ignored)
        _check(options, origin, where)
        options = _with_hooks(options, origin, where)
        found[name] = StepSettings(parameters, options, origin)
    return found


def _with_hooks(found: dict[str, Any], origin: str, where: str) -> dict[str, Any]:
    """What is found, with the functions that it names."""
    options = {name: value for name, value in found.items() if name not in _HOOKS}
    for name in _HOOKS.keys() & found.keys():
        try:
            options[_HOOKS[name]] = sources.load(_source(found[name], f"{origin}: {where}{name}"))
        except DefinitionError as error:
            raise DefinitionError(f"{origin}: {where}{name}: {error}") from None
    return options


def _source(said: Any, what: str) -> str:
    """The path of a function, which ZenML's files also say in two parts."""
    if isinstance(said, Mapping) and {"module", "attribute"} <= said.keys():
        return f"{said['module']}.{said['attribute']}"
    if not isinstance(said, str):
        raise DefinitionError(f"{what} is {said!r}; give the path of a function.")
    return said


def _model(said: Any, origin: str, where: str, ignored: list[str]) -> Model | None:
    if said is None or isinstance(said, Model):
        return said
    if isinstance(said, str):
        return Model(said)
    given = _mapping(said, f"{origin}: {where[:-1]}")
    ignored += [where + name for name in given if name in _OF_STACK_MODELS]
    noted = {name: given[name] for name in given if name in _OF_MODELS and given[name] is not None}
    rest = {name: value for name, value in given.items() if name not in _OF_MODELS | _OF_STACK_MODELS}
    found = _known(rest, _MODEL, origin, where, ignored)
    if "name" not in found:
        raise DefinitionError(f"{origin}: {where[:-1]} has no name; give it one.")
    metadata = {**noted, **_mapping(found.pop("metadata", None), f"{origin}: {where}metadata")}
    return Model(**{name: value for name, value in found.items() if value is not None}, metadata=metadata)


def _known(
    said: Mapping[str, Any], known: Iterable[str], origin: str, where: str, ignored: list[str]
) -> dict[str, Any]:
    """What is known of what is said; what has no meaning here is added to `ignored`."""
    ignored += [where + name for name in said if name in _STACK and name not in known]
    unknown = [name for name in said if name not in known and name not in _STACK]
    if unknown:
        hint = perhaps(unknown[0], known)
        raise DefinitionError(f"{origin}: there is no {where + unknown[0]!r}{hint}; there is {', '.join(known)}.")
    return {name: value for name, value in said.items() if name in known}


_WANTED: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "run_name": (str, "text"),
    "execution_mode": (str, "text"),
    "enable_cache": (bool, "true or false"),
    "timeout": ((int, float), "a number of seconds"),
    "tags": (list, "a list of texts"),
    "extra": (Mapping, "names with values"),
    "environment": (Mapping, "variables with values"),
    "substitutions": (Mapping, "a mapping of placeholders to texts"),
    "retry": ((int, Mapping), "a number of tries, or count, delay and backoff"),
}


def _check(found: Mapping[str, Any], origin: str, where: str) -> None:
    for name, (kind, wanted) in _WANTED.items():
        value = found.get(name)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            raise DefinitionError(f"{origin}: {where}{name} is {value!r}; give {wanted}.")
    for placeholder, text in (found.get("substitutions") or {}).items():
        if not isinstance(text, str):
            raise DefinitionError(f"{origin}: {where}substitutions.{placeholder} is {text!r}; give text, in quotes.")


def _mapping(said: Any, what: str) -> dict[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        raise DefinitionError(f"{what} is a {type(said).__name__}, not names with values; write `name: value` lines.")
    for name in said:
        if not isinstance(name, str):
            raise DefinitionError(f"{what} has the name {name!r}, which is no text; put it in quotes.")
    return dict(said)


def _load(file: Path) -> Any:
    import yaml  # of those who configure nothing nobody needs it

    from .yaml_text import Loader

    try:
        if file.stat().st_size > _MOST:
            raise DefinitionError(f"{file} has more than {_MOST >> 20} MiB; that is no configuration.")
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UnknownName(f"There is no file {str(file)!r}; give the path of a YAML file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{file} cannot be read ({error}); give the path of a YAML file.") from None
    try:
        return yaml.load(text, Loader)  # a safe loader: it makes plain data only
    except yaml.MarkedYAMLError as error:
        raise DefinitionError(_misspelt(file.name, error)) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DefinitionError(f"{file.name} is no YAML: {reason}; mend it.") from None


def _misspelt(name: str, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    at = f", line {mark.line + 1}" if mark is not None else ""
    problem = error.problem or "it cannot be understood"
    if "'\\t'" in problem:
        return f"{name}{at}: a line begins with a tab; indent with spaces."
    return f"{name}{at}: {problem}; mend it."
