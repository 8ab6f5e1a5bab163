"""The paper's scale on paper: a dry run as text, and docs/scale.md, which says how and at what price it is trained.

Everything counted comes from ``flops``, ``resources`` and ``dry_run``; the commands are those of the command line.
"""

from __future__ import annotations

import dataclasses

from calm_lab.lab.cost_report import text_table
from calm_lab.lab.dry_run import PEAKS, UTILISATION, DryRun, dry_run
from calm_lab.lab.resources import Memory
from calm_lab.training.recipes import CalmRecipe, TransformerRecipe

GIB = 2**30
# The paper's schedule (sec. 7.1): 250,000 steps of about 2 million tokens; 256 rows of 2,048 chunks of 4.
SCHEDULE = {"corpus": "pile", "steps": 250_000, "rows": 256, "positions": 2048, "warmup": 2000, "lr": 3e-4}
DEVICES = 8
ACCUMULATE = 32  # one row a device at a time

PREFACE = f"""# Training at the paper's scale

Written by `calm-lab flops --page docs/scale.md`. Nothing on this page was run at that size: no GPU was at hand. What was
run is the same code, on two CPU processes and in shapes alone; the last section says what that covers.

## What it takes

K = 4, l = 128, V = 128,257 (Llama 3's tokenizer and a padding symbol), the Pile as a stream, the paper's schedule: 250,000
steps of 256 rows of 2,048 chunks, 2.1 million tokens a step. FLOPs are those of 500 billion tokens, the paper's round 2
million a step, counted part by part
(`calm-lab flops --preset XL`); the autoencoder's own training (15.7 billion tokens) is in them. Hours are device hours at
{UTILISATION:.0%} of the peak of dense bfloat16, {PEAKS["A100"] / 1e12:.0f} TFLOP/s for an A100 and {PEAKS["H100"] / 1e12:.0f}
for an H100: an assumption, not a measurement. Memory is one step with one row on a device, Muon, bfloat16 autocast over
float32 weights, recomputed backbone layers; the allocator's slack and the temporaries of the backward pass come on top.
"""  # noqa: E501

COMMANDS = """
## How

```sh
calm-lab train calm --preset XL --dry-run                                # build it in shapes, print the plan
calm-lab corpora --tokenize pile --tokenizer llama3/tokenizer.json --out tokens/pile     # a stream to disk; resumable
accelerate launch --config_file configs/many_gpus.yaml -m calm_lab.cli train autoencoder --preset XL --corpus tokens/pile \\
    --steps 30000 --rows 1024 --positions 128 --lr 3e-4 --warmup 1000 --out runs/ae-pile
accelerate launch --config_file configs/many_gpus.yaml -m calm_lab.cli train calm --preset XL --autoencoder runs/ae-pile \\
    --corpus tokens/pile --steps 250000 --rows 256 --positions 2048 --lr 3e-4 --warmup 2000 \\
    --accumulate 32 --gradient-checkpointing --compile
```

The rate and its warm-up are the paper's, who had AdamW; Muon, the default here, has not been tried at this size.

Llama 3's `tokenizer.json` has a licence of its own and is not part of this project; any `tokenizer.json` will do. Without
the second command a run on `--corpus pile` tokenizes the stream into its own folder first, as far as its steps will read.
`--documents N` takes the first N documents into memory instead. Stopped runs go on with `--resume`, on any number of
processes.

**More than one device.** `configs/many_gpus.yaml` starts one process a GPU (DDP). Every process packs the batch of the
step, takes its rows and draws everyone's noise from one stream, so the loss does not depend on how many there are.
`configs/fsdp.yaml` shards weights, gradients and AdamW's state instead (`--optimizer adamw`; Muon needs whole matrices).
A checkpoint is whole in either case, so a run may go on with another number of processes, or without FSDP.
Rows must be a multiple of accumulate x processes.

## What was shown without a GPU

| claim | test |
|---|---|
| two processes (gloo), DDP: loss and weights of one process within 1e-4, at the same global batch; all three trainings, three heads, accumulation, checkpointing, resume | `tests/training/test_processes.py` |
| the same with sharded weights (FSDP 2 by `configs/fsdp.yaml`, with accelerate told that the CPU is a GPU), resumed from one process's checkpoint | `tests/training/test_processes.py` |
| a step's rows are parted among ranks without overlap or loss | `tests/training/test_processes.py` |
| a training step and a generation step make no tensor on the CPU and wait for no value | `tests/training/test_no_wait.py` |
| a stream is tokenized in bounded memory, killed and resumed to the same bytes | `tests/text/test_shards.py` |
| XL in shapes: every trained parameter gets a gradient of its shape | `tests/lab/test_dry_run.py` |
| `--compile` gives the losses of the plain run | `tests/training/test_compile.py` |

Not tried: a real GPU, NCCL, more than two processes, bfloat16 on CUDA.
"""  # noqa: E501


def scale_page() -> str:
    """docs/scale.md."""
    header = [
        "model",
        "trained",
        "autoencoder",
        "FLOPs",
        "weights",
        "optimizer",
        "activations",
        "one device",
        "A100 hours",
        "H100 hours",
    ]
    lines = [PREFACE, f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    plans = [(f"CALM-{name}", dry_run(paper_recipe(name))) for name in ("S", "M", "L", "XL")]
    plans += [(f"Transformer-{name}", dry_run(paper_recipe(name, "transformer"))) for name in ("S", "M", "L")]
    for name, plan in plans:
        memory = plan.memory
        cells = [name, _millions(plan.parameters), _millions(plan.frozen), f"{plan.paper:.2e}".replace("e+", "e")]
        sizes = [memory.weights, memory.optimizer, memory.activations + memory.vocabulary, memory.total]
        cells += [f"{size / GIB:.1f} GiB" for size in sizes]
        cells += [f"{plan.paper_hours[device]:,.0f}" for device in PEAKS]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append('\nThe columns do not add up to "one device": gradients and half-precision copies are in it too.')
    return "\n".join(lines) + "\n" + COMMANDS


def paper_recipe(name: str, kind: str = "calm") -> CalmRecipe | TransformerRecipe:
    """The paper's schedule for a preset."""
    shape = {**SCHEDULE, "preset": name, "accumulate": ACCUMULATE * DEVICES, "gradient_checkpointing": True}
    if kind == "calm":
        return CalmRecipe(**shape)  # type: ignore[arg-type]
    return TransformerRecipe(**{**shape, "rows": 1024, "accumulate": 128 * DEVICES})  # type: ignore[arg-type]


def format_dry_run(plan: DryRun) -> str:
    """A dry run as text."""
    backbone = plan.config.backbone
    about = [
        f"{plan.kind}: width {backbone.hidden_size}, {backbone.num_layers} layers, {backbone.num_heads} heads,"
        f" vocabulary {plan.config.vocab_size:,}",
        f"built on the meta device; {plan.parameters:,} trained parameters, each with a gradient of its shape",
    ]
    if plan.autoencoder is not None:
        about.append(
            f"over a frozen autoencoder of {plan.frozen:,} parameters (K = {plan.autoencoder.chunk_size},"
            f" l = {plan.autoencoder.latent_size}), to be trained first"
        )
    rows = [
        ["this recipe", f"{plan.tokens:.3g}", f"{plan.training:.2e}", *_hours(plan.hours)],
        ["the paper's schedule", "5e+11", f"{plan.paper:.2e}", *_hours(plan.paper_hours)],
    ]
    header = ["", "tokens", "FLOPs", *(f"{name} hours" for name in PEAKS)]
    peaks = ", ".join(f"{name} {peak / 1e12:.0f} TFLOP/s" for name, peak in PEAKS.items())
    return "\n".join(
        [
            *about,
            "",
            text_table(header, rows),
            f"Hours of one device at {UTILISATION:.0%} of its bfloat16 peak ({peaks}): an assumption.",
            "",
            f"memory of a step, {plan.rows} row(s) of {plan.positions:,} positions on a device",
            format_memory(plan.memory),
        ]
    )


def format_memory(memory: Memory) -> str:
    """Memory by purpose, in GiB."""
    rows = [[field.name, f"{getattr(memory, field.name) / GIB:.2f}"] for field in dataclasses.fields(memory)]
    return text_table(["purpose", "GiB"], [*rows, ["total", f"{memory.total / GIB:.2f}"]])


def _hours(hours: dict[str, float]) -> list[str]:
    return [f"{value:,.2f}" if value < 10 else f"{value:,.0f}" for value in hours.values()]


def _millions(count: int) -> str:
    return f"{count / 1e6:,.0f} M" if count else ""
