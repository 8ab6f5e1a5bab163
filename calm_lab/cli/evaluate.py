"""``calm-lab evaluate``: measure a model on documents it has not seen, with standard errors.

An autoencoder is judged by the share of tokens that come back, a CALM and a token Transformer by BrierLM. On storyland
and littleland, whose law is known, the best BrierLM that any model can reach stands beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse
from calm_lab.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from calm_lab.model.checkpoint import Model
    from calm_lab.text import Tokenizer

NOISES = {"clean": 0.0, "sigma 0.3": 0.3, "posterior": None}
CEILING_STORIES = 100


@dataclass(frozen=True)
class EvaluateOptions:
    """What to measure, on what.

    Attributes:
        model: bundled name, or folder of a model or of its run.
        corpus: a corpus name, a file, a folder or a hub name; by default the one on the model's card.
        split: train, validation or test.
        documents: read at most this many documents.
        rows: score at most this many rows of text.
        positions: positions in a row: chunks for CALM and autoencoder, tokens for the Transformer.
        repeats: pairs of draws at each position of a CALM: more of them, less sampling noise.
        every: of a token Transformer, also score every so many positions alone: those where a CALM's chunks begin.
        temperature: what a token Transformer's logits are divided by.
        text_column: column of the text, where the corpus does not say.
        seed: of all draws.
        device: auto, cpu, cuda or mps.
        json: print plain data instead of a table.
    """

    model: str
    corpus: Annotated[str | None, tyro.conf.arg(metavar="CORPUS")] = None
    split: str = "test"
    documents: int = 500
    rows: int = 64
    positions: int = 128
    repeats: int = 1
    every: int = 4
    temperature: float = 1.0
    text_column: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    seed: int = 0
    device: str = "auto"
    json: bool = False


def run(args: list[str]) -> int:
    """Load, measure, print."""
    command = COMMANDS["evaluate"]
    options = parse(EvaluateOptions, args, prog="calm-lab evaluate", summary=command.summary, example=command.example)
    for name in ("documents", "rows", "positions", "repeats", "every"):
        if getattr(options, name) < 1:
            raise InputError(f"{name} must be at least 1, not {getattr(options, name)}")
    metrics = measure(options)
    print(json.dumps(metrics, indent=1) if options.json else table(metrics))
    return 0


def measure(options: EvaluateOptions) -> dict[str, Any]:
    """The metrics of ``options.model``: name to (value, standard error), and what they were measured on.

    Raises:
        CheckpointError: if the model is missing, damaged or has no tokenizer.
        CorpusError: if there is no such text.
    """
    from calm_lab.device import pick_device
    from calm_lab.model import checkpoint
    from calm_lab.model.transformer import TokenTransformer
    from calm_lab.text.corpora import load_corpus
    from calm_lab.text.storyland import LANGUAGES
    from calm_lab.training.rows import Documents, Rows

    model = checkpoint.load(options.model, pick_device(options.device))
    if model.tokenizer is None:
        raise CheckpointError(
            f"{options.model}: has no tokenizer.json, so text cannot be read; add the one it was made with"
        )
    corpus = options.corpus or _corpus_of(options.model)
    data = load_corpus(corpus, options.split, text_column=options.text_column, count=options.documents)
    texts = [row["text"] for row in data]
    documents = Documents.tokenize(texts, model.tokenizer)
    chunk_size = 1 if isinstance(model, TokenTransformer) else model.config.chunk_size
    ids = Rows(documents, chunk_size, options.positions, model.tokenizer).evaluation(options.rows)
    metrics = _metrics(model, ids.to(pick_device(options.device)), options)
    if corpus in LANGUAGES and "BrierLM" in metrics:
        metrics |= _ceiling(model.tokenizer, texts[:CEILING_STORIES], chunk_size, corpus)
    about = {"model": options.model, "corpus": corpus, "split": options.split, "documents": len(documents)}
    return {**about, "tokens": int((ids != model.config.pad_id).sum()), "seed": options.seed, "metrics": metrics}


def _corpus_of(name: str) -> str:
    from calm_lab.model.checkpoint import read_card, resolve

    data = read_card(resolve(name)).get("data")
    corpus = data.get("corpus") if isinstance(data, dict) else None
    if not isinstance(corpus, str):
        raise InputError(f"the card of {name} names no corpus: say which text to use with --corpus")
    return corpus


def _ceiling(tokenizer: Tokenizer, texts: list[str], chunk_size: int, language: str) -> dict[str, tuple[float, float]]:
    from calm_lab.text.storyland import ceiling, machine

    best = ceiling(
        tokenizer, texts, chunk_size, eos_id=tokenizer.eos_id, pad_id=tokenizer.pad_id, machine=machine(language)
    )
    errors = best.standard_errors
    return {
        "best BrierLM of all models": (best.brier_lm, errors["brier_lm"]),
        "entropy, bits a token": (best.entropy_bits_per_token, errors["entropy_bits_per_token"]),
    }


def _metrics(model: Model, ids: Any, options: EvaluateOptions) -> dict[str, tuple[float | None, float | None]]:
    from calm_lab.device import generator
    from calm_lab.model.autoencoder import Autoencoder
    from calm_lab.model.calm import CALM
    from calm_lab.toolkit.evaluation import evaluate_calm, evaluate_transformer
    from calm_lab.toolkit.reconstruction import token_accuracy

    stream = generator(options.seed, ids.device)
    if isinstance(model, Autoencoder):
        shares = {name: token_accuracy(model, ids, sigma, stream) for name, sigma in NOISES.items()}
        return {f"token accuracy, {name}": (share.value, share.standard_error) for name, share in shares.items()}
    if isinstance(model, CALM):
        return _scores(evaluate_calm(model, ids, stream, options.repeats).to_dict())
    metrics = _scores(evaluate_transformer(model, ids, stream, temperature=options.temperature).to_dict())
    aligned = evaluate_transformer(
        model, ids, stream, every=options.every, offset=1, temperature=options.temperature
    ).to_dict()
    metrics |= {f"{name}, every {options.every} tokens": value for name, value in _scores(aligned).items()}
    metrics.pop(f"cross-entropy, nats a token, every {options.every} tokens")  # it is of all tokens both times
    return metrics


def _scores(found: dict[str, Any]) -> dict[str, tuple[float | None, float | None]]:
    """What an evaluation found, as name to (value, standard error)."""
    metrics = {"BrierLM": (found["brier_lm"], found["brier_lm_standard_error"])}
    for n, (value, error) in enumerate(zip(found["brier"], found["brier_standard_errors"], strict=True), 1):
        metrics[f"Brier-{n}"] = (value, error)
    if "cross_entropy" in found:
        metrics["cross-entropy, nats a token"] = (found["cross_entropy"], None)
    return metrics


def table(found: dict[str, Any]) -> str:
    """The metrics as aligned text, with what they were measured on in the first line."""
    lines = [
        f"{found['model']} on {found['corpus']}, {found['split']}: {found['documents']} documents,"
        f" {found['tokens']:,} tokens, seed {found['seed']}"
    ]
    for name, (value, error) in found["metrics"].items():
        shown = "undefined: some Brier-n is not above 0" if value is None else f"{value:.4f}"
        lines.append(f"  {name:<28} {shown}" + (f" +- {error:.4f}" if value is not None and error is not None else ""))
    return "\n".join(lines)
