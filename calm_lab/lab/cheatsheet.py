"""One page to print: CALM's formulas, letters and numbers, in the colours of everything else here.

Numbers are counted when the sheet is drawn (``calm_lab.lab.table1``, ``calm_lab.lab.fine_print``), never written down.
``make cheatsheet`` writes it to ``docs/cheatsheet.pdf``.

Paper: sections 2 to 5, Table 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calm_lab.lab.calculator import PAPER_SIZES, even_pool
from calm_lab.lab.figures import StillFigure, apply_style, draw_box
from calm_lab.lab.fine_print import decoder_share, low_temperature_cost
from calm_lab.lab.palette import palette
from calm_lab.lab.table1 import headline

SIZE = (11.69, 8.27)  # A4, inches
MARGIN, GAP = 0.35, 0.22
LINE = {"text": 0.178, "formula": 0.42, "title": 0.3, "space": 0.09}


@dataclass(frozen=True)
class Block:
    """A box of the sheet.

    Attributes:
        title: its heading.
        lines: what stands in it; a line that begins with ``$`` is a formula, an empty one a small space.
    """

    title: str
    lines: Sequence[str]

    @property
    def height(self) -> float:
        """Inches."""
        return LINE["title"] + sum(LINE[_kind(line)] for line in self.lines) + 0.12


def _kind(line: str) -> str:
    return "formula" if line.startswith("$") else "text" if line else "space"


def columns() -> list[list[Block]]:
    """What stands on the sheet, in three columns."""
    first, dear = headline()[0], low_temperature_cost(200)[0]
    share = {row.model: row.vocabulary_share for row in decoder_share()}["CALM-M"]
    model = [
        Block(
            "The autoencoder (sec. 2)",
            [
                "K tokens, blind to their neighbours: one vector.",
                r"$q(z\,|\,x) = \mathcal{N}(\mu,\ \mathrm{diag}\ \sigma^2), \quad z \in \mathbf{R}^l$",
                r"$L = -\sum_{k=1}^{K} \log p(x_k|z) + \beta \sum_{i=1}^{l} \max(\lambda,\ \mathrm{KL}_i)$",
                "β = 0.001, λ = 0.5; DropToken, DropLatent 0.15.",
                "Frozen once trained.",
            ],
        ),
        Block(
            "The next vector (sec. 3.1, 3.3)",
            [
                r"$h_{i-1} = \mathrm{Transformer}(\mathrm{chunks}\ 0 \ldots i-1)$",
                r"$z_i = \mathrm{Head}(h_{i-1}, \epsilon), \quad \epsilon \sim U[-\frac{1}{2}, \frac{1}{2}]^s$",
                "The tape: draw z - decode K tokens - read them in.",
                "A position reads tokens (discrete input).",
            ],
        ),
        Block(
            "Letters",
            [
                "B texts   T tokens   K a chunk   S = T / K chunks",
                "l coordinates   d width   s noise   V vocabulary",
                "N samples of the head   M of the target   n order, 1/T",
                "",
                "ids (B, T) > chunks (B, S, K) > mean, std (B, S, l)",
                "> hidden (B, S, d) > samples (N, B, S, l) > chunks",
            ],
        ),
        Block(
            "Commands",
            [
                "make app · make lab · calm-lab train calm",
                "calm-lab generate --temperature 0.5 --seed 1",
                "calm-lab evaluate · flops --paper · reproduce --list",
            ],
        ),
    ]
    scores = [
        Block(
            "The loss: energy score (sec. 3.2)",
            [
                r"$S = \mathrm{E}\,\Vert z'-z'' \Vert^\alpha - 2\,\mathrm{E}\,\Vert z'-y \Vert^\alpha$",
                "z', z'' samples of the head, y of the true posterior.",
                "Diversity minus twice the fidelity; higher is better.",
                "Strictly proper for 0 < α < 2; α = 2: the mean only.",
                "Unbiased: only pairs of different samples, N (N - 1).",
                "The paper: α = 1, N = 8, M = 100.",
            ],
        ),
        Block(
            "The score: BrierLM (sec. 4)",
            [
                r"$\mathrm{Brier}(P, y) = 2 P(y) - \sum_x P(x)^2$",
                "From two draws, without P, unbiased:",
                r"$1\{x_1=y\} + 1\{x_2=y\} - 1\{x_1=x_2\}$",
                r"$\mathrm{BrierLM} = 100\,(B_1 B_2 B_3 B_4)^{1/4}$",
                "Higher is better. Undefined unless all four are > 0.",
                "The ceiling: the truth scores the sum of P squared.",
            ],
        ),
        Block(
            "Before you believe a number",
            [
                "How many seeds and documents, which interval?",
                "Which model against which, at what quality?",
                "Is the ceiling known? What would a copy of it score?",
                "One draw a step, or a pool?",
            ],
        ),
    ]
    costs = [
        Block(
            "Temperature (sec. 5)",
            [
                r"$P_T(x) = P(x)^{1/T} / Z_T, \quad 1/T = n + a$",
                "Algorithm 1, exact, any T in (0, 1]: draw n; unless all",
                "equal, start over. Then a coin of chance P(x)^a,",
                "made of draws (Bernoulli factory). Theorem 2:",
                r"$\mathrm{calls} = (n + 1\{a>0\} \sum_x P(x)^{1/T-1}) \, / \, Z_T$",
                "Algorithm 2, T = 1/n: a pool of N draws; a chunk that",
                "came c times has weight C(c, n). Biased, less with N.",
            ],
        ),
        Block(
            "Cost of a token",
            [
                r"$2L(4d^2+3df) + 4dCL + 2dV$",
                "for a Transformer. A CALM: in place of 2dV the",
                "squeeze, head and decoder, all of it divided by K.",
                f"The vocabulary still takes {share:.0%} of a token of CALM-M.",
                f"A pool of 200 costs CALM-M {dear.over_one_draw:.0f} times one draw;",
                f"{even_pool(PAPER_SIZES['CALM-M'])} draws a step cost as much as Transformer-M.",
            ],
        ),
        Block(
            "The quoted pair",
            [
                f"{first.calm} (371M) against {first.transformer} (281M):",
                f"training {first.training:+.0%}, inference {first.inference:+.0%},",
                f"BrierLM {first.brier_lm:+.2f}: a saving at comparable,",
                "not at better quality.",
            ],
        ),
    ]
    return [model, scores, costs]


def cheatsheet_figure(theme: str = "light") -> StillFigure:
    """Draw the sheet.

    Args:
        theme: ``light`` or ``dark``.
    """
    apply_style(theme)
    colours = palette(theme)
    figure = StillFigure(figsize=SIZE, facecolor=colours.paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, SIZE[0])
    axes.set_ylim(SIZE[1], 0)
    axes.text(MARGIN, 0.42, "CALM on one page", fontsize=16, weight="bold", va="center")
    source = "Shao, Li, Meng, Zhou 2025, arXiv:2510.27688 · this sheet: calm_lab"
    axes.text(SIZE[0] - MARGIN, 0.42, source, fontsize=8.5, va="center", ha="right", color=colours.muted)
    width = (SIZE[0] - 2 * MARGIN - 2 * GAP) / 3
    for place, blocks in enumerate(columns()):
        left, top = MARGIN + place * (width + GAP), 0.78
        room = SIZE[1] - MARGIN - top - sum(block.height for block in blocks)
        gap = min(0.3, room / max(1, len(blocks) - 1))
        for number, block in enumerate(blocks):
            edge = colours.chunk_edge[(place + number) % len(colours.chunk_edge)]
            draw_box(axes, (left, top), (width, block.height), colours.card, edge)
            axes.text(left + 0.12, top + 0.17, block.title, fontsize=10.5, weight="bold", va="center", color=edge)
            line = top + LINE["title"]
            for text in block.lines:
                height, formula = LINE[_kind(text)], _kind(text) == "formula"
                size, indent = (10.5, 0.24) if formula else (8.7, 0.12)
                axes.text(left + indent, line + height / 2, text, fontsize=size, va="center")
                line += height
            top += block.height + gap
    return figure


def write_cheatsheet(path: Path) -> Path:
    """Write the sheet as a PDF that depends on nothing but its content."""
    metadata = {"CreationDate": None, "Producer": None, "Creator": None, "Title": "CALM on one page"}
    cheatsheet_figure().savefig(path, format="pdf", metadata=metadata)
    return path


if __name__ == "__main__":
    write_cheatsheet(Path("docs/cheatsheet.pdf"))
