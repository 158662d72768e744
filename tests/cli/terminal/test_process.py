"""`art` as a process: entry point, pipes, terminals, signals, and users' files with our names."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from artvcs.vcs.upkeep.check import fsck

ART = str(Path(sys.executable).with_name("art"))

SLEEPY = """
import time
from pathlib import Path
from artvcs import pipeline, step

@step
def quick() -> int:
    return 1

@step
def sleepy(x: int) -> int:
    Path("asleep").touch()
    while not Path("go").exists():
        time.sleep(0.01)
    return x

@pipeline
def nap():
    sleepy(quick())
"""


def art(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run([ART, *arguments], cwd=folder, env=env, capture_output=True, text=True)


def start_and_wait_until_asleep(folder: Path) -> subprocess.Popen[str]:
    (folder / "nap.py").write_text(SLEEPY)
    process = subprocess.Popen(
        [ART, "run", "nap.py"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.time() + 30
    while not (folder / "asleep").exists() and process.poll() is None and time.time() < deadline:
        time.sleep(0.01)
    assert (folder / "asleep").exists()
    return process


def statuses(folder: Path) -> list[str]:
    import json

    [run, *_] = json.loads(art(folder, "log", "-n", "1", "--json").stdout)
    return [run["status"], *(step["status"] for step in run["steps"].values())]


def test_version_and_help_import_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from artvcs.cli import main; main.run(['--help']); "
        "heavy = ('numpy', 'pandas', 'pyarrow', 'pygit2', 'sqlite3', 'asyncio', 'rich', 'markdown_it'); "
        "print(*(m for m in heavy if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
    assert art(tmp_path, "--version").stdout.startswith("art, version ")


@pytest.mark.long
def test_users_files_with_our_names_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "vcs.py").write_text("NUMBER = 1\n")
    (tmp_path / "cli.py").write_text("import vcs\nNUMBER = vcs.NUMBER + 1\n")
    (tmp_path / "pipeline.py").write_text(
        "import cli, vcs\n"
        "from artvcs import pipeline, step\n"
        "@step\ndef add() -> int:\n    return cli.NUMBER + vcs.NUMBER\n"
        "@pipeline\ndef adding():\n    add()\n"
        "if __name__ == '__main__':\n    print(adding().steps['add'].output.load())\n"
    )
    assert art(tmp_path, "run", "pipeline.py").returncode == 0
    assert art(tmp_path, "cat", "adding::add::output").stdout == "3"
    plain = subprocess.run([sys.executable, "pipeline.py"], cwd=tmp_path, capture_output=True, text=True)
    assert plain.stdout == "3\n", plain.stderr
    assert statuses(tmp_path) == ["completed", "cached"], "the same step, however its file was started"


@pytest.mark.long
def test_ctrl_c_keeps_what_had_finished(tmp_path: Path) -> None:
    process = start_and_wait_until_asleep(tmp_path)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.strip().splitlines()[-1].startswith("error: Interrupted")
    assert "Traceback" not in err
    assert statuses(tmp_path) == ["interrupted", "completed", "interrupted"]
    (tmp_path / "go").touch()
    assert art(tmp_path, "run", "nap.py").returncode == 0
    assert statuses(tmp_path) == ["completed", "cached", "completed"]


@pytest.mark.long
def test_a_run_whose_reader_has_seen_enough_was_interrupted(tmp_path: Path) -> None:
    process = start_and_wait_until_asleep(tmp_path)
    assert process.stderr is not None
    process.stderr.readline()
    process.stderr.close()  # as `2>&1 | head -1` does
    (tmp_path / "go").touch()
    assert process.wait() != 0
    assert statuses(tmp_path) == ["interrupted", "completed", "completed"]
    assert art(tmp_path, "run", "nap.py").returncode == 0
    assert statuses(tmp_path)[:2] == ["completed", "cached"]


@pytest.mark.long
def test_while_a_run_writes(tmp_path: Path) -> None:
    process = start_and_wait_until_asleep(tmp_path)
    assert art(tmp_path, "gc").returncode == 0  # beside the run, and without harm to it
    (tmp_path / "go").touch()
    process.communicate()
    assert process.returncode == 0
    assert art(tmp_path, "gc").returncode == 0
    assert list(fsck.fsck(tmp_path / ".artifacts")) == []


@pytest.mark.long
def test_a_full_disk_is_an_exit_code_of_its_own_and_nothing_is_lost(ran: Path) -> None:
    (ran / "big.py").write_text(
        "import os\nfrom artvcs import pipeline, step\n"
        "@step\ndef big() -> bytes:\n    return os.urandom(2_000_000)\n@pipeline\ndef p():\n    big()\n"
    )
    limited = subprocess.run(
        ["bash", "-c", f"ulimit -f 500; {ART} run big.py"], cwd=ran, capture_output=True, text=True
    )
    assert limited.returncode == 6
    last = limited.stderr.splitlines()[-1]
    assert last.startswith("error: Step 'big' failed: DiskFull: No space is left")
    assert art(ran, "cat", "nap::quick::output").stdout == "1"
    assert list(fsck.fsck(ran / ".artifacts")) == []


@pytest.mark.long
def test_after_a_kill_the_next_run_goes_on(tmp_path: Path) -> None:
    process = start_and_wait_until_asleep(tmp_path)
    process.kill()
    process.communicate()
    assert statuses(tmp_path) == ["interrupted", "completed"]
    (tmp_path / "go").touch()
    assert art(tmp_path, "run", "nap.py").returncode == 0
    assert statuses(tmp_path) == ["completed", "cached", "completed"]
    assert list(fsck.fsck(tmp_path / ".artifacts")) == []


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    (tmp_path / "nap.py").write_text(SLEEPY)
    (tmp_path / "go").touch()
    assert art(tmp_path, "run", "nap.py").returncode == 0
    return tmp_path


def test_what_steps_print_stands_in_order_in_a_log(ran: Path) -> None:
    (ran / "telling.py").write_text(
        "from artvcs import pipeline, step\n"
        "@step\ndef first() -> int:\n    print('in first')\n    return 1\n"
        "@step\ndef second(one: int) -> int:\n    print('in second')\n    return 2\n"
        "@pipeline\ndef telling():\n    second(first())\n"
    )
    code = "import sys; from artvcs.cli import start; sys.argv = ['art', 'run', 'telling.py']; start()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ran, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    said = [line.split("  ")[0] for line in done.stdout.splitlines()[:4]]
    assert said == ["in first", "✓ first", "in second", "✓ second"]


def test_a_closed_pipe_is_silent(ran: Path) -> None:
    command = f"{ART} log --json | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], cwd=ran, capture_output=True, text=True)
    assert done.stderr == ""


@pytest.mark.long
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize("verb", ["ls", "log --json", "cat nap::quick::output"])
def test_what_is_written_to_a_full_disk_ends_with_a_sentence(ran: Path, verb: str) -> None:
    done = subprocess.run(["bash", "-c", f"{ART} {verb} > /dev/full"], cwd=ran, capture_output=True, text=True)
    assert done.returncode == 6
    assert done.stderr.startswith("error: No space is left while writing the output;")


def in_a_terminal(
    folder: Path, *arguments: str, program: str = ART, typed: str = "", **environment: str
) -> str:  # fmt: skip
    """What a command writes to a terminal in which this is typed."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", **environment}
    env.pop("NO_COLOR", None) if "NO_COLOR" not in environment else None
    process = subprocess.Popen([program, *arguments], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, typed.encode())
    written = b""
    try:
        while data := os.read(ours, 65536):
            written += data
    except OSError:  # how Linux says that the other end has closed
        pass
    process.wait()
    os.close(ours)
    return written.decode()


@pytest.mark.long
def test_colours_in_a_terminal_and_none_elsewhere(ran: Path) -> None:
    assert "\x1b[3" in in_a_terminal(ran, "log")
    assert "\x1b[" not in in_a_terminal(ran, "log", NO_COLOR="1")
    assert "\x1b[" not in in_a_terminal(ran, "--no-color", "log")
    assert "\x1b[" not in art(ran, "log").stdout


WITH_RICH = """
import sys
from artvcs.cli import main
for verb in sys.argv[1:]:
    main.run(verb.split())
print("rich" in sys.modules)
"""


@pytest.mark.long
@pytest.mark.parametrize("columns", ["100", "40"])
def test_rich_is_imported_where_a_terminal_is_too_narrow_and_nowhere_else(ran: Path, columns: str) -> None:
    verbs = ["ls", "log", "log --oneline", "log --graph", "status", "show nap::quick::output"]
    command = [sys.executable, "-c", WITH_RICH, *verbs]
    piped = subprocess.run(command, cwd=ran, env={**os.environ, "COLUMNS": columns}, capture_output=True, text=True)
    assert piped.stdout.splitlines()[-1] == "False"
    assert "…" not in piped.stdout
    shown = in_a_terminal(ran, *command[1:], program=sys.executable, COLUMNS=columns).splitlines()
    assert shown[-1] == str(columns == "40")
    assert any("…" in line for line in shown) == (columns == "40")


@pytest.mark.long
def test_a_table_is_as_wide_as_the_terminal(ran: Path) -> None:
    plain = in_a_terminal(ran, "ls", COLUMNS="40", NO_COLOR="1", TERM="dumb").splitlines()
    assert 20 < max(map(len, plain)) <= 40
    piped = [line.split("  ")[1] for line in art(ran, "ls").stdout.splitlines()]
    assert [line.split("  ")[0] for line in plain][1:] == piped[1:]  # the names are whole
    coloured = in_a_terminal(ran, "ls", COLUMNS="40").splitlines()
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == plain


@pytest.mark.long
@pytest.mark.parametrize("verb", ["status", "log", "runs"])
def test_names_of_runs_are_whole_where_there_is_little_room(ran: Path, verb: str) -> None:
    names = [run["name"] for run in json.loads(art(ran, "log", "--json").stdout)]
    assert names
    shown = in_a_terminal(ran, verb, COLUMNS="40", NO_COLOR="1", TERM="dumb").split()
    assert all(name in shown for name in names)


@pytest.mark.long
def test_what_deletes_asks_in_a_terminal(ran: Path) -> None:
    art(ran, "add", "nap.py", "--name", "code")
    told = in_a_terminal(ran, "rm", "code@1", typed="n\n")
    assert re.search(r"Delete code@1 \(\d+ B, made \d+ seconds? ago\)\? \[y/N\]: ", told)
    assert "Nothing was deleted." in told
    assert "code@1" in art(ran, "ls").stdout
    assert "Delete 1 version (code@1)? [y/N]: " in in_a_terminal(ran, "prune", "--include-manual", typed="n\n")
    assert "code@1" in art(ran, "ls").stdout
    run = json.loads(art(ran, "log", "--json").stdout)[0]["name"]
    assert f"Delete the record of {run} (" in in_a_terminal(ran, "rm", run, typed="n\n")
    assert "Deleted code@1" in in_a_terminal(ran, "rm", "code@1", typed="y\n")
    assert "[y/N]" not in in_a_terminal(ran, "rm", run, "--yes")
    assert json.loads(art(ran, "log", "--json").stdout) == []


def interrupted(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of a command that asks something and is answered by Ctrl-C, and what its terminal shows."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(folder)
        os.execv(ART, [ART, *arguments])
    written, shown = b"", select.poll()  # whatever number it has: a process of many tests has many files
    shown.register(terminal, select.POLLIN)
    try:
        while True:
            if shown.poll(300):
                if not (data := os.read(terminal, 65536)):
                    break
                written += data
            elif b"[y/N]" in written:
                os.write(terminal, b"\x03")  # again where it came before anybody waited for a key
    except OSError:  # how Linux says that the other end has closed
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), written.decode()


@pytest.mark.long
def test_who_interrupts_a_question_deletes_nothing(ran: Path) -> None:
    art(ran, "add", "nap.py", "--name", "code")
    for verb in (("rm", "code@1"), ("prune", "--include-manual")):
        code, told = interrupted(ran, *verb)
        assert code == 130
        assert re.search(r"\r\n(\x1b\[31m)?error:(\x1b\[0m)? Nothing was deleted\.\r\n$", told)
    assert "code@1" in art(ran, "ls").stdout


@pytest.mark.long
def test_a_terminal_is_shown_text_and_no_noise(ran: Path) -> None:
    (ran / "text.json").write_text('{"a": 1}')
    (ran / "bytes.bin").write_bytes(b"PAR1\0\1" * 100)
    assert art(ran, "add", "text.json", "--name", "text").returncode == 0
    assert art(ran, "add", "bytes.bin", "--name", "bytes").returncode == 0
    assert in_a_terminal(ran, "cat", "text") == '{"a": 1}\r\n'
    assert art(ran, "cat", "text").stdout == '{"a": 1}'
    told = " ".join(in_a_terminal(ran, "cat", "bytes").split())
    assert "bytes is 600 B that are no text; write them to a file, as in `art cat bytes > FILE`." in told
    assert len(art(ran, "cat", "bytes").stdout) == 600


@pytest.mark.long
def test_how_far_it_is_is_shown_as_much_is_stored(ran: Path) -> None:
    with (ran / "large.bin").open("wb") as file:
        file.truncate(40 << 20)
    told = in_a_terminal(ran, "add", "large.bin", "--name", "large")
    assert re.search(r"100 %\s+40\.0 MiB of 40\.0 MiB, \S+ \S+iB/s\s+storing", re.sub(r"\x1b\[[0-9;]*m", "", told))
    (ran / "folder").mkdir()
    (ran / "large.bin").rename(ran / "folder" / "large.bin")
    assert re.search(r"40\.0 MiB, \S+ \S+iB/s +storing", in_a_terminal(ran, "add", "folder", "--name", "folder"))
    assert "storing" not in in_a_terminal(ran, "add", "nap.py", "--name", "code")
    assert "storing" not in in_a_terminal(ran, "-q", "add", "folder", "--name", "folder")


@pytest.mark.long
def test_a_spinner_while_a_step_runs_in_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\nfrom artvcs import pipeline, step\n"
        "@step\ndef slow() -> int:\n    time.sleep(0.3)\n    print('half', end='', flush=True)\n"
        "    time.sleep(0.2)\n    print(' a line')\n    return 1\n"
        "@pipeline\ndef p():\n    slow()\n"
    )
    written = in_a_terminal(tmp_path, "run", "slow.py")
    assert "⠋ slow" in written
    assert "half a line\r\n" in written, "the moving line did not cut through what the step wrote"
    assert "✓ slow" in written
    assert "⠋" not in in_a_terminal(tmp_path, "-q", "run", "slow.py", "--no-cache")


def test_marks_that_the_encoding_cannot_show_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "nap.py").write_text(SLEEPY)
    (tmp_path / "go").touch()
    done = art(tmp_path, "run", "nap.py", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "+ quick" in done.stderr


def test_ctrl_c_before_the_command_is_loaded_shows_no_traceback() -> None:
    code = """
import sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from artvcs.cli import start
start()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
