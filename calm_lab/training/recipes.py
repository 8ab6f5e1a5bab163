"""Recipes: everything that decides what a training run does, as frozen data.

The command line is built from these dataclasses, a checkpoint's card repeats them, and the same recipe with the same
seed on the same machine gives the same model. Defaults are those of the bundled models (docs/recipe.md).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from calm_lab.errors import InputError
from calm_lab.model.config import HeadKind, InputKind
from calm_lab.model.presets import preset
from calm_lab.training.optimizer import OptimizerKind

Precision = Literal["auto", "float32", "bfloat16"]
LARGEST_SEED = 2**63


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What all runs share.

    Attributes:
        out: run folder; by default runs/KIND-CORPUS.
        corpus: a corpus name, a file, a folder, a hub name, or several joined with '+'.
        documents: read at most this many training documents; None reads all (20,000 generated stories).
        text_column: column of the text, where the corpus does not say.
        preset: sizes: nano, lab, S, M, L or XL.
        steps: optimizer steps.
        positions: positions in a row (chunks for CALM and autoencoder, tokens for the Transformer).
        rows: rows in a batch, over all processes.
        optimizer: adamw, or muon for hidden matrices and AdamW for the rest.
        lr: peak learning rate.
        warmup: steps of linear warm-up; afterwards the rate falls linearly to 0.
        weight_decay: decoupled weight decay of matrices.
        clip: largest norm of the gradient.
        seed: of the weights, the data order and all noise.
        device: auto, cpu, cuda or mps.
        precision: auto (bfloat16 on CUDA, else float32), float32 or bfloat16.
        compile: compile the model with torch.compile.
        accumulate: micro-batches whose gradients are added up in a step.
        gradient_checkpointing: recompute the backbone's activations: less memory, more time.
        evaluate_every: steps between evaluations; 0 evaluates at the end only.
        save_every: steps between checkpoints; 0 saves at the end only.
        keep: checkpoints kept; older ones are removed.
        resume: go on from the newest checkpoint in the run folder.
    """

    out: Path | None = None
    corpus: str = "andersen"
    documents: int | None = None
    text_column: str | None = None
    preset: str = "nano"
    steps: int = 1000
    positions: int = 128
    rows: int = 8
    optimizer: OptimizerKind = "muon"
    lr: float = 4e-3
    warmup: int = 100
    weight_decay: float = 0.1
    clip: float = 1.0
    seed: int = 0
    device: str = "auto"
    precision: Precision = "auto"
    compile: bool = False
    accumulate: int = 1
    gradient_checkpointing: bool = False
    evaluate_every: int = 500
    save_every: int = 500
    keep: int = 2
    resume: bool = False

    def __post_init__(self) -> None:
        preset(self.preset)
        for name in ("steps", "positions", "rows", "accumulate", "keep"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}")
        self._check_optional("documents")
        for name in ("warmup", "evaluate_every", "save_every", "weight_decay"):
            if not getattr(self, name) >= 0:  # so that nan is refused too
                raise InputError(f"{name} must not be negative, not {getattr(self, name)}")
        if not 0 < self.lr < 1:
            raise InputError(f"lr must lie between 0 and 1, not {self.lr}")
        if not self.clip > 0:
            raise InputError(f"clip must be positive, not {self.clip}")
        if not 0 <= self.seed < LARGEST_SEED:
            raise InputError(f"seed must lie between 0 and 2^63 - 1, not {self.seed}")
        if self.rows % self.accumulate:
            raise InputError(f"rows {self.rows} must be a multiple of accumulate {self.accumulate}")

    def _check_optional(self, *names: str) -> None:
        """Refuse a number below 1 where ``None`` would mean the default: 0 must not mean it too."""
        for name in names:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, not {value}; leave it out for the default")

    def _check_share(self, name: str) -> None:
        if not 0 <= getattr(self, name) < 1:
            raise InputError(f"{name} must lie in [0, 1), not {getattr(self, name)}")

    @property
    def kind(self) -> str:
        """Which of the three trainings this is."""
        return type(self).__name__.removesuffix("Recipe").lower()

    @property
    def folder(self) -> Path:
        """The run folder."""
        if self.out is not None:
            return Path(self.out)
        corpus = "-".join(Path(part).stem or "text" for part in self.corpus.split("+"))
        return Path("runs") / f"{self.kind}-{corpus}"

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain data, without what does not change the result."""
        data = dataclasses.asdict(self)
        for name in ("out", "resume", "device", "keep", "save_every"):
            data.pop(name)
        return {"kind": self.kind, **{k: str(v) if isinstance(v, Path) else v for k, v in data.items()}}


@dataclass(frozen=True, kw_only=True)
class AutoencoderRecipe(Recipe):
    """Train an autoencoder: K tokens to one vector and back (paper sec. 2).

    Attributes:
        chunk_size: K, tokens in a chunk.
        latent_size: l, coordinates of the vector; by default the preset's share times K.
        hidden_size: width, where it should differ from the preset's; the inner width follows.
        vocab_size: V of the tokenizer, where one has to be trained.
        tokenizer: tokenizer.json, model folder or bundled model to take the tokenizer from; by default one is trained.
        kl_weight: weight of the KL term; 0 leaves it out.
        kl_clip: floor of the KL, nats a coordinate; 0 is plain KL.
        drop_token: share of input tokens hidden while training.
        drop_latent: share of latent coordinates zeroed while training.
        random_tokens: share of training tokens, input and target alike, replaced by any id of the vocabulary, so that
            tokens the corpus seldom holds come back too.
    """

    steps: int = 600
    positions: int = 32
    rows: int = 16
    weight_decay: float = 0.01
    chunk_size: int = 4
    latent_size: int | None = None
    hidden_size: int | None = None
    vocab_size: int | None = None
    tokenizer: str | None = None
    kl_weight: float = 1e-3
    kl_clip: float = 0.5
    drop_token: float = 0.15
    drop_latent: float = 0.15
    random_tokens: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_optional("latent_size", "hidden_size", "vocab_size")
        self._check_share("random_tokens")


@dataclass(frozen=True, kw_only=True)
class CalmRecipe(Recipe):
    """Train a CALM: the next vector, over a frozen autoencoder (paper sec. 3).

    Attributes:
        autoencoder: bundled name or folder of the autoencoder underneath.
        start: bundled name or folder of a CALM whose weights training starts from; by default random ones.
        head: energy, flow or diffusion.
        input: what a position reads: discrete (tokens), continuous (the vector), or both.
        hidden_size: d, where it should differ from the preset's.
        layers: backbone layers, where they should differ from the preset's.
        blocks: head blocks, where they should differ from the preset's.
        noise_size: s of the energy head, where it should differ from the preset's.
        samples: N, samples a position in the energy loss.
        targets: M, posterior draws a position in the energy loss.
        alpha: exponent of the distance in the energy score.
        diversity: weight of the energy loss's diversity term; below 1 draws are sharper than the truth.
        init_std: standard deviation of the head's last layer at the start; the official code takes 0.
        ema: decay of the running average of the weights that is saved and evaluated; 0 takes the weights themselves.
    """

    corpus: str = "storyland"
    steps: int = 600
    autoencoder: str = "default"
    start: str | None = None
    head: HeadKind = "energy"
    input: InputKind = "discrete"
    hidden_size: int | None = None
    layers: int | None = None
    blocks: int | None = None
    noise_size: int | None = None
    samples: int = 8
    targets: int = 100
    alpha: float = 1.0
    diversity: float = 1.0
    init_std: float = 0.1
    ema: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_optional("hidden_size", "layers", "blocks", "noise_size")
        self._check_share("ema")


@dataclass(frozen=True, kw_only=True)
class TransformerRecipe(Recipe):
    """Train the token-level baseline on the same backbone (paper sec. 7.1).

    Attributes:
        tokenizer: tokenizer.json, model folder or bundled model to take the tokenizer from.
        hidden_size: d, where it should differ from the preset's.
        layers: backbone layers, where they should differ from the preset's.
    """

    corpus: str = "storyland"
    tokenizer: str = "default"
    positions: int = 512
    hidden_size: int | None = None
    layers: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_optional("hidden_size", "layers")
