"""The counts of this floor as plain text: what ``calm-lab flops`` and a training dry run print.

Every table says in one line what to look for. Nothing here computes; the numbers come from ``flops``, ``table1``,
``fine_print`` and ``resources``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from calm_lab.lab.cost import Flops
from calm_lab.lab.fine_print import decoder_share, frontier, low_temperature_cost
from calm_lab.lab.resources import PlanRow
from calm_lab.lab.table1 import headline, k_sweep, table_1

PART_NAMES = {
    "embedding": "token embedding",
    "input": "input compression",
    "backbone": "backbone",
    "attention": "attention over context",
    "head": "generative head",
    "output": "product with vocabulary",
    "encoder": "autoencoder's encoder",
    "decoder": "autoencoder's decoder",
    "loss": "energy loss",
    "autoencoder_training": "autoencoder's training",
}


def text_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as aligned text: the first column to the left, the others to the right."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def format_flops_report(costs: Mapping[str, Flops] | None = None, *, paper: bool = True, pool: int = 200) -> str:
    """The whole report as text.

    Args:
        costs: models to lay open part by part, by the name to print.
        paper: whether to add the paper's Table 1 beside our counts, the K sweep and what the table leaves out.
        pool: draws a step below temperature 1.

    Returns:
        Tables under headings, separated by empty lines.
    """
    blocks = [format_cost(name, cost) for name, cost in (costs or {}).items()]
    if paper:
        blocks += [format_table_1(), format_headline(), format_k_sweep(), format_shares(pool), format_frontier()]
    return "\n\n".join(blocks)


def format_cost(name: str, cost: Flops) -> str:
    """One model, part by part: parameters, FLOPs a training token, FLOPs a generated token and its share."""
    rows = []
    for part, label in PART_NAMES.items():
        stored, train, infer = (getattr(of, part) for of in (cost.parameters, cost.training, cost.inference))
        if stored or train or infer:
            share = f"{cost.inference.share(part):.1%}" if infer else ""
            rows.append([label, _count(stored), _flops(train), _flops(infer), share])
    totals = (_count(cost.parameters.total), _flops(cost.training.total), _flops(cost.per_token))
    rows.append(["total", *totals, "100%"])
    setting = [f"counted as '{cost.convention}'"]
    if cost.family != "autoencoder":
        setting = [f"context {cost.context} positions", *setting]
    if cost.family == "calm":
        setting = [f"K = {cost.chunk_size}, N = {cost.samples}, pool {cost.pool}", *setting]
    return (
        f"{name} ({', '.join(setting)})\n"
        + text_table(["part", "parameters", "training/token", "generation/token", "share"], rows)
        + f"\n{cost.tokens:.3g} tokens of training: {_flops(cost.training_total)} FLOPs"
    )


def format_table_1() -> str:
    """The paper's Table 1 with both of our counts and their gaps."""
    rows = []
    for row in table_1():
        paper, ours, exact = row.paper, row.by_paper, row.exact
        rows.append(
            [
                *(paper.model, _count(paper.parameters), _count(exact.trained_parameters)),
                *(_units(paper.training, 20), _units(ours.training_total, 20), f"{row.gap('training'):+.1%}"),
                *(_units(exact.training_total, 20), _units(paper.inference, 8), _units(ours.per_token, 8)),
                *(f"{row.gap('inference'):+.1%}", _units(exact.per_token, 8), f"{paper.brier_lm:.2f}"),
            ]
        )
    header = [
        *("Table 1", "params", "ours", "train 1e20", "6 d^2", "gap", "exact"),
        *("infer 1e8", "6 d^2", "gap", "exact", "BrierLM"),
    ]
    worst = next(row for row in table_1() if row.paper.model == "CALM-XL")
    return text_table(header, rows) + (
        "\nThe paper prints no formula. Counting 6 d^2 weights a head block and nothing else of the head gives every\n"
        f"row within 2% but CALM-XL's: training {worst.gap('training'):+.1%}, inference {worst.gap('inference'):+.1%}. "
        "'exact' counts this code.\n"
        "CALM's parameters are those without the frozen autoencoder, which are the ones the paper prints."
    )


def format_headline() -> str:
    """The comparisons that the paper is quoted for, in words, higher BrierLM being better."""
    first, *others = (comparison.sentence for comparison in headline())
    lines = [f"The quoted pair (-44%, -34%): {first}.", *(f"Beside it: {sentence}." for sentence in others)]
    return "\n".join(lines)


def format_k_sweep() -> str:
    """Fig 4: what K costs CALM-L and what it does to BrierLM."""
    rows = [
        [
            *(str(row.chunk_size), _units(row.paper_training, 20), _units(row.by_paper.training_total, 20)),
            *(_units(row.exact.training_total, 20), _units(row.exact.per_token, 8), f"{row.brier_lm:.2f}"),
        ]
        for row in k_sweep()
    ]
    header = ["K (CALM-L)", "train 1e20, Fig 4", "6 d^2", "exact", "infer 1e8, exact", "BrierLM, Fig 4"]
    return text_table(header, rows)


def format_shares(pool: int = 200) -> str:
    """The vocabulary's share of inference, and the price of a pool a step."""
    pools = {row.model: row for row in low_temperature_cost(pool)}
    rows = []
    for share in decoder_share():
        cells = [share.model, _units(share.total, 8), f"{share.vocabulary_share:.0%}", f"{share.decoder_share:.0%}"]
        many = pools.get(share.model)
        extra = (
            (_units(many.per_token, 8), f"x{many.over_one_draw:.0f}", f"x{many.over_transformer:.0f}") if many else ()
        )
        rows.append([*cells, *extra, *[""] * (7 - len(cells) - len(extra))])
    header = [
        *("inference, exact", "1e8, one draw", "vocabulary", "decoder"),
        *(f"1e8, pool {pool}", "over one draw", "over Transformer-S"),
    ]
    return text_table(header, rows) + "\nA pool's draws are independent: this counts work, not waiting time."


def format_frontier() -> str:
    """Each CALM against the line through the Transformers at equal FLOPs."""
    rows = [
        [
            *(f"{row.model}{' (beyond S)' if row.extrapolated else ''}", row.at),
            *(f"{row.brier_lm:.2f}", f"{row.linear:.2f}", f"{row.log:.2f}"),
            *(f"{row.brier_lm - row.linear:+.2f}", f"{row.brier_lm - row.log:+.2f}"),
        ]
        for row in frontier()
    ]
    header = ["at equal FLOPs", "of", "BrierLM", "line", "line, log axis", "ahead by", "ahead by, log"]
    return text_table(header, rows)


def format_plan(rows: Iterable[PlanRow]) -> str:
    """A dry run: parameters, FLOPs, memory of a step on one device, device hours."""
    cells = [
        [
            *(row.preset, _count(row.trained_parameters), _count(row.autoencoder_parameters), _flops(row.training)),
            *(f"{row.memory.total / 2**30:.1f} GiB", f"{row.hours:,.1f}"),
        ]
        for row in rows
    ]
    header = ["preset", "trained", "autoencoder", "training FLOPs", "memory of a step", "device hours"]
    return text_table(header, cells) + "\nMemory is an estimate; allocator slack and backward temporaries come on top."


def _count(value: float) -> str:
    if not value:
        return ""
    for scale, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= scale:
            return f"{value / scale:.2f}{unit}" if unit == "B" else f"{value / scale:.1f}{unit}"
    return f"{value:.0f}"


def _flops(value: float) -> str:
    return f"{value:.2e}".replace("e+", "e") if value else ""


def _units(value: float, power: int) -> str:
    return f"{value / 10**power:.2f}"
