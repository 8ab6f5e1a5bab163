"""The ten steps of the tour: each a small experiment, its picture as plain data, its sentences and its numbers as rows.

Numbers are ``calm_lab.lab.tour``'s and those of the modules that the other tabs show. A step gets settings that
``calm_lab.app.tour_answers`` has checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from calm_lab.app.bench import Bench
from calm_lab.app.shelf import Kind
from calm_lab.lab import tour
from calm_lab.lab.brier_noise import Z_95, scored
from calm_lab.lab.energy_plane import Plane, read_plane, spread_curve
from calm_lab.lab.examples import prompts_for
from calm_lab.lab.falling import fall
from calm_lab.lab.table1 import PAPER_TABLE_1, headline
from calm_lab.lab.vectors import Reading, read_text

VOCABS = (256, 1024, 4096, 16_384, 32_000, 65_536, 128_257, 262_144, 1_048_576, 2_097_152)
SIGMAS = tuple(step / 10 for step in range(21))
KINDS: tuple[Kind, ...] = ("calm", "transformer")


def _see(*sentences: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"see": [[key, {name: str(value) for name, value in values.items()}] for key, values in sentences]}


def _percent(value: float, sign: bool = False) -> str:
    return f"{value:+.0%}" if sign else f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"


def _token(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    found, most = tour.carried(now["vocab"]), tour.carried(VOCABS[-1])
    top = most.softmax + most.rest
    bars = [
        _bar("bits", found.bits, most.bits, f"{found.bits:.1f}"),
        _bar("softmax", found.softmax, top, f"{found.softmax / 1e6:,.0f} M", kind="sample"),
        _bar("rest", found.rest, top, f"{found.rest / 1e6:,.0f} M", kind="quiet"),
    ]
    values = {"bits": f"{found.bits:.1f}", "vocab": f"{found.vocab_size:,}", "doubled": _percent(found.doubled)}
    values |= {"share": _percent(found.share), "power": f"{4 * found.bits:.0f}"}
    rows = [{"vocab_size": found.vocab_size, "bits": found.bits, "softmax": found.softmax, "rest": found.rest}]
    return {"bars": bars, "rows": rows, **_see(("tour_see_1", values))}


def _bar(key: str, value: float, of: float, text: Any, kind: str = "", **values: Any) -> dict[str, Any]:
    return {"key": key, "share": value / of, "text": text, "kind": kind, "values": values}


def _reading(bench: Bench, now: dict[str, Any], sigma: float = 0.0) -> Reading:
    return read_text(bench.shelf.autoencoder(), now["text"], sigma, now["seed"], bench.limits.shown_tokens)


def _vectors(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    reading = _reading(bench, now)
    values = {"total": reading.total, "correct": reading.correct}
    values |= {"vectors": reading.mean.shape[0], "size": reading.mean.shape[1]}
    return {"reading": reading.to_dict(3), "rows": _tokens(reading), **_see(("tour_see_2", values))}


def _tokens(reading: Reading) -> list[dict[str, Any]]:
    """A row for each token: what went in, what came back, how sure the decoder is."""
    chunks, size = reading.ids.shape
    return [
        {"chunk": s + 1, "place": k + 1, "token": reading.tokens[s][k], "decoded": reading.decoded_tokens[s][k]}
        | {"wrong": bool(reading.wrong[s, k]), "confidence": float(reading.confidence[s, k])}
        for s in range(chunks)
        for k in range(size)
    ]


def _bits(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    reading = _reading(bench, now)
    bits, name = reading.bits.sum(-1).tolist(), reading.bits_to_name
    of = max(*bits, name)
    bars = [
        _bar("chunk", one, of, ["bar_value", {"bits": f"{one:.0f}"}], number=i) | {"mark": name / of}
        for i, one in enumerate(bits, 1)
    ]
    mean = sum(bits) / len(bits)
    values = {"bits": f"{mean:.0f}", "name": f"{name:.0f}", "ratio": f"{mean / name:.1f}", "k": reading.ids.shape[1]}
    rows = [{"chunk": i, "bits": one, "bits_to_name": name} for i, one in enumerate(bits, 1)]
    return {"bars": bars, "rows": rows, **_see(("tour_see_3", values))}


def _noise(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    reading = _reading(bench, now, now["sigma"])
    values = {"sigma": f"{reading.sigma:.1f}", "correct": reading.correct, "total": reading.total}
    falling = fall(bench.shelf.autoencoder(), now["text"], now["seed"], SIGMAS, bench.limits.shown_tokens)
    wrong = [s for i, s in enumerate(falling.sigmas) if falling.correct(i) < reading.total]
    told = ("tour_see_4", {**values, "holds": f"{wrong[0]:.1f}"}) if wrong else ("tour_see_4_always", values)
    return {"reading": reading.to_dict(3), "rows": _tokens(reading), **_see(told)}


def _energy(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    plane = Plane(cloud=(-now["away"], 0.0), spread=now["spread"], target=(0.0, 0.0))
    found = read_plane(plane)
    numbers = {name: getattr(found, name) for name in ("diversity", "fidelity", "score", "expected", "best")}
    values = {name: f"{number:.2f}".replace("-", "−") for name, number in numbers.items()}
    curve = spread_curve(plane)
    picture = {
        "samples": found.samples.tolist(),
        "targets": found.targets.tolist(),
        "curve": curve,
        "here": plane.spread,
        "best": found.best,
    }
    rows = [{"spread": spread, "expected": score} for spread, score in curve]
    return {"plane": picture, "rows": rows, **_see(("tour_see_5", {**values, "spread": plane.target_spread}))}


def _brier(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    found = tour.judge(now["positions"], now["seed"])
    last = found.points[-1]
    values = {"positions": f"{last.positions:,}", "exact": f"{found.exact.brier_lm:.2f}"}
    values |= {"ceiling": f"{found.ceiling.brier_lm:.2f}"}
    told = ("tour_see_6_none", values)
    if math.isfinite(last.brier_lm):
        error = f"{Z_95 * last.brier_lm_error:.2f}"
        told = ("tour_see_6", {**values, "value": f"{last.brier_lm:.2f}", "error": error})
    points = [
        [point.positions, point.brier_lm, point.brier_lm_error]
        for point in found.points
        if math.isfinite(point.brier_lm) and math.isfinite(point.brier_lm_error)
    ]
    curve = {"points": points, "exact": found.exact.brier_lm, "positions": now["positions"]}
    rows = [{"positions": n, "brier_lm": value, "standard_error": error} for n, value, error in points]
    return {"draws": found.rows, "curve": curve, "rows": rows, **_see(told)}


def _temperature(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    found = tour.cool(now["n"], now["seed"])
    rows: list[dict[str, Any]] = [
        {"answer": name, "law": share, "count": count, "chosen": chosen, "goal": goal}
        for (name, share), count, chosen, goal in zip(
            tour.LAW.items(), found.counts, found.chosen, found.goal, strict=True
        )
    ]
    bars = [
        _bar("count", row["chosen"], 1.0, _percent(row["chosen"]), name=row["answer"], count=row["count"])
        | {"mark": row["goal"]}
        for row in rows
    ]
    name, plain = next(iter(tour.LAW.items()))
    values = {"n": found.n, "name": name, "chosen": _percent(found.chosen[0]), "goal": _percent(found.goal[0])}
    return {"bars": bars, "rows": rows, "key": "goal", **_see(("tour_see_7", {**values, "plain": _percent(plain)}))}


def _sentence(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    entry = bench.shelf.entry("calm")
    prompt = prompts_for(entry.corpus)[0].text
    pools = tour.write(bench.shelf.calm(entry.name), prompt, now["n"], now["seed"])
    chunks: list[dict[str, Any]] = []
    for pool in pools:
        chosen = next((one for one in pool.candidates if one.chosen), pool.candidates[0])
        chunks.append({"tokens": chosen.tokens, "roles": chosen.roles, "count": chosen.count, "draws": pool.seen})
    values = {"steps": len(pools), "n": now["n"], "draws": pools[0].seen, "model": entry.name}
    repeated = sum(pool.used >= now["n"] for pool in pools)
    told = ("tour_see_8_all", values)
    if repeated < len(pools):
        told = ("tour_see_8", {**values, "repeated": repeated})
    rows = [
        {"step": i, "text": "".join(chunk["tokens"]), "count": chunk["count"], "draws": chunk["draws"]}
        for i, chunk in enumerate(chunks, 1)
    ]
    return {"written": {"prompt": prompt, "chunks": chunks}, "rows": rows, **_see(told)}


def _price(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    plain, *found = tour.prices(sorted({*tour.CHUNK_SIZES, now["chunk_size"]}))
    mine = next(one for one in found if one.chunk_size == now["chunk_size"])
    of = max(one.token for one in (plain, *found))
    bars = [_bar("transformer", plain.token, of, f"{plain.token / 1e6:,.0f} M", kind="quiet")]
    bars += [
        _bar("", one.token, of, f"{one.token / 1e6:,.0f} M", kind="sample" if one is mine else "")
        | {"name": f"K = {one.chunk_size}", "mark": plain.token / of}
        for one in found
    ]
    values = {"k": mine.chunk_size, "step": f"{mine.step / plain.step:.2f}", "token": f"{mine.token / plain.token:.2f}"}
    values |= {"pool": tour.DRAWS, "pooled": f"{mine.pooled / plain.token:.1f}"}
    rows = [vars(one) for one in (plain, *found)]
    return {"bars": bars, "rows": rows, **_see(("tour_see_9", values))}


def _honest(bench: Bench, now: dict[str, Any]) -> dict[str, Any]:
    pair = headline()[now["pair"]]
    values: dict[str, Any] = {"calm": pair.calm, "transformer": pair.transformer, "gap": f"{pair.brier_lm:+.2f}"}
    values |= {"training": _percent(pair.training, True), "inference": _percent(pair.inference, True)}
    sentences = [("tour_see_10", {name: value.replace("-", "−") for name, value in values.items()})]
    sentences[0][1].update(calm=pair.calm, transformer=pair.transformer)
    models = (
        scored(entry.name, kind, entry.config, entry.card)
        for kind in KINDS
        for entry in bench.shelf.entries(kind).values()
    )
    known = tour.ours(models)
    scores = [model.brier_lm for model in known if model.brier_lm is not None]
    if scores:
        ceilings = sorted({f"{model.ceiling:.1f}" for model in known if model.ceiling}, key=float)
        told = {
            "ceiling": "–".join(dict.fromkeys([ceilings[0], ceilings[-1]])) if ceilings else "?",
            "count": len(scores),
            "low": f"{min(scores):.1f}",
            "high": f"{max(scores):.1f}",
        }
        sentences.append(("tour_see_10_ours", {**told, "none": len(known) - len(scores)}))
    bars = []
    for model in known:
        score, ceiling = model.brier_lm, model.ceiling or 1.0
        text = ["undefined", {}] if score is None else f"{score:.1f}" + (f" ± {model.error:.1f}" if model.error else "")
        bars.append(_bar("", score or 0.0, ceiling, text) | {"name": model.name})
    paper = [
        {"name": row.model, "x": row.training, "y": row.brier_lm, "chosen": row.model in (pair.calm, pair.transformer)}
        for row in PAPER_TABLE_1
    ]
    rows: list[dict[str, Any]] = [
        {"model": row.model, "training": row.training, "brier_lm": row.brier_lm} for row in PAPER_TABLE_1
    ]
    rows += [{"model": model.name, "training": None, "brier_lm": model.brier_lm} for model in known]
    return {"paper": paper, "bars": bars, "rows": rows, **_see(*sentences)}


ANSWERS: tuple[Callable[[Bench, dict[str, Any]], dict[str, Any]], ...] = (
    *(_token, _vectors, _bits, _noise, _energy),
    *(_brier, _temperature, _sentence, _price, _honest),
)
"""What each step answers: its picture, ``see`` (sentences as keys of words with their gaps) and ``rows`` for CSV."""
