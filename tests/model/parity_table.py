"""Every recorded array of the official implementation against ours: one row a quantity, with its largest error.

``python -m tests.model.parity_table`` prints the table, with ``--by-file`` one row a file. test_golden.py holds every
row to its tolerance, and the table to completeness: an array of the record that no row reads is a failure.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from calm_lab.model.autoencoder import Autoencoder, DropNoise
from calm_lab.model.calm import CALM
from calm_lab.model.heads import DiffusionHead, EnergyHead, FlowHead
from calm_lab.model.heads.diffusion import Schedule
from calm_lab.model.official import load_official
from calm_lab.model.official_names import AUTOENCODER_NAMES, ENERGY_NAMES, MODEL_NAMES, rename
from calm_lab.model.stored import read_tensors
from calm_lab.toolkit.brier import brier_n
from calm_lab.toolkit.energy import energy_score
from calm_lab.toolkit.loss import LossNoise, calm_loss
from calm_lab.toolkit.ngrams import draw_ngrams
from calm_lab.toolkit.replay import OFFICIAL, generate_ids
from calm_lab.toolkit.temperature import count_chunks, temperature_weights
from tests.model.golden import GOLDEN
from tests.model.quirks import rounded_embeddings

ABSOLUTE, LOSS, GRADIENT, EXACT = 1e-4, 1e-5, 1e-4, 0.0


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        file: the recorded file, below the golden folder.
        quantity: what is compared.
        error: the largest error; how it is measured follows from ``kind``.
        kind: ``absolute``, ``relative`` (to the largest recorded entry) or ``exact`` (the count of differing entries).
        tolerance: the largest error that passes.
    """

    file: str
    quantity: str
    error: float
    kind: str
    tolerance: float


class Record(dict[str, Tensor]):
    """A recorded file that remembers which of its arrays were read."""

    def __init__(self, path: Path):
        super().__init__(load_file(path) if path.suffix == ".safetensors" else read_tensors(path))
        self.file = str(path.relative_to(GOLDEN))
        self.unread = set(self)

    def __getitem__(self, name: str) -> Tensor:
        self.unread.discard(name)
        return super().__getitem__(name)

    def absolute(self, name: str, ours: Tensor, tolerance: float = ABSOLUTE) -> Row:
        return Row(self.file, name, _gap(ours, self[name]), "absolute", tolerance)

    def relative(self, name: str, ours: Tensor, tolerance: float = LOSS) -> Row:
        recorded = self[name]
        return Row(self.file, name, _gap(ours, recorded) / recorded.abs().max().item(), "relative", tolerance)

    def exact(self, name: str, ours: Tensor, quantity: str | None = None) -> Row:
        assert ours.shape == self[name].shape, (name, ours.shape, self[name].shape)
        return Row(self.file, quantity or name, float((ours != self[name]).sum()), "exact", EXACT)


def _gap(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return (ours.detach().double() - theirs.double()).abs().max().item()


def load_calm(name: str) -> CALM:
    """An official CALM, its own parameters ready for gradients."""
    model = load_official(GOLDEN / name)
    assert isinstance(model, CALM)
    for parameter in model.trainable().values():
        parameter.requires_grad_(True)
    return model


def _settings(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((GOLDEN / name / "io.json").read_text())
    return data


# --- autoencoder


def autoencoder_rows(name: str) -> Iterator[tuple[Record, list[Row]]]:
    r = Record(GOLDEN / name / "io.safetensors")
    model = load_official(GOLDEN / name)
    assert isinstance(model, Autoencoder)
    ids, size = r["input_ids"], model.config.chunk_size
    chunked = (*ids.view(ids.shape[0], -1, size).shape[:2], -1)
    posterior = model.encode(ids)
    logits = model.decode_logits(r["dec_latents"]).flatten(1, 2)
    rows = [r.absolute("mean", posterior.mean), r.absolute("log_std", posterior.log_std)]
    rows.append(r.absolute("dec_logits", logits))
    decoded = _differ(model.decode(r["dec_latents"]), r["dec_logits"])
    rows.append(Row(r.file, "decode(dec_latents)", decoded, "exact", EXACT))
    # evaluation: one posterior draw, plain cross-entropy a token
    z = posterior.sample(noise=r["eval_eps"].view(chunked))
    eval_logits = model.decode_logits(z).flatten(0, 2)
    rows.append(r.absolute("eval_logits", eval_logits))
    rows.append(r.relative("eval_loss", torch.nn.functional.cross_entropy(eval_logits, ids.flatten())))
    # training
    noise = DropNoise(
        (r["train_token_u"] <= model.config.drop_token).view(chunked),
        r["train_eps"].view(chunked),
        r["train_latent_keep"].view(chunked).bool(),
    )
    loss = model.loss(ids, noise)
    rows.append(r.relative("train_loss", loss.total))
    rows.append(r.relative("train_ce_times_k", loss.reconstruction))
    rows.append(r.relative("train_kl", loss.kl))
    with rounded_embeddings(model):
        rows.append(r.relative("train_loss_bf16_embed", model.loss(ids, noise).total))
    yield r, rows
    yield from _stored_rows(name, model)
    if (GOLDEN / name / "train_grads.safetensors").exists():
        loss.total.backward()
        gradients = Record(GOLDEN / name / "train_grads.safetensors")
        names = {official: _our_autoencoder_name(official, model) for official in gradients}
        yield gradients, _gradient_rows(gradients, names, model)


def _differ(ids: Tensor, logits: Tensor) -> float:
    return float((ids.flatten() != logits.argmax(-1).flatten()).sum())


def _our_autoencoder_name(official: str, model: Autoencoder) -> str:
    from calm_lab.model.official import _in_our_layers

    layers = {"encoder": model.config.num_encoder_layers, "decoder": model.config.num_decoder_layers}
    (ours,) = rename(_in_our_layers({official: torch.zeros(1)}, layers, tied=True), AUTOENCODER_NAMES)
    return ours


def _gradient_rows(record: Record, names: dict[str, str], model: torch.nn.Module) -> list[Row]:
    parameters = dict(model.named_parameters())
    missing = {name for name, p in parameters.items() if p.requires_grad} - set(names.values())
    assert not missing, f"no recorded gradient for {missing}"
    rows = []
    for official, ours in names.items():
        gradient = parameters[ours].grad
        assert gradient is not None, ours
        rows.append(record.relative(official, gradient, GRADIENT))
    return rows


def _stored_rows(name: str, model: torch.nn.Module) -> Iterator[tuple[Record, list[Row]]]:
    """The weight files, where a folder has two: both hold the same values."""
    files = [GOLDEN / name / file for file in ("model.safetensors", "pytorch_model.bin")]
    if all(path.exists() for path in files):
        first, second = Record(files[0]), Record(files[1])
        rows = [second.exact(key, first[key]) for key in second if key in first]
        second["decoder.lm_head_weight"]  # left out of the safetensors file by the official code
        yield second, rows
        yield first, []


# --- language model


def calm_rows(name: str) -> Iterator[tuple[Record, list[Row]]]:
    r = Record(GOLDEN / name / "io.safetensors")
    model = load_calm(name)
    head, size = model.head, model.config.chunk_size
    assert isinstance(head, EnergyHead)
    ids = r["input_ids"]
    rows = [
        r.absolute("inputs_embeds", model.chunk_embeddings(ids)),
        r.absolute("hidden_states", model.hidden_states(ids)),
        r.absolute("head_latents", head.sample(r["hidden_states"], r["head_noise_u"] - 0.5)),
    ]
    targets = r["es_mean"] + r["es_eps"] * r["es_log_std"].exp()
    for alpha in (0.5, 1.0, 1.5, 2.0):
        rows.append(r.absolute(f"es_score_beta{alpha}", energy_score(r["es_x"], targets, alpha).score))
    last = r["hidden_states"][:, -1, None]
    latents = head.sample(last.expand(-1, r["pool_noise_u"].shape[1], -1), r["pool_noise_u"] - 0.5)
    rows.append(r.exact("pool_tokens", model.autoencoder.decode(latents)))
    rows += _brier_rows(r, model)
    for setting in _settings(name)["generate"]:
        case = f"gen_{setting['name']}"
        noise = r[f"{case}_noise_u"] - 0.5
        assert noise.shape[0] == setting["steps"]
        written = generate_ids(
            model,
            r[f"{case}_prompt"],
            setting["max_length"],
            noise=noise,
            conventions=OFFICIAL,
            eos_id=setting["eos_token_id"],
        )
        rows.append(r.exact(f"{case}_out", written))
    evaluated = LossNoise(r["eval_eps"], r["eval_noise_u"] - 0.5)
    rows.append(r.relative("eval_loss", calm_loss(model, r["eval_input_ids"], None, evaluated).total))
    scored = (r["train_labels"].unflatten(-1, (-1, size)) != -100).all(-1)
    noise = LossNoise(r["train_eps"], r["train_noise_u"] - 0.5)
    loss = calm_loss(model, ids, scored, noise).total
    rows.append(r.relative("train_loss", loss))
    with rounded_embeddings(model.autoencoder):
        rows.append(r.relative("train_loss_bf16_embed", calm_loss(model, ids, scored, noise).total))
    yield r, rows
    if (GOLDEN / name / "train_grads.safetensors").exists():
        loss.backward()
        gradients = Record(GOLDEN / name / "train_grads.safetensors")
        names = {official: next(iter(rename({official: loss}, MODEL_NAMES, ENERGY_NAMES))) for official in gradients}
        yield gradients, _gradient_rows(gradients, names, model)


def _brier_rows(r: Record, model: CALM) -> list[Row]:
    """The evaluation's Brier-1..4, from samples 0 and 1 of its forward; the official loop leaves out the last start."""
    ids, size = r["eval_input_ids"], model.config.chunk_size
    batch, chunks = ids.shape[0], ids.shape[1] // size
    noise = (r["eval_noise_u"][:2] - 0.5).unflatten(1, (batch, chunks - 1))  # (2, B, S - 1, s)
    if "brier_latents" in r:
        draws = draw_ngrams(model, ids, noise=noise)
        first, second = (model.autoencoder.decode(z).flatten(1) for z in r["brier_latents"])
        shape = (batch, chunks - 1, size)
        values = brier_n(*(r[key].view(shape) for key in ("brier_pred1", "brier_pred2", "brier_targets")))
        return [
            r.exact("eval_brier", draws.terms().score.mean((0, 1))),
            r.exact("brier_pred1", first),
            r.exact("brier_pred2", second),
            r.exact("brier_values", values),
        ]
    steps = (r["brier_step_noise_u"] - 0.5)[:, 0]  # (starts, 2, B, s): of each start the one further chunk
    assert r["brier_step_used"].shape == (steps.shape[0], 1)
    tail = torch.zeros(1, 2, batch, chunks - 2, steps.shape[-1])
    tail[0, :, :, : steps.shape[0]] = steps.permute(1, 2, 0, 3)
    terms = draw_ngrams(model, ids, noise=noise, tail_noise=tail).terms()
    return [r.exact("eval_brier", terms.score[:, : steps.shape[0]].mean((0, 1)), "eval_brier (all but the last start)")]


# --- flow and diffusion


def flow_rows() -> Iterator[tuple[Record, list[Row]]]:
    r = Record(GOLDEN / "flow_k4" / "io.safetensors")
    model = load_calm("flow_k4")
    head = model.head
    assert isinstance(head, FlowHead)
    start = r["sample_x0"].view(*r["sample_z"].shape[:-1], -1)
    seen: list[Tensor] = []
    hook = head.net.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1]))
    midpoint = head.sample(r["sample_z"], start)
    hook.remove()
    yield (
        r,
        [
            r.exact("net_t_int", (r["net_t"] * 1000).floor().long().to(r["net_t_int"].dtype)),
            r.absolute("net_out", head.velocity(r["net_x"], r["net_t"], r["net_c"])),
            r.relative("fl_loss", head.loss(r["fl_target"], r["fl_z"], r["fl_t"], r["fl_x0"])),
            r.absolute("sample_out_midpoint", midpoint),
            r.absolute("sample_out_euler", head.sample(r["sample_z"], start, steps=20, solver="euler")),
            r.exact("sample_midpoint_t_int", torch.stack([t[0] for t in seen]).to(r["sample_midpoint_t_int"].dtype)),
            _train_row(r, model, LossNoise(r["train_latent_eps"], r["train_x0"], r["train_t"])),
        ],
    )


def _train_row(r: Record, model: CALM, noise: LossNoise) -> Row:
    scored = (r["train_labels"].unflatten(-1, (-1, model.config.chunk_size)) != -100).all(-1)
    return r.relative("train_loss", calm_loss(model, r["train_input_ids"], scored, noise).total)


def diffusion_rows() -> Iterator[tuple[Record, list[Row]]]:
    r = Record(GOLDEN / "diffusion_k4" / "io.safetensors")
    model = load_calm("diffusion_k4")
    head = model.head
    assert isinstance(head, DiffusionHead)
    hundred = Schedule.cosine(100)
    terms = head.loss_terms(r["q_x0"], r["net_c"], r["q_t"], r["q_eps"])
    step = head.denoise(hundred, r["ps_x"], r["ps_t"], r["net_c"])
    spread = (0.5 * step.log_variance).exp() * r["ps_noise"] * (r["ps_t"] > 0)[:, None]
    start = r["loop_x_init"].view(*r["loop_z"].shape[:-1], -1)
    # rounding alone moves the loop's large values: notes.json says by how much
    notes = json.loads((GOLDEN / "notes.json").read_text())["diffusion_k4"]
    loop = 10 * notes["loop_change_for_1e6_relative_start_change"] / notes["loop_max_abs"]
    rows = [
        r.absolute("net_out", head.net(r["net_x"], r["net_t"], r["net_c"])),
        r.absolute("q_xt", head.schedule.diffuse(r["q_x0"], r["q_t"], r["q_eps"])),
        r.relative("tl_loss", terms.total),
        r.relative("tl_mse", terms.mse),
        r.relative("tl_vb", terms.bound),
        r.relative("ps_mean", step.mean),
        r.absolute("ps_log_variance", step.log_variance),
        r.relative("ps_pred_x0", step.clean),
        r.relative("ps_sample_temp1", step.mean + spread),
        r.relative("ps_sample_temp0_7", step.mean + 0.7 * spread),
        r.relative("loop_out_temp1", head.sample(r["loop_z"], start, step_noise=r["loop_noise"], limit=None), loop),
        r.relative(
            "loop_out_temp0_7",
            head.sample(r["loop_z"], start, step_noise=r["loop_noise"], temperature=0.7, limit=None),
            loop,
        ),
        _train_row(r, model, LossNoise(r["train_latent_eps"], r["train_diff_eps"], r["train_t"])),
    ]
    yield r, rows
    s = Record(GOLDEN / "diffusion_k4" / "schedule.safetensors")
    rows = []
    for prefix, ours in (("train", Schedule.cosine()), ("gen", hundred)):
        tables = {
            "betas": ours.betas,
            "alphas_cumprod": ours.alphas_cumprod,
            "posterior_log_variance_clipped": ours.posterior_log_variance,
            "posterior_mean_coef1": ours.posterior_mean_start,
            "posterior_mean_coef2": ours.posterior_mean_here,
        }
        rows += [s.absolute(f"{prefix}_{name}", table, 1e-9) for name, table in tables.items()]
        rows.append(s.exact(f"{prefix}_timestep_map", ours.timesteps.to(s[f"{prefix}_timestep_map"].dtype)))
    yield s, rows


# --- temperature


def temperature_rows() -> Iterator[tuple[Record, list[Row]]]:
    r = Record(GOLDEN / "temperature_sampling.safetensors")
    record = json.loads((GOLDEN / "temperature_sampling.json").read_text())
    rows = []
    for name in ("zipf", "distinct", "pairs"):
        chunks, counts = count_chunks(r[f"{name}_pool"])
        rows += [r.exact(f"{name}_unique", chunks), r.exact(f"{name}_counts", counts.to(r[f"{name}_counts"].dtype))]
        for n in (2, 3, 4):
            candidates, weights, used = temperature_weights(r[f"{name}_pool"], n)
            assert used == record[f"{name}_n{n}"]["n_used"]
            known = {tuple(chunk): float(weight) for chunk, weight in zip(candidates.tolist(), weights, strict=True)}
            ours = torch.tensor([known.get(tuple(chunk), 0.0) for chunk in chunks.tolist()], dtype=torch.float64)
            rows.append(r.absolute(f"{name}_n{n}_prob", ours, 1e-12))
            drawn = r[f"{name}_n{n}_hist"].double()
            # 20,000 official draws against our law: 5 binomial standard deviations and one draw
            allowed = (5 * (drawn.sum() * ours * (1 - ours)).sqrt() + 1).clamp(min=1)
            excess = ((drawn - drawn.sum() * ours).abs() / allowed).max().item()
            rows.append(Row(r.file, f"{name}_n{n}_hist (share of what chance allows)", excess, "absolute", 1.0))
    yield r, rows


SOURCES: dict[str, Callable[[], Iterator[tuple[Record, list[Row]]]]] = {
    "autoencoder_k2": lambda: autoencoder_rows("autoencoder_k2"),
    "autoencoder_k4": lambda: autoencoder_rows("autoencoder_k4"),
    "energy_k2": lambda: calm_rows("energy_k2"),
    "energy_k4": lambda: calm_rows("energy_k4"),
    "flow_k4": flow_rows,
    "diffusion_k4": diffusion_rows,
    "temperature_sampling": temperature_rows,
}


@functools.cache
def compared(name: str) -> list[tuple[Record, list[Row]]]:
    """The rows of one source, by recorded file; made once."""
    return list(SOURCES[name]())


def by_file(rows: list[Row]) -> list[Row]:
    """One row a file: the quantity that comes nearest to its tolerance, and how many were compared."""

    def used(row: Row) -> float:
        """The share of the tolerance that the error takes up."""
        return row.error / row.tolerance if row.tolerance else math.inf if row.error else 0.0

    worst = max(rows, key=used)
    names = f"worst of {len(rows)}: {worst.quantity}" if len(rows) > 1 else worst.quantity
    return [Row(worst.file, names, worst.error, worst.kind, worst.tolerance)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; gradients and stored weights as one row a file, the largest error of all their tensors."""
    parser = argparse.ArgumentParser(description="every recorded array of the official implementation against ours")
    parser.add_argument("--by-file", action="store_true", help="one row a file, its error nearest to the tolerance")
    short = parser.parse_args(arguments).by_file
    print(f"| {'file':<40} | {'quantity':<48} | {'largest error':>13} | {'measured':<8} | allowed |")
    print(f"|{'-' * 42}|{'-' * 50}|{'-' * 15}|{'-' * 10}|---------|")
    for name in SOURCES:
        for record, rows in compared(name):
            if short and rows:
                rows = by_file(rows)
            elif len(rows) > 20 and "io" not in record.file and "temperature" not in record.file:
                worst = max(rows, key=lambda row: row.error)
                rows = [Row(record.file, f"all {len(rows)} tensors", worst.error, worst.kind, worst.tolerance)]
            for row in rows:
                error = f"{row.error:>13.2g} | {row.kind:<8} | {row.tolerance:<7.2g}"
                print(f"| {row.file:<40} | {row.quantity:<48} | {error} |")


if __name__ == "__main__":
    main()
