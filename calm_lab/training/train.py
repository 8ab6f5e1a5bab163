"""The three trainings: build the model a recipe describes, tokenize its corpus, run the loop, judge the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from calm_lab.device import generator
from calm_lab.errors import CheckpointError
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import TransformerConfig
from calm_lab.model.presets import preset
from calm_lab.model.transformer import TokenTransformer
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.toolkit.evaluation import evaluate_calm, evaluate_transformer
from calm_lab.toolkit.reconstruction import token_accuracies
from calm_lab.training.configs import autoencoder_config, backbone_config, calm_config
from calm_lab.training.corpus import Texts, get_tokenizer, read_texts
from calm_lab.training.loop import Job, run
from calm_lab.training.objectives import AutoencoderObjective, CalmObjective, Objective, TransformerObjective
from calm_lab.training.posteriors import PosteriorTable
from calm_lab.training.processes import join
from calm_lab.training.recipes import AutoencoderRecipe, CalmRecipe, Recipe, TransformerRecipe
from calm_lab.training.room import check_room
from calm_lab.training.rows import Rows
from calm_lab.training.run_folder import RunFolder

EVALUATION_ROWS = 32
EVALUATION_SEED = 1


def train_autoencoder(recipe: AutoencoderRecipe) -> Path:
    """Train an autoencoder; the folder of its last checkpoint is returned."""
    accelerator = join(recipe)
    with RunFolder(recipe, accelerator.is_main_process) as folder:
        sizes = preset(recipe.preset, recipe.chunk_size, recipe.vocab_size)
        source: str | None = recipe.tokenizer
        if source is None and recipe.resume and folder.newest() is not None:
            source = str(folder.newest())
        tokenizer = get_tokenizer(source, recipe, sizes.autoencoder.vocab_size)
        config = autoencoder_config(recipe, tokenizer)
        check_room(recipe, config, Autoencoder)
        torch.manual_seed(recipe.seed)
        model = Autoencoder(config)
        model.tokenizer = tokenizer
        texts = _texts(recipe, tokenizer, recipe.chunk_size, accelerator)
        objective = AutoencoderObjective(model, recipe.random_tokens)
        return run(_job(recipe, model, objective, texts, recipe.chunk_size), folder, accelerator)


def train_calm(recipe: CalmRecipe) -> Path:
    """Train a CALM over a trained autoencoder; the folder of its last checkpoint is returned."""
    accelerator = join(recipe)
    with RunFolder(recipe, accelerator.is_main_process) as folder:
        autoencoder = checkpoint.load(recipe.autoencoder)
        if not isinstance(autoencoder, Autoencoder):
            raise CheckpointError(
                f"{recipe.autoencoder}: this is not an autoencoder; give the folder of one, or"
                f" '{checkpoint.DEFAULT_AUTOENCODER}'"
            )
        tokenizer = _tokenizer_of(autoencoder, recipe.autoencoder)
        config = calm_config(recipe, autoencoder.config)
        check_room(recipe, config, lambda config: CALM(config, autoencoder))
        torch.manual_seed(recipe.seed)
        model = CALM(config, autoencoder)
        if recipe.start is not None:
            _start_from(model, recipe.start)
        model.backbone.checkpointing = recipe.gradient_checkpointing
        texts = _texts(recipe, tokenizer, autoencoder.config.chunk_size, accelerator)
        objective = CalmObjective(model)
        job = _job(recipe, model, objective, texts, autoencoder.config.chunk_size)
        job.ema = recipe.ema
        # On a GPU encoding is quicker than looking up.
        if accelerator.num_processes == 1 and accelerator.device.type == "cpu" and not recipe.compile:
            objective.posteriors = PosteriorTable(autoencoder, job.rows, recipe.rows, recipe.steps)
            job.prepare = objective.posteriors.prepare
        return run(job, folder, accelerator)


def train_transformer(recipe: TransformerRecipe) -> Path:
    """Train the token-level baseline; the folder of its last checkpoint is returned."""
    accelerator = join(recipe)
    with RunFolder(recipe, accelerator.is_main_process) as folder:
        tokenizer = get_tokenizer(recipe.tokenizer, recipe, preset(recipe.preset).autoencoder.vocab_size)
        config = TransformerConfig(
            tokenizer.vocab_size, backbone_config(recipe), False, tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id
        )
        check_room(recipe, config, TokenTransformer)
        torch.manual_seed(recipe.seed)
        model = TokenTransformer(config)
        model.tokenizer = tokenizer
        model.backbone.checkpointing = recipe.gradient_checkpointing
        texts = _texts(recipe, tokenizer, 1, accelerator)
        return run(_job(recipe, model, TransformerObjective(model), texts, 1), folder, accelerator)


def _start_from(model: CALM, name: str) -> None:
    """Copy the weights of a trained CALM; its backbone, head and chunks must be those of ``model``."""
    known = checkpoint.load(name)
    if not isinstance(known, CALM):
        raise CheckpointError(f"{name}: this is not a CALM, so a CALM cannot start from it")
    mine, theirs = ({n: p.shape for n, p in one.trainable().items()} for one in (model, known))
    if mine != theirs:
        raise CheckpointError(f"{name}: its layers differ from those asked for; leave hidden_size, layers and the rest")
    if not _equal(model.autoencoder, known.autoencoder):
        raise CheckpointError(f"{name}: it was trained over another autoencoder; give that one")
    with torch.no_grad():
        for one, other in zip(model.trainable().values(), known.trainable().values(), strict=True):
            one.copy_(other)


def _equal(one: Autoencoder, other: Autoencoder) -> bool:
    """Whether two autoencoders are the same network with the same weights."""
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(p, theirs[name]) for name, p in mine.items())


def _texts(recipe: Recipe, tokenizer: Tokenizer, chunk_size: int, accelerator: Accelerator) -> Texts:
    tokens = recipe.steps * recipe.rows * recipe.positions * chunk_size
    return read_texts(recipe, tokenizer, tokens=tokens, main=accelerator.is_main_process)


def _tokenizer_of(model: Autoencoder, name: str) -> Tokenizer:
    if model.tokenizer is None:
        raise CheckpointError(f"{name}: has no tokenizer.json, so text cannot be read; add the one it was trained with")
    return model.tokenizer


def _job(recipe: Recipe, model: checkpoint.Model, objective: Objective, texts: Texts, chunk_size: int) -> Job:
    tokenizer = model.tokenizer
    assert tokenizer is not None
    rows = Rows(texts.train, chunk_size, recipe.positions, tokenizer, recipe.seed)
    unseen = Rows(texts.validation, chunk_size, recipe.positions, tokenizer, recipe.seed).evaluation(EVALUATION_ROWS)

    def evaluate() -> dict[str, Any]:
        device = next(model.parameters()).device
        ids, noise = unseen.to(device), generator(EVALUATION_SEED, device)
        if isinstance(model, Autoencoder):
            shares = token_accuracies(model, ids, noise)
            learned = float(model.encode(ids).std.mean())
            errors = {f"{name}_standard_error": share.standard_error for name, share in shares.items()}
            return {**{name: share.value for name, share in shares.items()}, **errors, "learned_sigma": learned}
        if isinstance(model, CALM):
            return evaluate_calm(model, ids, noise).to_dict()
        return evaluate_transformer(model, ids, noise).to_dict()

    return Job(recipe, model, objective, rows, evaluate, texts.to_dict(recipe.corpus))
