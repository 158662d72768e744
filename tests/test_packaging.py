"""The layout of the repository and of what is installed from it."""

import os
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(("link", "folder"), [("vcs", "vcs"), ("pipelines", "pipeline"), ("cli", "cli")])
def test_the_packages_are_links_to_the_folders_at_the_top(link: str, folder: str) -> None:
    path = ROOT / "src" / "artvcs" / link
    assert path.is_symlink()
    assert os.readlink(path) == f"../../{folder}"


def test_a_wheel_puts_nothing_beside_artvcs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel")
    monkeypatch.chdir(ROOT)
    [built] = wheel.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(built).namelist()
    assert {name.partition("/")[0] for name in names} == {"artvcs", f"artvcs-{version()}.dist-info"}
    for module in (
        "__init__",
        "client",
        "testing/__init__",
        "vcs/repository",
        "pipelines/define/step",
        "pipelines/values/materializers/base",
        "pipelines/values/visualizations/pages/markdown",
        "cli/main",
        "cli/commands/looking/log",
    ):
        assert f"artvcs/{module}.py" in names
    assert "artvcs/py.typed" in names
    assert not [name for name in names if "/test_" in name or "tests/" in name or "__pycache__" in name]


def version() -> str:
    import artvcs

    return artvcs.__version__
