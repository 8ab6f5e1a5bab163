"""The likelihood-free toolkit: scores and samplers that need draws, never probabilities (paper sec. 3 to 5)."""

from calm_lab.toolkit.brier import BrierEstimate, BrierTerms, brier_lm, brier_n, brier_terms
from calm_lab.toolkit.energy import EnergyScore, energy_score
from calm_lab.toolkit.exact import ExactSample, sample_at_temperature
from calm_lab.toolkit.exact_batch import BatchExactSample, sample_batch_at_temperature
from calm_lab.toolkit.exact_many import draws_from, sample_many
from calm_lab.toolkit.laws import BatchLaw, acceptance_rate, batch_bias, expected_calls, tempered
from calm_lab.toolkit.price import CallEstimate, estimate_calls
from calm_lab.toolkit.temperature import (
    PoolWeights,
    choose_from_pool,
    count_chunks,
    reciprocal,
    temperature_weights,
    temperature_weights_batch,
)

__all__ = [
    "BatchExactSample",
    "BatchLaw",
    "BrierEstimate",
    "BrierTerms",
    "CallEstimate",
    "EnergyScore",
    "ExactSample",
    "PoolWeights",
    "acceptance_rate",
    "batch_bias",
    "brier_lm",
    "brier_n",
    "brier_terms",
    "choose_from_pool",
    "count_chunks",
    "draws_from",
    "energy_score",
    "estimate_calls",
    "expected_calls",
    "reciprocal",
    "sample_at_temperature",
    "sample_batch_at_temperature",
    "sample_many",
    "temperature_weights",
    "temperature_weights_batch",
    "tempered",
]
