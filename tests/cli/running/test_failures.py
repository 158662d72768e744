"""A step that fails: what stands on the screen, what is recorded, and what one types next."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from artvcs import Client, pipeline
from artvcs.pipelines.errors import ParameterError, RunFailed
from artvcs.pipelines.history.views import PipelineRun
from artvcs.vcs import UnknownName

from ..conftest import Art

MEANS = """
import pandas as pd
from artvcs import log_metadata, pipeline, step

@step
def load(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"a": range(rows)})

def column_of(frame, name):
    return frame[name]

@step
def mean(frame: pd.DataFrame, column: str) -> float:
    print("looking at", column)
    log_metadata({"rows": len(frame)})
    return float(column_of(frame, column).mean())

@step
def twice(value: float) -> float:
    return 2 * value

@pipeline
def means(rows: int = 3, column: str = "a"):
    twice(mean(load(rows), column))
"""


@pytest.fixture
def means(project: Path) -> Path:
    (project / "means.py").write_text(MEANS)
    return project / "means.py"


def newest() -> PipelineRun:
    return Client().list_pipeline_runs()[0]


def test_the_screen_shows_the_users_own_lines_and_libraries_folded(art: Art, means: Path) -> None:
    done = art("run", "means.py", "-p", "column=b")
    assert done.code == 1
    shown = done.err.partition("mean failed:\n")[2]
    assert '  File "means.py", line 16, in mean\n    return float(column_of(frame, column).mean())\n' in shown
    assert '  File "means.py", line 10, in column_of\n    return frame[name]\n' in shown
    assert "frames of pandas\nKeyError: 'b'\n" in shown
    assert "site-packages" not in shown
    assert "artvcs" not in shown


def test_the_last_line_says_what_to_type(art: Art, means: Path) -> None:
    done = art("run", "means.py", "-p", "rows=4", "-p", "column=a b")
    assert done.err.splitlines()[-1] == (
        "error: Step 'mean' failed: KeyError: 'a b' (means.py:10); mend it and "
        f"`art run means.py -p rows=4 -p 'column=a b'` goes on from there (`art show {newest().name}` shows the run)."
    )


def test_what_we_refuse_is_said_once_and_leads_to_one_advice(art: Art, project: Path) -> None:
    (project / "wrong.py").write_text(
        "from artvcs import pipeline, step\n@step\ndef wrong() -> int:\n    return 'a'\n"
        "@pipeline\ndef flow():\n    wrong()\n"
    )
    done = art("run", "wrong.py")
    assert "Traceback" not in done.err
    assert done.err.splitlines()[-1] == (
        "error: Step 'wrong' failed: TypeMismatch: The output 'output' of step 'wrong' is declared as int, but it is a "
        "str ('a'); make the value fit, or change the annotation, and `art run wrong.py` goes on from there "
        f"(`art show {newest().name}` shows the run)."
    )


def test_show_folds_libraries_too_and_tells_all_where_asked(art: Art, means: Path) -> None:
    art("run", "means.py", "-p", "column=b")
    shown = art("show", newest().name).out
    assert '  File "means.py", line 10, in column_of' in shown
    assert "frames of pandas\nKeyError: 'b'\n" in shown
    assert "site-packages" in art("--debug", "show", newest().name).out


def test_a_notebook_shows_the_same(art: Art, means: Path) -> None:
    art("run", "means.py", "-p", "column=b")
    failed = RunFailed("Step 'mean' failed: KeyError: 'b'", newest())
    told = "\n".join(failed._render_traceback_())
    assert told.startswith("mean failed:\nTraceback (most recent call last):")
    assert '  File "means.py", line 10, in column_of\n    return frame[name]\n' in told
    assert told.splitlines()[-1] == (
        "RunFailed: Step 'mean' failed: KeyError: 'b'; mend it and run again: finished steps are not repeated "
        f"(`art show {newest().name}` shows the run)."
    )
    card = newest().steps["mean"]._repr_html_()
    assert "in column_of" in card
    assert "site-packages" not in card


@pytest.mark.long
def test_plain_python_names_the_run_and_what_to_type(means: Path) -> None:
    """What stands above is Python's own traceback, with all frames but nearly all of ours."""
    means.write_text(MEANS + "\nif __name__ == '__main__':\n    means(column='b')\n")
    done = subprocess.run([sys.executable, "means.py"], cwd=means.parent, capture_output=True, text=True)
    assert done.returncode == 1
    told = done.stderr.splitlines()
    assert told[-1] == (
        "artvcs.pipelines.errors.RunFailed: Step 'mean' failed: KeyError: 'b'; mend it and run again: finished steps "
        f"are not repeated (`art show {newest().name}` shows the run)."
    )
    assert "    return frame[name]" in told
    assert len([line for line in told if "artvcs/" in line]) == 1, "the call that the user made"


def test_a_failed_step_keeps_what_it_was_given_and_what_it_said(art: Art, means: Path) -> None:
    art("run", "means.py", "-p", "column=b")
    failed = newest().steps["mean"]
    assert failed.parameters == {"column": "b"}
    assert failed.inputs["frame"].name == "means::load::output"
    assert failed.metadata == {"rows": 3}
    assert failed.logs == "looking at b\n"
    assert failed.duration.total_seconds() > 0
    assert "column_of" in failed.code
    assert failed.commit is None
    assert failed.outputs == {}


def test_why_knows_of_a_failure(art: Art, means: Path) -> None:
    art("run", "means.py", "-p", "column=b")
    first = newest().name
    assert "It failed: KeyError: 'b' (means.py:10). It ran for the first time." in art("why", "mean").out
    means.write_text(MEANS.replace("return frame[name]", 'return frame["a"]'))
    art("run", "means.py", "-p", "column=b")
    told = art("why", "mean").out
    assert f"It ran because its code changed since it failed in the run {first}." in told
    assert "-    return frame[name]" in told
    assert "It ran for the first time." in art("why", "twice").out


def test_why_says_that_nothing_changed_since_a_failure(art: Art, project: Path) -> None:
    (project / "flaky.py").write_text(
        "from pathlib import Path\nfrom artvcs import pipeline, step\n"
        "@step\ndef flaky() -> int:\n    return int(Path('/dev/null').exists()) // LEFT\n"
        "@pipeline\ndef flow():\n    flaky()\n".replace("LEFT", "(1 if Path('done').exists() else 0)")
    )
    art("run", "flaky.py")
    first = newest().name
    (project / "done").touch()
    assert art("run", "flaky.py").code == 0
    assert f"since it failed in the run {first}." in art("why", "flaky").out


def test_why_asks_which_pipeline_where_several_have_a_step(art: Art, means: Path) -> None:
    art("run", "means.py")
    means.with_name("others.py").write_text(MEANS.replace("means", "others").replace("twice", "thrice"))
    art("run", "others.py")
    told = art("why", "mean").out
    assert told.startswith("mean of others (cached): ")
    assert told.splitlines()[-1] == "Other pipelines have a step of that name: `art why means::mean`"
    assert art("why", "means::mean").out.startswith("mean of means (completed): It ran for the first time.")
    assert "of means" not in art("why", "twice").out
    assert "No run of a pipeline 'others' has a step 'twice'" in art("why", "others::twice").err


def test_a_notebook_shows_the_users_own_lines_of_any_error_of_ours(art: Art, project: Path) -> None:
    art("init")

    def asks() -> None:
        Client().get_artifact_version("nope")

    with pytest.raises(UnknownName) as raised:
        asks()
    told = "\n".join(raised.value._render_traceback_())
    assert 'Client().get_artifact_version("nope")' in told
    assert "pipelines" not in told.replace(str(Path(__file__)), "")
    assert told.splitlines()[-1].startswith("UnknownArtifact: There is no artifact")

    @pipeline
    def taking(depth: int = 1) -> None:
        pass

    with pytest.raises(ParameterError) as wrong:
        taking(dpth=2)  # type: ignore[call-arg]
    [place, line, said] = [each.strip() for each in "\n".join(wrong.value._render_traceback_()).splitlines()[:3]]
    assert place.startswith(f'File "{__file__}"')
    assert line.startswith("taking(dpth=2)")
    assert said.startswith(("ParameterError: ", "~", "^"))


def test_a_package_in_the_project_is_not_the_users_own_place(art: Art, project: Path) -> None:
    """Most have their environment in the project."""
    package = project / ".venv" / "lib" / "python3.11" / "site-packages" / "lib_there"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def fails():\n    raise ValueError('in the library')\n")
    (project / "uses.py").write_text(
        f"import sys\nsys.path.insert(0, {str(package.parent)!r})\n"
        "import lib_there\nfrom artvcs import pipeline, step\n"
        "@step\ndef use() -> int:\n    return lib_there.fails()\n"
        "@pipeline\ndef uses():\n    use()\n"
    )
    assert "(uses.py:7); mend it" in art("run", "uses.py").err
    assert "It failed: ValueError: in the library (uses.py:7)." in art("why", "use").out


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def interrupted(project: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A run that got Ctrl-C in its second step, or was ended otherwise; what it wrote to the screen."""
    slow = MEANS.replace('log_metadata({"rows": len(frame)})', 'log_metadata({"rows": len(frame)}); time.sleep(60)')
    slow = slow.replace('print("looking at", column)', 'print("looking at", column, flush=True)')
    (project / "slow.py").write_text("import time" + slow)
    code = "import sys; from artvcs.cli import start; sys.argv = ['art', 'run', 'slow.py']; start()"
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "looking at a\n"
    time.sleep(0.1)
    running.send_signal(request.param)
    yield running.communicate()[1]
    assert running.returncode == 128 + request.param


@pytest.mark.long
def test_an_interrupted_run_has_a_row_for_the_step_it_was_in(art: Art, interrupted: str) -> None:
    assert any(line.startswith("✗ mean") and "interrupted" in line for line in interrupted.splitlines())
    rows = {line.split()[0]: line for line in art("show", newest().name).out.splitlines() if line.startswith("  ")}
    assert "interrupted" in rows["mean"]
    assert "not started" in rows["twice"]
    assert interrupted.splitlines()[-1] == (
        "error: Interrupted; what had finished is kept, and `art run slow.py` goes on from there "
        f"(`art show {newest().name}` shows the run)."
    )
    step = newest().steps["mean"]
    assert (step.parameters, step.logs) == ({"column": "a"}, "looking at a\n")
    assert step.metadata == {"rows": 3}  # noted before
    assert [each.name for each in step.inputs.values()] == ["means::load::output"]
    assert step.duration.total_seconds() >= 0.1
    assert "It was interrupted while it ran; it runs again next time." in art("why", "mean").out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("add(1)", "building.py:8: The step 'add' needs the input 'b'; "),
        ("add(1, 2, c=3)", "building.py:8: "),
        ("one() + 1", "building.py:8: "),
    ],
)
def test_what_is_wrong_with_a_pipeline_is_said_with_the_line(art: Art, project: Path, line: str, message: str) -> None:
    (project / "building.py").write_text(
        "from artvcs import pipeline, step\n"
        "@step\ndef one() -> int: return 1\n"
        "@step\ndef add(a: int, b: int) -> int: return a + b\n"
        f"@pipeline\ndef building(): {line}\n"
    )
    text = (project / "building.py").read_text().replace("def building(): ", "def building():\n    ")
    (project / "building.py").write_text(text)
    done = art("run", "building.py")
    assert done.code == 1
    assert message in done.err
    assert done.err.count("\n") == 1


def test_what_a_step_forks_ends_by_a_signal_as_ever(art: Art, project: Path) -> None:
    (project / "pool.py").write_text(
        "import multiprocessing, time\n"
        "from artvcs import pipeline, step\n"
        "@step\ndef ends() -> int:\n"
        "    child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))\n"
        "    child.start()\n    time.sleep(0.2)\n    child.terminate()\n    child.join()\n"
        "    return child.exitcode\n"
        "@pipeline\ndef pool():\n    ends()\n"
    )
    code = "import sys; from artvcs.cli import start; sys.argv = ['art', 'run', 'pool.py']; start()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
    assert art("cat", "pool::ends::output").out == "-15"


@pytest.mark.long
def test_the_debugger_opens_at_the_users_own_frame(art: Art, means: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; from artvcs.cli import start; sys.argv = ['art', 'run', 'means.py', '-p', 'column=b', '--pdb']; start()"  # noqa: E501
    commands = "p name, len(frame)\nup\np column\nq\n"
    done = subprocess.run([sys.executable, "-c", code], input=commands, capture_output=True, text=True, check=False)
    assert "('b', 3)" in done.stdout
    assert "'b'\n" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("error: Step 'mean' failed: KeyError: 'b' (means.py:10); mend it")
