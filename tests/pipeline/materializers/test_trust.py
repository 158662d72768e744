"""What could run code is refused where it is not trusted, on top as well as inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.errors import UntrustedData
from artvcs.pipelines.materializers import Materializer, base, by_name, registry

from .conformance import needs_trust
from .harness import save
from .samples import Plain

pytestmark = pytest.mark.filterwarnings("ignore::artvcs.pipelines.materializers.PickleFallbackWarning")


class Thing:
    """A user's class."""


@pytest.fixture(autouse=True)
def _forget_declarations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_users", registry._Users())
    monkeypatch.setattr(base, "declared", [])
    monkeypatch.setattr(registry, "declared", base.declared)


def test_a_pickle(tmp_path: Path) -> None:
    needs_trust(Plain(1), tmp_path)
    needs_trust([Plain(1), 2], tmp_path / "inside")


def test_a_user_s_materializer_that_runs_code(tmp_path: Path) -> None:
    called = []

    class Mine(Materializer):
        ASSOCIATED_TYPES = (Thing,)
        RUNS_CODE = True

        def save(self, data: Any) -> None:
            (Path(self.uri) / "x").touch()

        def load(self, data_type: type[Any]) -> Any:
            called.append(data_type)
            return Thing()

    class Derived(Mine):
        pass

    for cls in (Mine, Derived):
        reader = cls(str(tmp_path))
        reader.trusted = False
        with pytest.raises(UntrustedData, match=cls.NAME.rpartition(":")[2].split(".")[-1]):
            reader.load(Thing)
    assert called == []
    needs_trust(Thing(), tmp_path / "value")
    assert isinstance(Derived(str(tmp_path)).load(Thing), Thing)


def test_a_materializer_that_asks_for_some_values(tmp_path: Path) -> None:
    class Asking(Materializer):
        ASSOCIATED_TYPES = (Thing,)

        def save(self, data: Any) -> None:
            (Path(self.uri) / "x").touch()

        def load(self, data_type: type[Any]) -> Any:
            self.require_trust()
            return Thing()

    reader = Asking(str(tmp_path))
    assert not reader.runs_code
    reader.load(Thing)
    assert reader.runs_code
    save({"a": Thing()}, tmp_path / "value")
    outer = by_name("artvcs.container")(str(tmp_path / "value"))
    outer.load(dict)
    assert outer.runs_code
    outer.trusted = False
    with pytest.raises(UntrustedData):
        outer.load(dict)
