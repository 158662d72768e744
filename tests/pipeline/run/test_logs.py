"""What a step prints is kept, and still goes to the terminal."""

import logging
import sys
import time
from typing import Any

import pytest

from artvcs import pipeline, step

pytestmark = pytest.mark.usefixtures("project")


def test_what_steps_print_is_kept_apart_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    @step
    def talk(word: str) -> None:
        print(word)
        print(word.upper(), file=sys.stderr)
        sys.stdout.writelines([f"{word}!\n"])

    @pipeline
    def flow() -> None:
        print("building")
        talk("a")
        talk("b")

    run = flow()
    assert [each.logs for each in run.steps.values()] == ["a\nA\na!\n", "b\nB\nb!\n"]
    assert capsys.readouterr().out == "building\na\na!\nb\nb!\n"


def test_of_steps_in_threads_whole_lines_are_shown_with_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    @step
    def talk(word: str) -> None:
        for _ in range(5):
            print(word, end=" ")
            time.sleep(0.01)
            print("and more")
        print("the rest", end="", file=sys.stderr)

    @pipeline(executor="threads", jobs=2)
    def flow() -> None:
        talk.map(["a", "b"])

    run = flow()
    assert run.steps["talk_2"].logs == "b and more\n" * 5 + "the rest"
    told = capsys.readouterr()
    assert sorted(told.out.splitlines()) == ["[talk] a and more"] * 5 + ["[talk_2] b and more"] * 5
    assert sorted(told.err.splitlines()) == ["[talk] the rest", "[talk_2] the rest"]


def test_the_streams_are_put_back() -> None:
    @step
    def talk() -> None:
        print("word")

    @pipeline
    def flow() -> None:
        talk()

    before = sys.stdout, sys.stderr
    flow()
    assert (sys.stdout, sys.stderr) == before


def test_loggers_set_up_before_the_run_are_kept_too(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("test_logs.trainer")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    stream = handler.stream

    @step
    def train() -> None:
        logging.getLogger("test_logs.trainer").warning("loss is %s", 0.5)

    @pipeline
    def flow() -> None:
        train()

    try:
        assert flow().steps["train"].logs == "loss is 0.5\n"
        assert handler.stream is stream
        assert "loss is 0.5" in capsys.readouterr().err
    finally:
        logger.removeHandler(handler)


def test_a_log_that_is_not_text_is_kept_as_well_as_it_can_be() -> None:
    @step
    def odd() -> None:
        class Stream:
            def write(self, text: str) -> int:
                return len(text)

        tee: Any = sys.stdout
        tee.stream = Stream()
        print("\ud800")

    @pipeline
    def flow() -> None:
        odd()

    assert flow().steps["odd"].logs == "?\n"
