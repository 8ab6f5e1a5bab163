"""Every error a user of calm_lab can cause, and one family name for all of them.

A message names what was wrong and what to do about it, in one line. Errors about an argument are ``ValueError`` too, so
that code which knows nothing of calm_lab still catches what it expects.
"""

from __future__ import annotations


class CalmLabError(Exception):
    """Base class: anything calm_lab refuses or cannot do, with the remedy in its message."""


class InputError(CalmLabError, ValueError):
    """An argument is out of its domain: a temperature of 0, a shape that does not fit, an unknown preset."""


class CorpusError(CalmLabError):
    """A corpus is missing, empty, unreadable or out of reach."""


class TokenizerError(CalmLabError):
    """A tokenizer file is missing or damaged."""


class CheckpointError(CalmLabError):
    """A model folder is missing, truncated, of another kind, or refused for safety."""


class TrainingError(CalmLabError):
    """A run cannot start or go on: the folder is taken, the loss is not finite, the disk is full."""


class CallBudgetExceeded(CalmLabError):
    """The exact temperature sampler used up its draws before a trial was accepted (paper Algorithm 1).

    Attributes:
        calls: draws consumed by the algorithm so far.
        trials: trials started (one trial is one pass through stage 1 and, if it passes, stage 2).
        stage1_accepts: trials whose n draws agreed.
    """

    def __init__(self, message: str, *, calls: int, trials: int, stage1_accepts: int):
        super().__init__(message)
        self.calls = calls
        self.trials = trials
        self.stage1_accepts = stage1_accepts


def choose_from(name: str, options: object, what: str) -> str:
    """The one-line text for an unknown name: what was asked, what exists, what was probably meant."""
    import difflib

    name = " ".join(name.split())[:80]
    known = sorted(str(option) for option in options)  # type: ignore[attr-defined]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"unknown {what} '{name}': choose one of {', '.join(known)}{hint}"
