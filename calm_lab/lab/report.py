"""What a finished model reaches, measured on documents it has not seen: the numbers on its card.

An autoencoder is judged on unseen tales, unseen stories and on text of another world (Wikipedia summaries). A CALM on
storyland or littleland is held against the language itself: BrierLM's exact ceiling, and the language's own parser.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import CalmLabError
from calm_lab.lab.allowed import allowed_draws
from calm_lab.lab.noise_sweep import COLLAPSED_NATS
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.heads import EnergyHead
from calm_lab.model.transformer import TokenTransformer
from calm_lab.text.corpora import load_corpus
from calm_lab.text.storyland.ceiling import Ceiling, ceiling
from calm_lab.text.storyland.sentences import Share, acceptance
from calm_lab.text.storyland.source import LANGUAGES, machine
from calm_lab.toolkit.evaluation import evaluate_calm, evaluate_transformer
from calm_lab.toolkit.reconstruction import token_accuracies
from calm_lab.toolkit.texts import write_texts
from calm_lab.training.rows import Documents, Rows

TEMPERATURES = {"1": 1.0, "1/2": 1 / 2, "1/3": 1 / 3}


def unseen(corpus: str, splits: Iterable[str] = ("test",), count: int | None = None) -> list[str]:
    """Documents of ``corpus`` that no training has seen."""
    return [row["text"] for split in splits for row in load_corpus(corpus, split, count=count)]


def report_autoencoder(model: Autoencoder, corpus: str = "andersen+storyland", seed: int = 0) -> dict[str, Any]:
    """Token accuracy on unseen text, clean and under noise, and what the posterior looks like.

    One that was trained on a single generated language is judged on that; any other on tales, stories and, where they
    have been fetched, Wikipedia summaries. The headline is that of the first text.
    """
    tokenizer = model.tokenizer
    assert tokenizer is not None
    if corpus in LANGUAGES:
        texts = {corpus: unseen(corpus, count=300)}
    else:
        texts = {"andersen": unseen("andersen", ("validation", "test")), "storyland": unseen("storyland", count=300)}
        with contextlib.suppress(CalmLabError):  # evaluation text of another world; not everyone has fetched it
            texts["wikipedia-summaries"] = unseen("wikipedia-summaries", count=300)
    report: dict[str, Any] = {}
    for name, documents in texts.items():
        rows = Rows(Documents.tokenize(documents, tokenizer), model.config.chunk_size, 64, tokenizer)
        ids = rows.evaluation(1_000_000)
        shares = token_accuracies(model, ids, generator(seed, ids.device))
        report[name] = {sigma: _with_error(share.value, share.standard_error) for sigma, share in shares.items()}
        report[name]["tokens"] = shares["clean"].total
        if "headline" not in report:
            report["posterior"] = _posterior(model, ids)
            report["headline"] = {sigma: shares[sigma].value for sigma in ("clean", "sigma_0.3")}
    return report


def _with_error(value: float, error: float) -> dict[str, float]:
    return {"value": value, "standard_error": error}


@torch.no_grad()
def _posterior(model: Autoencoder, ids: Tensor) -> dict[str, float]:
    posterior = model.encode(ids[:64])
    nats = posterior.kl().flatten(0, 1).mean(0)  # (l,)
    return {
        "mean_sigma": float(posterior.std.mean()),
        "collapsed_coordinates": int((nats < COLLAPSED_NATS).sum()),
        "latent_size": model.config.latent_size,
        "kl_nats_per_chunk": float(nats.sum()),
    }


def report_posterior(model: Autoencoder, corpus: str, seed: int = 0, count: int = 300) -> dict[str, float]:
    """One row of numbers on an autoencoder: accuracy on unseen documents of one corpus, and its posterior."""
    tokenizer = model.tokenizer
    assert tokenizer is not None
    documents = Documents.tokenize(unseen(corpus, count=count), tokenizer)
    size = model.config.chunk_size
    ids = Rows(documents, size, 256 // size, tokenizer).evaluation(1_000_000).to(next(model.parameters()).device)
    shares = token_accuracies(model, ids, generator(seed, ids.device))
    return {name: share.value for name, share in shares.items()} | _posterior(model, ids)


def report_brier(
    model: CALM | TokenTransformer, corpus: str, seed: int = 0, repeats: int = 2, count: int = 400
) -> dict[str, Any]:
    """One row of numbers on a language model: BrierLM and what it is made of, at the starts of chunks of four.

    The Transformer is scored where a CALM with K = 4 is, so that the two differ in the model and nothing else; a CALM
    of another K at the starts of its own chunks.
    """
    if isinstance(model, CALM):
        _, ids = document_rows(model, corpus, model.config.chunk_size, count)
        found = evaluate_calm(model, ids, generator(seed, ids.device), repeats=repeats)
    else:
        _, ids = document_rows(model, corpus, 1, count)
        found = evaluate_transformer(model, ids, generator(seed, ids.device), every=4, offset=1)
    data = found.to_dict()
    flat = {name: data[name] for name in ("brier_lm", "brier_lm_standard_error", "positions")}
    for name in ("brier", "accuracy", "collision"):
        flat |= {f"{name}_{n + 1}": value for n, value in enumerate(data[name])}
    return flat | {name: data[name] for name in ("cross_entropy", "reason") if name in data}


def report_calm(
    model: CALM, corpus: str, seed: int = 0, stories: int | None = None, repeats: int = 4
) -> dict[str, Any]:
    """BrierLM on unseen documents; where the language is known, its exact ceiling and the share of accepted texts.

    Accepted are ``stories`` asked for: by default 200, and 20 of a head that takes many steps a draw.
    """
    if stories is None:
        stories = 200 if isinstance(model.head, EnergyHead) else 20
    documents, ids = document_rows(model, corpus, model.config.chunk_size)
    evaluation = evaluate_calm(model, ids, generator(seed, ids.device), repeats=repeats)
    report: dict[str, Any] = {"test": evaluation.to_dict(), "documents": len(documents)}
    report["headline"] = {"brier_lm": report["test"]["brier_lm"]}
    language = machine(corpus) if corpus in LANGUAGES else None
    if language is not None:
        best = ceiling(model.tokenizer, documents, model.config.chunk_size, machine=language)  # type: ignore[arg-type]
        report |= _against(best, evaluation.brier.brier_lm)
        report["allowed"] = allowed_draws(model, documents[:40], seed=seed, machine=language).to_dict()
    report["samples"] = {}
    for name, temperature in TEMPERATURES.items():
        count = stories if language else 3  # without a parser nobody judges the others
        texts = write_texts(model, count, temperature=temperature, seed=seed)
        report["samples"][name] = {"seed": seed, "first_three": texts[:3]}
        if language is not None:
            accepted = acceptance(texts, language)
            report["samples"][name]["stories_accepted"] = _share(accepted.stories)
            report["samples"][name]["sentences_accepted"] = _share(accepted.sentences)
    return report


def report_transformer(model: TokenTransformer, corpus: str, seed: int = 0, every: int = 4) -> dict[str, Any]:
    """BrierLM at every position and at chunk-aligned ones, and cross-entropy, on unseen documents."""
    documents, ids = document_rows(model, corpus, 1)
    noise = generator(seed, ids.device)
    whole = evaluate_transformer(model, ids, noise).to_dict()  # first: the card's numbers hang on the order of draws
    aligned = evaluate_transformer(model, ids, noise, every=every, offset=1)
    report = {"test": whole, f"test_every_{every}": aligned.to_dict(), "documents": len(documents)}
    if corpus in LANGUAGES:
        known = machine(corpus)
        best = ceiling(model.tokenizer, documents, every, machine=known)  # type: ignore[arg-type]  # where aligned
        report |= _against(best, aligned.brier.brier_lm)
    return report


def document_rows(
    model: CALM | TokenTransformer, corpus: str, chunk_size: int, count: int = 200
) -> tuple[list[str], Tensor]:
    """Unseen documents, at most ``count`` of a split: stories a row each, others packed, as in training."""
    tokenizer = model.tokenizer
    assert tokenizer is not None
    whole = corpus in LANGUAGES
    documents = unseen(corpus, count=count) if whole else unseen(corpus, ("validation", "test"), count)
    rows = Rows(Documents.tokenize(documents, tokenizer), chunk_size, 512 // chunk_size, tokenizer)
    ids = rows.one_each(len(documents)) if whole else rows.evaluation(400)
    return documents, ids.to(next(model.parameters()).device)


def _against(best: Ceiling, brier_lm: float) -> dict[str, Any]:
    """A score beside the best possible, and the two as the headline."""
    share = brier_lm / best.brier_lm
    defined = None if math.isnan(brier_lm) else brier_lm
    headline = {"brier_lm": defined, "ceiling": best.brier_lm, "share_of_ceiling": share}
    return {"ceiling": _ceiling(best), "share_of_ceiling": share, "headline": headline}


def _ceiling(best: Ceiling) -> dict[str, Any]:
    return {
        "brier_lm": best.brier_lm,
        "brier_lm_standard_error": best.standard_errors["brier_lm"],
        "brier": list(best.brier),
        "entropy_bits_per_token": best.entropy_bits_per_token,
        "positions": best.positions,
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "accepted": share.accepted,
        "total": share.total,
        "share": share.fraction,
        "interval_95": list(share.interval),
    }
