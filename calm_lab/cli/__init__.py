"""The command line, above all floors: ``calm-lab COMMAND``.

Commands parse their arguments with tyro from frozen dataclasses, one module a command. This module only finds the
command and keeps one promise: whatever a user does wrong ends as one line on stderr and exit code 2, never as a
traceback.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from calm_lab.cli.commands import COMMANDS, overview
from calm_lab.errors import CalmLabError, InputError, choose_from
from calm_lab.version import __version__

USER_ERROR = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after ``calm-lab``; by default those of the process.

    Returns:
        The exit code: 0 done, 1 the command found something wrong (``doctor``), 2 wrong input, 130 interrupted, 141 the
        reader of our output went away.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character must not end the program
            stream.reconfigure(errors="replace")
    try:
        code = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except CalmLabError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        print("calm-lab: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return BROKEN_PIPE
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _complain(f"{error.strerror or error}{where}")
    return code


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if argv[0] in ("-V", "--version", "version"):
        print(f"calm-lab {__version__}")
        return 0
    if argv[0] not in COMMANDS:
        raise InputError(choose_from(argv[0], COMMANDS, "command"))
    try:
        return COMMANDS[argv[0]].run(argv[1:])
    except SystemExit as stop:  # tyro leaves this way after --help
        return stop.code if isinstance(stop.code, int) else 0


def _complain(message: str) -> int:
    print(f"calm-lab: error: {' '.join(message.split())}", file=sys.stderr)
    return USER_ERROR


def _silence_stdout() -> None:
    """Point stdout at nothing, so that Python's own flush at exit does not complain about the pipe again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
