"""The paper's cost claims beside our own counts: Table 1, the K sweep of Fig 4, and the headline they are quoted for.

The numbers called ``paper`` are transcribed from the paper; those of Fig 4 were read off the printed curve, to about
0.03e20 FLOPs and 0.02 BrierLM. All others are computed here from the presets. Higher BrierLM is better: the often
quoted "-44% training, -34% inference" is CALM-M against Transformer-S, at a BrierLM 0.33 *lower*.

Notebook 11, app tab "What K buys". ``calm_lab.lab.fine_print`` has what the table leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.cost import Convention, Flops
from calm_lab.lab.flops import flops
from calm_lab.model.presets import preset


@dataclass(frozen=True)
class PaperRow:
    """One row of the paper's Table 1 (K = 4).

    Attributes:
        model: its name there.
        parameters: as printed; for CALM they are those without the autoencoder, though the caption says with it.
        training: FLOPs of the training run.
        inference: FLOPs a generated token.
        brier_lm: BrierLM on WikiText-103, higher is better.
    """

    model: str
    parameters: float
    training: float
    inference: float
    brier_lm: float


PAPER_TABLE_1 = (
    PaperRow("Transformer-S", 281e6, 6.6e20, 4.4e8, 6.05),
    PaperRow("Transformer-M", 465e6, 11.9e20, 7.9e8, 7.07),
    PaperRow("Transformer-L", 849e6, 22.5e20, 15.0e8, 8.98),
    PaperRow("CALM-M", 371e6, 3.7e20, 2.9e8, 5.72),
    PaperRow("CALM-L", 735e6, 7.7e20, 4.6e8, 6.58),
    PaperRow("CALM-XL", 1.82e9, 19.5e20, 9.4e8, 8.53),
)
PAPER_ROWS = {row.model: row for row in PAPER_TABLE_1}

# K: training FLOPs and BrierLM of CALM-L, read off the paper's Fig 4
PAPER_K_SWEEP = {1: (30.4e20, 7.15), 2: (15.4e20, 7.03), 4: (7.9e20, 6.58), 8: (4.2e20, 5.31)}


@dataclass(frozen=True)
class Table1Row:
    """A row of Table 1 with our counts beside it.

    Attributes:
        paper: what the paper prints.
        by_paper: our count in the paper's convention.
        exact: our count of the real architecture.
    """

    paper: PaperRow
    by_paper: Flops
    exact: Flops

    def gap(self, quantity: Literal["parameters", "training", "inference"], convention: Convention = "paper") -> float:
        """Our count over the paper's, minus 1."""
        ours = self.by_paper if convention == "paper" else self.exact
        values = {
            "parameters": ours.trained_parameters,
            "training": ours.training_total,
            "inference": ours.per_token,
        }
        if quantity not in values:
            raise InputError(choose_from(str(quantity), values, "quantity"))
        return float(values[quantity] / getattr(self.paper, quantity) - 1)

    def to_dict(self) -> dict[str, float | str]:
        """The row as flat plain data: the paper's numbers, both counts, both gaps."""
        flat: dict[str, float | str] = {"model": self.paper.model, "brier_lm": self.paper.brier_lm}
        flat |= {f"{name}_paper": getattr(self.paper, name) for name in ("parameters", "training", "inference")}
        flat |= {"parameters": self.exact.trained_parameters, "parameters_all": self.exact.total_parameters}
        for label, convention, ours in (("by_paper", "paper", self.by_paper), ("exact", "exact", self.exact)):
            flat |= {f"training_{label}": ours.training_total, f"inference_{label}": ours.per_token}
            for quantity in ("training", "inference"):
                flat[f"{quantity}_{label}_gap"] = self.gap(quantity, convention)  # type: ignore[arg-type]
        return flat


def paper_model(name: str, convention: Convention = "exact", chunk_size: int = 4, pool: int = 1) -> Flops:
    """The cost of a model as the paper names it, ``CALM-M`` or ``Transformer-S``.

    Args:
        name: ``Transformer-`` or ``CALM-`` and one of S, M, L, XL.
        convention: how to count.
        chunk_size: K of a CALM.
        pool: draws a step in generation.

    Raises:
        InputError: for another name.
    """
    family, _, size = name.partition("-")
    if family not in ("CALM", "Transformer") or size not in ("S", "M", "L", "XL"):
        raise InputError(choose_from(name, PAPER_ROWS, "model of Table 1"))
    sizes = preset(size, chunk_size)
    if family == "Transformer":
        return flops(sizes.transformer(), convention=convention)
    return flops(sizes.calm(), sizes.autoencoder, convention=convention, pool=pool)


def table_1() -> list[Table1Row]:
    """Table 1 with both of our counts, in the paper's order (context 2048 positions, 5e11 tokens)."""
    return [Table1Row(row, paper_model(row.model, "paper"), paper_model(row.model)) for row in PAPER_TABLE_1]


@dataclass(frozen=True)
class KSweepRow:
    """CALM-L at one K (paper Fig 4).

    Attributes:
        chunk_size: K.
        paper_training: training FLOPs read off the figure.
        brier_lm: BrierLM read off the figure.
        by_paper: our count in the paper's convention.
        exact: our count of the real architecture.
    """

    chunk_size: int
    paper_training: float
    brier_lm: float
    by_paper: Flops
    exact: Flops


def k_sweep() -> list[KSweepRow]:
    """What K costs CALM-L, with a latent of 32 K coordinates (paper Fig 4)."""
    return [
        KSweepRow(k, training, brier, paper_model("CALM-L", "paper", k), paper_model("CALM-L", "exact", k))
        for k, (training, brier) in PAPER_K_SWEEP.items()
    ]


@dataclass(frozen=True)
class Comparison:
    """A CALM against a Transformer.

    Attributes:
        calm: the CALM's name.
        transformer: the Transformer's.
        training: change of training FLOPs, -0.44 for 44% less.
        inference: change of FLOPs a token.
        brier_lm: the CALM's BrierLM minus the Transformer's; negative is worse.
    """

    calm: str
    transformer: str
    training: float
    inference: float
    brier_lm: float

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        better = "higher (better)" if self.brier_lm > 0 else "lower (worse)"
        return (
            f"{self.calm} against {self.transformer}: training {self.training:+.0%}, inference {self.inference:+.0%}, "
            f"BrierLM {abs(self.brier_lm):.2f} {better}"
        )


def headline(counted: Convention | Literal["printed"] = "printed") -> list[Comparison]:
    """The comparisons behind "-44% training, -34% inference"; the first is the one that the pair of numbers belongs to.

    Args:
        counted: ``printed`` takes the paper's FLOPs as printed, the others our own counts.
    """
    pairs = (
        *(("CALM-M", "Transformer-S"), ("CALM-L", "Transformer-S")),
        *(("CALM-L", "Transformer-M"), ("CALM-XL", "Transformer-L")),
    )
    comparisons = []
    for calm, transformer in pairs:
        (train, infer), (base_train, base_infer) = (_costs(name, counted) for name in (calm, transformer))
        gap = PAPER_ROWS[calm].brier_lm - PAPER_ROWS[transformer].brier_lm
        comparisons.append(Comparison(calm, transformer, train / base_train - 1, infer / base_infer - 1, gap))
    return comparisons


def _costs(name: str, counted: Convention | Literal["printed"]) -> tuple[float, float]:
    if counted == "printed":
        return PAPER_ROWS[name].training, PAPER_ROWS[name].inference
    cost = paper_model(name, counted)
    return cost.training_total, cost.per_token
