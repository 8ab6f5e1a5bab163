"""Memory against what autograd really keeps; hours against arithmetic."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.lab.flops import flops
from calm_lab.lab.resources import gpu_hours, memory, plan
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.loss import calm_loss

B, S = 2, 48


def kept_bytes(loss: Callable[[], Tensor], model: torch.nn.Module, precision: str) -> int:
    """Bytes of the distinct storages that autograd keeps for the backward pass, the weights themselves left out."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    storages: dict[int, torch.UntypedStorage] = {}  # held, so that no address is used twice

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            storages[storage.data_ptr()] = storage
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"),
    ):
        result = loss()
    assert result.requires_grad
    return sum(storage.nbytes() for storage in storages.values())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["transformer", "energy", "flow", "diffusion"])
def test_estimate_is_within_a_tenth_of_what_autograd_keeps(kind: str, precision: str) -> None:
    sizes = preset("nano")
    if kind == "transformer":
        baseline = TokenTransformer(sizes.transformer())
        ids = torch.randint(4, 2000, (B, S))
        kept = kept_bytes(lambda: baseline.loss(ids), baseline, precision)
        guess = memory(baseline.config, batch=B, positions=S, precision=precision)  # type: ignore[arg-type]
    else:
        model = CALM(sizes.calm(kind), Autoencoder(sizes.autoencoder))  # type: ignore[arg-type]
        ids = torch.randint(4, 2000, (B, S * 4))
        kept = kept_bytes(lambda: calm_loss(model, ids).total, model, precision)
        guess = memory(model.config, sizes.autoencoder, batch=B, positions=S, precision=precision)  # type: ignore[arg-type]
    assert guess.casts + guess.activations + guess.vocabulary == pytest.approx(kept, rel=0.1)


def test_checkpointing_keeps_one_layer_and_the_inputs_of_the_others() -> None:
    sizes = preset("nano")
    model = CALM(sizes.calm(), Autoencoder(sizes.autoencoder))
    model.backbone.checkpointing = True
    ids = torch.randint(4, 2000, (B, S * 4))
    kept = kept_bytes(lambda: calm_loss(model, ids).total, model, "float32")
    guess = memory(model.config, sizes.autoencoder, batch=B, positions=S, precision="float32", checkpointing=True)
    # the estimate also counts the one layer that is recomputed at a time in the backward pass
    layer = B * S * 4 * (10 * 192 + 4 * 512)
    assert guess.activations - layer == pytest.approx(kept, rel=0.1)


def test_weights_gradients_and_moments() -> None:
    sizes = preset("tiny")
    cost = flops(sizes.calm(), sizes.autoencoder)
    adamw, sgd = (memory(sizes.calm(), sizes.autoencoder, optimizer=name) for name in ("adamw", "sgd"))  # type: ignore[arg-type]
    assert adamw.weights == 4 * cost.total_parameters
    assert adamw.gradients == 4 * cost.trained_parameters
    assert (adamw.optimizer, sgd.optimizer) == (8 * cost.trained_parameters, 0)
    assert adamw.total == sum(value for name, value in adamw.to_dict().items() if name != "total")
    whole = memory(sizes.calm(), sizes.autoencoder, precision="float32")
    assert whole.casts == 0
    assert whole.activations > adamw.activations


def test_memory_grows_with_the_batch_in_its_activations_only() -> None:
    config = preset("M").transformer()
    one, four = (memory(config, batch=batch) for batch in (1, 4))
    assert four.activations == 4 * one.activations
    assert four.weights == one.weights
    # beyond one block of logits only the gradient of the hidden states grows
    assert four.vocabulary < 1.1 * one.vocabulary


def test_hours() -> None:
    sizes = preset("M")
    cost = flops(sizes.calm(), sizes.autoencoder, tokens=10**9)
    assert gpu_hours(sizes.calm(), 1e9, 1e14, sizes.autoencoder) == pytest.approx(cost.training_total / 3.6e17)
    without = gpu_hours(sizes.calm(), 1e9, 1e14, sizes.autoencoder, ae_tokens=0)
    assert without < gpu_hours(sizes.calm(), 1e9, 1e14, sizes.autoencoder)


def test_plan_has_a_row_a_preset() -> None:
    rows = plan(4e14)
    assert [row.preset for row in rows] == ["S", "M", "L", "XL"]
    assert rows == sorted(rows, key=lambda row: row.hours)
    assert [row.memory.total for row in rows] == sorted(row.memory.total for row in rows)
    assert rows[1].trained_parameters == 371_732_608


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "float16"}, "unknown precision"),
        ({"optimizer": "adam"}, "did you mean 'adamw'"),
        ({"batch": 0}, "at least 1"),
        ({"positions": -1}, "at least 1"),
    ],
)
def test_refusals(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        memory(preset("tiny").transformer(), **options)  # type: ignore[arg-type]


def test_impossible_speeds_and_presets_are_refused() -> None:
    config = preset("tiny").transformer()
    for speed in (0, -1, float("nan")):
        with pytest.raises(InputError, match="above 0"):
            gpu_hours(config, 1e6, speed)
    with pytest.raises(InputError, match="tokens"):
        gpu_hours(config, 0, 1e12)
    with pytest.raises(InputError, match="unknown preset"):
        plan(1e12, ("huge",))
