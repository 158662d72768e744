"""Parameters that are no plain data are shown as people wrote them, and not as they are stored."""

from __future__ import annotations

from pathlib import Path

from ..conftest import Art

CODE = """
import enum
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from artvcs import pipeline, step

class Kind(enum.Enum):
    TREE = "tree"

@dataclass
class Settings:
    rate: float
    kind: Kind

@step
def use(settings: Settings, day: date, where: Path) -> int:
    return 1

@pipeline
def using(settings: Settings = Settings(0.5, Kind.TREE), day: date = date(2026, 1, 2), where: Path = Path("a/b")):
    use(settings, day, where)
"""


LONG = ", ".join(f"step{number}=Standard" for number in range(9))


def test_a_pipe_gets_all_of_a_value(art: Art, project: Path) -> None:
    code = (
        CODE
        + f'''
@step
def long(text: str) -> int:
    log_metadata({{"noted": text}})
    return 1

@pipeline
def lengthy(text: str = "{LONG}"):
    long(text)
'''
    )
    (project / "using.py").write_text(code.replace("import pipeline, step", "import log_metadata, pipeline, step"))
    assert art("run", "using.py:lengthy").code == 0
    for verb in (("log",), ("log", "lengthy::long::output"), ("show", "lengthy::long::output"), ("runs",)):
        assert LONG in art(*verb).out, verb
    assert art("run", "using.py:lengthy", "-p", f"text=other {LONG}").code == 0
    assert f"{LONG!r} → 'other {LONG}'" in art("why", "long").out.replace('"', "'")


def test_parameters_are_spelt_as_in_code(art: Art, project: Path) -> None:
    (project / "using.py").write_text(CODE)
    assert art("run", "using.py").code == 0
    shown = art("show", "using::use::output").out
    assert "Params:    day=2026-01-02, settings=Settings(rate=0.5, kind=Kind('tree')), where=a/b\n" in shown


def test_why_spells_them_so_too(art: Art, project: Path) -> None:
    for rate in ("0.5", "0.7"):
        (project / "using.py").write_text(CODE.replace("Settings(0.5", f"Settings({rate}"))
        assert art("run", "using.py").code == 0
    told = art("why", "use").out
    assert "parameter settings: Settings(rate=0.5, kind=Kind('tree')) → Settings(rate=0.7, kind=Kind('tree'))" in told


def test_runs_are_compared_by_what_stands_in_them(art: Art, project: Path) -> None:
    for rate in ("0.5", "10.0", "2.0"):
        (project / "using.py").write_text(CODE.replace("Settings(0.5", f"Settings({rate}"))
        assert art("run", "using.py").code == 0
    rows = art("runs", "--sort", "settings.rate", "--json").json
    shown = {"settings.rate": 0.5, "settings.kind": "tree", "day": "2026-01-02", "where": "a/b"}
    assert rows[0]["parameters"] == shown
    assert [row["parameters"]["settings.rate"] for row in rows] == [0.5, 2.0, 10.0]
    assert len(art("runs", "--where", "settings.rate > 1", "--where", "settings.kind = tree", "--json").json) == 2
    assert "$" not in art("runs").out
    found = art("ls", "using::use::output", "--where", "settings.rate < 1", "--json").json
    assert [row["version"] for row in found] == ["1"]
