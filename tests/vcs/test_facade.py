"""What the store shows to pipelines and the command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from artvcs import vcs


@pytest.mark.parametrize("name", vcs.__all__)
def test_every_name_is_there(name: str) -> None:
    found = getattr(vcs, name)
    assert found.__name__.rpartition(".")[2] == name if hasattr(found, "__name__") else found


def test_another_name_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Everything'"):
        vcs.Everything  # noqa: B018


def test_it_costs_what_is_used_of_it() -> None:
    code = "import sys; from artvcs.vcs import ArtError; print([name for name in sys.modules if 'artvcs.vcs.' in name])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "['artvcs.vcs.errors']\n"
