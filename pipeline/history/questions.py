"""Asks again what a step asked the Client while it ran: would the answer be the same?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from artvcs.vcs import ArtError, LookupFailed, Repository, stages, versions

from . import answers, listing
from .finding import lookup, run_lookup


def ask(repository: Repository, run_id: str, question: str) -> str:
    """Answers a noted question as it would be answered now.

    Args:
        repository: Where to look.
        run_id: The run that is going on: it is not part of any answer.
        question: As `trace.Recording.ask` noted it.
    """
    try:
        [(kind, arguments)] = json.loads(question).items()
        return _ANSWERS[kind](repository, run_id, arguments)
    except (LookupFailed, ValueError, KeyError, TypeError):
        return answers.NONE
    except ArtError:
        return "an answer that cannot be read"


def _versions(repository: Repository, run_id: str, arguments: Mapping[str, Any]) -> str:
    return answers.of_versions(each.record for each in listing.list_versions(repository, **arguments))


def _runs(repository: Repository, run_id: str, arguments: Mapping[str, Any]) -> str:
    return answers.of_runs((each.record for each in listing.list_runs(repository, **arguments)), run_id)


def _run(repository: Repository, run_id: str, arguments: Mapping[str, Any]) -> str:
    return answers.of_runs([run_lookup.find_run_spec(repository.refs(), arguments["text"])], run_id)


def _noted(repository: Repository, run_id: str, arguments: Mapping[str, Any]) -> str:
    found = versions.by_value(repository.refs(), arguments["name"], arguments["artifact"])
    return answers.NONE if found is None else answers.of_versions([found])


def _stages(repository: Repository, run_id: str, arguments: Mapping[str, Any]) -> str:
    now = stages.current(repository.refs(), arguments["name"])
    return answers.of_stages(stage for stage, each in now.items() if each.artifact == arguments["artifact"])


def _version(repository: Repository, run_id: str, arguments: Mapping[str, Any]) -> str:
    return lookup.find_spec(repository.refs(), arguments["asked"], repository.project).artifact


_ANSWERS: dict[str, Callable[[Repository, str, Mapping[str, Any]], str]] = {
    answers.VERSION: _version,
    answers.VERSIONS: _versions,
    answers.RUNS: _runs,
    answers.RUN: _run,
    answers.NOTED: _noted,
    answers.STAGES: _stages,
}
