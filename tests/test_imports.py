"""What importing costs: the heavy libraries come only when something of theirs is met."""

import subprocess
import sys

import pytest

HEAVY = (
    "pandas",
    "numpy",
    "pyarrow",
    "pygit2",
    "sklearn",
    "polars",
    "torch",
    "pydantic",
    "typeguard",
    "rich",
    "markdown_it",
)


def imported_by(module: str) -> set[str]:
    """The top-level packages that importing a module imports, in a fresh process."""
    program = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_artvcs_imports_nothing_heavy() -> None:
    assert imported_by("artvcs").isdisjoint({*HEAVY, "click", "blake3", "zstandard"})


@pytest.mark.parametrize("module", ["artvcs.pipelines.pipelines", "artvcs.client", "artvcs.vcs.repository"])
def test_importing_what_runs_pipelines_imports_nothing_heavy(module: str) -> None:
    assert imported_by(module).isdisjoint({*HEAVY, "click"})


@pytest.mark.parametrize("module", ["artvcs.cli.commands.looking.ls", "artvcs.cli.commands.working.add"])
def test_looking_and_adding_import_nothing_of_what_follows_code(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if name.startswith("artvcs.pipelines.fingerprint")]


def test_running_plain_steps_imports_nothing_heavy(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("project")
    (folder / "flow.py").write_text(
        "import sys\n"
        "from artvcs import pipeline, step\n"
        "@step\n"
        "def one() -> dict[str, list[int]]:\n    return {'a': [1]}\n"
        "@pipeline\n"
        "def flow():\n    one()\n"
        "assert flow().steps['one'].output.load() == {'a': [1]}\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "flow.py"], cwd=folder, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint({*HEAVY, "click"})


def test_all_public_names_can_be_imported() -> None:
    import artvcs
    from artvcs.client import Client

    assert {name for name in artvcs.__all__ if getattr(artvcs, name) is not None} == set(artvcs.__all__)
    assert dir(artvcs) == sorted(artvcs.__all__)  # what Tab offers
    assert artvcs.Client is Client
    with pytest.raises(AttributeError, match="no attribute 'surprise'"):
        _ = artvcs.surprise
