"""The one end-to-end proof: a CALM trained on a language whose truth is known ends at that language's own ceiling.

Autoencoder, posterior, backbone, head, energy loss, decoder, draws and BrierLM all have to be right together: a fault
in any of them shows as a gap. The language is a Markov chain, so the best BrierLM that any model can reach is an exact
number, and the score's standard error (at most 1% of it) says how near is near.
"""

from __future__ import annotations

import pytest
import torch

from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, HeadConfig
from calm_lab.text.markov import MarkovLanguage
from calm_lab.toolkit.evaluation import Evaluation, evaluate_calm
from calm_lab.toolkit.loss import calm_loss
from calm_lab.toolkit.reconstruction import token_accuracy
from calm_lab.training.optimizer import build_optimizer, learning_rate

WIDTH, LATENT = 64, 8


def train(objective: object, parameters: list[torch.nn.Parameter], steps: int, lr: float) -> None:
    optimizer = build_optimizer(parameters, lr, 0.01)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, lr, 20, steps)
        objective().backward()  # type: ignore[operator]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()


def trained(language: MarkovLanguage, chunk_size: int, generator: torch.Generator, steps: int) -> CALM:
    torch.manual_seed(0)
    autoencoder = Autoencoder(
        AutoencoderConfig(
            vocab_size=language.vocab_size, chunk_size=chunk_size, latent_size=LATENT, hidden_size=WIDTH,
            intermediate_size=2 * WIDTH, kl_clip=0.0, drop_token=0.0, drop_latent=0.0,
        )
    )  # fmt: skip

    def batch() -> torch.Tensor:
        return language.sample(16, 32 * chunk_size, generator)

    train(lambda: autoencoder.loss(batch(), generator=generator).total, list(autoencoder.parameters()), 200, 3e-3)
    assert token_accuracy(autoencoder, batch(), None, generator).value > 0.999
    config = CalmConfig(
        vocab_size=language.vocab_size, chunk_size=chunk_size, latent_size=LATENT,
        backbone=BackboneConfig(WIDTH, 2 * WIDTH, 1, 2),
        head=HeadConfig(num_blocks=2, noise_size=16, num_samples=8, num_targets=16),
    )  # fmt: skip
    model = CALM(config, autoencoder)
    parameters = list(model.trainable().values())
    train(lambda: calm_loss(model, batch(), generator=generator).total, parameters, steps, 3e-3)
    return model.eval()


def judge(model: CALM, language: MarkovLanguage, generator: torch.Generator) -> Evaluation:
    ids = language.sample(768, 64 * model.config.chunk_size, generator)
    return evaluate_calm(model, ids, generator, repeats=2, block=64)


@pytest.mark.parametrize("chunk_size", [4, pytest.param(2, marks=pytest.mark.slow)])
def test_a_calm_trained_on_a_markov_language_reaches_its_ceiling(chunk_size: int) -> None:
    """Within 3 standard errors, each at most 1% of the ceiling (here 0.7% and 0.9%).

    The seed is fixed: one machine gives one outcome. With K = 4 a little remains to be learned: models of seeds 0, 1
    and 2 scored 0.0%, 0.6% and 1.4% below the ceiling, each +- 0.4%. So another seed, or rounding elsewhere, can fail.
    """
    language = MarkovLanguage.random(3, seed=1, concentration=0.4)
    generator = torch.Generator().manual_seed(0)
    model = trained(language, chunk_size, generator, steps=800 if chunk_size == 4 else 500)
    ceiling = language.brier_ceiling()
    result = judge(model, language, generator)
    score, error = result.brier.brier_lm, result.brier.brier_lm_error
    print(f"K = {chunk_size}: BrierLM {score:.2f} +- {error:.2f}, ceiling {ceiling.brier_lm:.2f}")
    assert error <= 0.01 * ceiling.brier_lm
    assert abs(score - ceiling.brier_lm) <= 3 * error
    # and an untrained head does not, so the test can fail
    torch.nn.init.normal_(model.head.final_out.weight)  # type: ignore[union-attr, arg-type]
    wrong = judge(model, language, generator).brier
    assert not wrong.brier_lm > 0.9 * ceiling.brier_lm
