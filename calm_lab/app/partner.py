"""Which token Transformer may stand beside a CALM: one of the same corpus and tokenizer, the nearest in size."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from calm_lab.app.bench import Bench
from calm_lab.app.shelf import Entry
from calm_lab.errors import CalmLabError
from calm_lab.lab.versus import Meter
from calm_lab.model.transformer import TokenTransformer
from calm_lab.text.tokenizer import Tokenizer


def partner(
    bench: Bench, entry: Entry, tokenizer: Tokenizer
) -> tuple[tuple[Entry, TokenTransformer] | None, dict[str, Any] | None]:
    """The token Transformer to set beside a CALM (same corpus and tokenizer, nearest in size), or why there is none."""
    others = bench.shelf.entries("transformer")
    corpus = [other for other in others.values() if other.corpus == entry.corpus]
    fitting: list[tuple[Entry, TokenTransformer]] = []
    for other in corpus:
        try:
            model = bench.shelf.transformer(other.name)
        except CalmLabError:
            continue  # a damaged folder beside good ones must not hide them
        if model.tokenizer == tokenizer:
            fitting.append((other, model))
    if not fitting:
        inner = Path(bench.shelf.calm(entry.name).autoencoder.name)  # whose tokenizer it must take
        own = inner.parent.name == entry.folder.name
        return None, {
            "model": entry.name,
            "corpus": entry.corpus,
            "tokenizer": f"{entry.name}/{inner.name}" if own else inner.name,
            "found": len(others),
            "same_corpus": len(corpus),
        }
    size = Meter(bench.shelf.calm(entry.name)).spent.parameters
    return min(fitting, key=lambda pair: abs(math.log(Meter(pair[1]).spent.parameters / size))), None
