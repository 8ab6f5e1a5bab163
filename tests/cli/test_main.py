"""The promise of the command line: help at once, one line for every mistake, exit codes that scripts can rely on."""

from __future__ import annotations

import dataclasses
import os
import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calm_lab import cli
from calm_lab.cli.commands import COMMANDS, Command, overview
from calm_lab.cli.parsing import parse
from calm_lab.errors import CheckpointError, InputError
from calm_lab.version import __version__


@dataclasses.dataclass(frozen=True)
class Options:
    """Options to try.

    Attributes:
        steps: how many.
        name: what it is called.
        fast: whether to hurry.
    """

    steps: int = 3
    name: str = "x"
    fast: bool = False


def read(*words: str) -> Options:
    return parse(Options, words, prog="calm-lab try", summary="try it", example="calm-lab try --steps 2")


def standin(monkeypatch: pytest.MonkeyPatch, error: BaseException | None, code: int = 0) -> None:
    """Put a command ``try`` in the table that raises ``error``, or returns ``code``."""

    class Standin(Command):
        def run(self, args: object) -> int:
            if error is not None:
                raise error
            return code

    monkeypatch.setitem(COMMANDS, "try", Standin("try", "try it", "calm-lab try", "none"))


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_shows_every_command_with_one_example(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 0
    shown = capsys.readouterr().out
    for command in COMMANDS.values():
        assert f"  {command.name} " in shown
        assert shown.count(f"$ {command.example}\n") == 1


def test_help_fits_a_usual_terminal() -> None:
    assert max(map(len, overview().splitlines())) <= 100


def test_every_command_of_the_design_is_there() -> None:
    wanted = "doctor corpora train evaluate generate app models reproduce flops import-official"
    assert set(COMMANDS) == set(wanted.split())


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_every_example_names_its_command(command: Command) -> None:
    assert shlex.split(command.example)[:2] == ["calm-lab", command.name]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"calm-lab {__version__}\n"


def test_unknown_command_is_one_line_with_a_guess(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["genrate"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("calm-lab: error: unknown command 'genrate'")
    assert "did you mean 'generate'?" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("no\nsuch  thing"), 2, "calm-lab: error: no such thing\n"),
        (CheckpointError("broken: load it again"), 2, "calm-lab: error: broken: load it again\n"),
        (OSError(28, "No space left on device", "runs/a"), 2, "calm-lab: error: No space left on device: runs/a\n"),
        (OSError("Cannot find empty port"), 2, "calm-lab: error: Cannot find empty port\n"),
        (KeyboardInterrupt(), 130, "calm-lab: interrupted\n"),
        (SystemExit(0), 0, ""),
        (SystemExit(3), 3, ""),
    ],
)
def test_every_end_has_its_code_and_at_most_one_line(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    standin(monkeypatch, error)
    assert cli.main(["try"]) == code
    assert capsys.readouterr().err == line


def test_a_bug_of_ours_is_not_dressed_up_as_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    standin(monkeypatch, KeyError("ours"))
    with pytest.raises(KeyError):
        cli.main(["try"])


def test_the_code_of_a_command_is_the_code_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    standin(monkeypatch, None, code=1)
    assert cli.main(["try"]) == 1


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "calm_lab.cli", "--help"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == b""


def test_a_terminal_that_knows_only_ascii_is_enough() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "calm_lab.cli", "页"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"calm-lab: error: unknown command")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_wrong_option_reads_the_same_with_and_without_line_characters(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "calm_lab.cli", "app", "--port", "http"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 2
    assert b"--port" in done.stderr
    assert b"'http'" in done.stderr
    assert b"(see calm-lab app --help)" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_options_come_from_the_dataclass() -> None:
    assert read() == Options()
    assert read("--steps", "7", "--name", "two words", "--fast") == Options(7, "two words", True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--stepz", "3"], "--stepz"),
        (["--steps", "many"], "'many'"),
        (["--steps"], "--steps"),
        (["left", "over"], "left"),
        (["--name", "a", "b" * 300], "b" * 300),
    ],
)
def test_wrong_options_are_one_line(words: list[str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        read(*words)
    message = str(caught.value)
    assert told in message.replace(" ", "") or told in message
    assert message.endswith("(see calm-lab try --help)")
    assert not set(message) & set("\n│╭╮╰╯─")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=4))
def test_whatever_is_typed_the_answer_is_options_or_one_line(words: list[str]) -> None:
    asks_help = bool({"-h", "--help"} & set(words)) or any(word.startswith("--tyro") for word in words)
    outcome: object = None
    try:
        outcome = read(*words)
    except InputError as error:
        outcome = str(error)
    except SystemExit as stop:
        outcome = "help" if not stop.code else stop.code
    if isinstance(outcome, str) and outcome != "help":
        assert outcome.endswith("(see calm-lab try --help)")
    else:
        assert isinstance(outcome, Options) or (outcome == "help" and asks_help)


def test_help_of_a_command_has_its_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        read("--help")
    assert not stop.value.code
    shown = capsys.readouterr().out
    assert "Example: calm-lab try --steps 2" in shown
    assert "--steps" in shown
    assert "how many" in shown
