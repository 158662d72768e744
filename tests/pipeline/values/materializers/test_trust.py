"""What could run code is refused where it is not trusted, on top as well as inside."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.errors import UntrustedData
from artvcs.pipelines.values.materializers import Materializer, base, by_name, registry, resolve_type, table, typenames
from artvcs.pipelines.values.trust import Trust

from .conformance import needs_trust
from .frames import extension_arrays, singles
from .harness import save
from .library_values import has
from .samples import Plain, arrays, containers, scalars

pytestmark = pytest.mark.filterwarnings("ignore::artvcs.pipelines.values.materializers.PickleFallbackWarning")


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


# Everything that can run code

OWN = Path(registry.__file__).parent
ASKING = {
    "artvcs.pickle",
    "artvcs.matplotlib",
    "artvcs.torch.Module",
    "artvcs.xgboost",
    "artvcs.lightgbm",
    "artvcs.keras",
}


def _installed() -> Iterator[type[Materializer]]:
    for entry in table.BUILTINS:
        try:
            yield registry.load_builtin(entry)
        except ImportError:
            continue


def test_those_that_always_run_code_read_nothing_without_trust(tmp_path: Path) -> None:
    found = {cls.NAME for cls in _installed() if cls.RUNS_CODE}
    assert found == ASKING & {cls.NAME for cls in _installed()}
    for name in found:
        reader = by_name(name)(str(tmp_path))
        reader.trusted = False
        with pytest.raises(UntrustedData):  # had it looked, it would have complained that there is no file
            reader.load(object)


RUNS = re.compile(
    r"\w*unpickl\w*\(|\w*loads?\(|load_(?:model|config)\(|__setstate__\(|allow_pickle=True|trust_remote_code|"
    r"\b(?:eval|exec|__import__|import_module|from_pretrained)\(",
    re.IGNORECASE,
)
HARMLESS = re.compile(r"json\.loads?\(|super\(\)\.load\(|np\.load\(|def \w+\(")
LOOKED_AT = {
    # They set RUNS_CODE.
    "pickled/fallback.py": {"stable_loads("},
    "models/keras.py": {"saving.load_model(", "self.load("},
    "models/lightgbm.py": {"booster.__setstate__("},
    "pictures/matplotlib.py": {"stable_loads("},
    "models/torch_modules.py": {"stable_loads("},
    "models/xgboost.py": {"booster.load_config(", "booster.load_model("},
    # They ask, or hand on whether they may.
    "base.py": {"load("},
    "documents/leaves.py": {"part.load("},
    "models/sklearn.py": {"_loads(", "io.loads("},
    "typenames.py": {"importlib.import_module("},
    # What they import is named by no file, or what they load cannot run what comes with it.
    "documents/codec.py": {"importlib.import_module(", "_leaves.load("},
    "pandas/extensions.py": {"importlib.import_module("},
    "pickled/pickle_bytes.py": {"unpickler.load("},
    "registry.py": {"importlib.import_module("},
    "models/transformers.py": {"cls.from_pretrained("},
    "models/transformers_parts.py": {"cls.from_pretrained(", "_load("},
}


def test_every_place_that_could_run_code_has_been_looked_at() -> None:
    """A new one belongs into a materializer that asks for trust; then it can be added to the list."""
    found: dict[str, set[str]] = {}
    for path in sorted(OWN.rglob("*.py")):
        calls = set(re.findall(rf"(?:\w+\.)?(?:{RUNS.pattern})", HARMLESS.sub("", path.read_text())))
        if calls:
            found[path.relative_to(OWN).as_posix()] = calls
    assert found == LOOKED_AT


class _Watch:
    """Counts the names that unpicklers look up, in the whole process."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.on = False
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: Any) -> None:
        if self.on and event == "pickle.find_class":
            self.seen.append(arguments)


_watch = _Watch()


def _values() -> dict[str, Any]:
    found = {
        **scalars(),
        **containers(),
        **arrays(),
        **singles(),
        **extension_arrays(),
        "pickle": Plain(1),
        "pickles": [Plain(1), {"a": Plain(2)}],
    }
    if has("matplotlib"):
        from matplotlib.figure import Figure

        found["figure"] = Figure()
    if has("skops"):
        from sklearn.linear_model import LinearRegression
        from sklearn.tree import DecisionTreeClassifier

        found["tree"] = DecisionTreeClassifier().fit([[0], [1]], [0, 1])
        found["line"] = LinearRegression().fit([[0], [1]], [0, 1])
    return found


def test_without_trust_nothing_is_unpickled(tmp_path: Path) -> None:
    refused = set()
    for number, (name, value) in enumerate(_values().items()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            saved = save(value, tmp_path / str(number))
        reader = by_name(saved.NAME)(str(tmp_path / str(number)))
        reader.trusted = False
        _watch.on = True
        try:
            reader.load(object)
        except UntrustedData:
            refused.add(name)
        finally:
            _watch.on = False
        assert saved.runs_code == (name in refused), name
        assert _watch.seen == []
    assert {"pickle", "pickles"} <= refused


# Names of modules


def test_names_lead_into_what_is_imported_and_into_known_libraries() -> None:
    assert resolve_type(f"{__name__}.Thing") is Thing
    assert resolve_type(f"{__name__}.Thing.Gone") is object
    assert resolve_type("numpy.polynomial.Polynomial").__name__ == "Polynomial"
    assert resolve_type("nowhere.Nothing") is object


def test_other_modules_are_imported_only_with_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop_of_others.py").write_text("class Order: pass")
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("shop_of_others", "numpy.f2py.__main__"):
        for look_up in (typenames.import_class, by_name):
            with pytest.raises(UntrustedData, match=rf"imports the module {module}, .*`art trust NAME`"):
                look_up(f"{module}:Order")
        with pytest.raises(UntrustedData):
            resolve_type(f"{module}.Order")
        assert module not in sys.modules
    assert typenames.import_class("shop_of_others:Order", Trust(True)).__name__ == "Order"
    assert resolve_type("shop_of_others.Order").__name__ == "Order"
    del sys.modules["shop_of_others"]
