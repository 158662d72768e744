"""Where there is nothing to show, that is said with what makes some; on standard error, for a pipe holds answers."""

from __future__ import annotations

import json

import pytest

from ..conftest import Art


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("ls", "There are no artifacts yet; `art run FILE` and `art add PATH --name NAME` make some."),
        ("runs", "There are no runs yet; `art run FILE` makes one."),
        ("log", "There are no runs yet; `art run FILE` makes one."),
        ("log --oneline", "There are no runs yet; `art run FILE` makes one."),
        ("log --graph", "There are no runs yet; `art run FILE` makes one."),
        ("prune", "There are no versions yet; `art run FILE` and `art add PATH --name NAME` make some."),
        ("tag", "No version is in a stage; `art tag NAME@VERSION production` puts one there."),
        (
            "lock",
            "Nothing is pinned, and there is no artifacts.lock; `art add` or `art checkout` what is to be pinned.",
        ),
        ("remote ls", "No repository elsewhere is known; `art remote add origin URL` names one."),
    ],
)
def test_an_empty_repository(art: Art, verb: str, said: str) -> None:
    art("init")
    told = art(*verb.split())
    assert (told.code, told.out, told.err) == (0, "", f"{said}\n")
    quiet = art("-q", *verb.split())
    assert (quiet.out, quiet.err) == ("", "")
    data = art(*verb.split(), "--json")
    assert (json.loads(data.out), data.err) == ([], "")


def test_columns_of_no_runs(art: Art) -> None:
    art("init")
    told = art("runs", "--csv")
    assert (told.out.split(","), told.err) == (["run", "id", "pipeline", "status", "started", "seconds\r\n"], "")
    assert art("runs", "--where", "accuracy > 0.9").err.endswith("No run is like that.\n")
