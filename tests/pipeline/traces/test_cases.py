"""What a step is seen to use decides whether its result is used again: never a stale one, rarely a needless run.

Each construct is a small project with a story in `cases/`; `harness.py` says how to read and write them.
"""

import re
from pathlib import Path

import pytest

from .harness import CASES, Case, World, read_case

OPEN = frozenset(
    {
        "absent_file_that_appears",
        "asked_os_path_exists",
        "bad_step_changes_sys_path",
        "env_by_get",
        "env_by_getenv",
        "bound_method_in_a_closure",
        "client_asked_by_load_artifact",
        "lines_read_as_data",
        "poisoned_constant_edited_after_import",
        "poisoned_reload_leaves_the_old_function",
        "live_value_that_always_differs",
        "needless_class_moved",
        "needless_folder_that_the_step_fills",
        "needless_helper_moved",
        "needless_import_style",
        "needless_local_variable_renamed",
        "needless_step_moved",
        "needless_type_hint_removed",
        "package_found_as_an_entry_point",
        "state_kept_for_the_next_step",
    }
)
"""Cases that do not hold yet: they are what is to be done next."""


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_hit_can_be_trusted(tmp_path: Path, path: Path, request: pytest.FixtureRequest) -> None:
    if path.stem in OPEN:
        request.applymarker(pytest.mark.xfail(strict=False))
    World(tmp_path, read_case(path)).play()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_says_what_it_shows(path: Path) -> None:
    case = read_case(path)
    assert re.fullmatch(r"[A-Z].+[.]", case.sentence)
    assert "main.py" in case.files
    assert any(re.match(r"runs|cached|gives|uncached|fails|session", line) for line in case.story)


NAMES = """\
from artvcs import pipeline, step
@step
def train() -> list[str]:
    here = {key: value for key, value in globals().items() if key not in ("train", "flow", "pipeline", "step")}
    return [f"{key}={type(value).__name__}" for key, value in sorted(here.items())] + [str(here["__file__"])[-8:]]
@pipeline
def flow():
    train()
if __name__ == "__main__":
    print(train())
"""


def test_a_project_runs_as_if_it_were_started_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path, Case("names", "A project sees no name of the driver.", {"main.py": NAMES}, []))
    alone = world.run(["main.py"])
    assert alone.returncode == 0, alone.stderr
    [run] = world.drive().runs
    assert run["value"] == alone.stdout.strip()
