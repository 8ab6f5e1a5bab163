"""storyland: a language of little stories, written by us, whose every probability is known.

What: stories without end (`generate`, `stories`); a parser that says where a text breaks (`parse`, `sentence_accepted`,
`acceptance`); the exact law of the next tokens (`TokenLaw`); the best score any model can reach (`ceiling`).
Why: it gives a laptop-sized CALM something it can learn, and a truth to hold it against.
Where: known-truth languages are ours; the measure they check, BrierLM, is the paper's.

The language itself is in two text files beside this one, ``lexicon.txt`` and ``stories.txt``: read them. `littleland`
is a small part of it, told by the same machinery.
"""

from calm_lab.text.storyland.ceiling import Ceiling, ceiling
from calm_lab.text.storyland.grammar import build_grammar, load_grammar
from calm_lab.text.storyland.law import LawState, TokenLaw
from calm_lab.text.storyland.machine import Machine
from calm_lab.text.storyland.parse import Parse, log_probability, parse
from calm_lab.text.storyland.sentences import (
    Acceptance,
    Share,
    acceptance,
    accepted_sentences,
    sentence_accepted,
    split_sentences,
)
from calm_lab.text.storyland.source import LANGUAGES, SPLITS, VERSION, generate, machine, split_of, stories
from calm_lab.text.storyland.statistics import Statistics, statistics

__all__ = [
    "LANGUAGES",
    "SPLITS",
    "VERSION",
    "Acceptance",
    "Ceiling",
    "LawState",
    "Machine",
    "Parse",
    "Share",
    "Statistics",
    "TokenLaw",
    "acceptance",
    "accepted_sentences",
    "build_grammar",
    "ceiling",
    "generate",
    "load_grammar",
    "log_probability",
    "machine",
    "parse",
    "sentence_accepted",
    "split_of",
    "split_sentences",
    "statistics",
    "stories",
]
