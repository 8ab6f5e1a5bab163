"""Inside a step nothing is made on the CPU and nothing is read back, so a GPU is never waited for.

The steps run on the meta device, which stands for any that is not the CPU: it holds no values, so whatever asks for one
(``.item()``, ``nonzero``, a boolean mask, ``if tensor``) raises. A watcher sees every operation and fails on a tensor
of the CPU.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.decoding import Tape
from calm_lab.toolkit.share import Share, moved
from calm_lab.toolkit.texts import write_chunk
from calm_lab.training.objectives import AutoencoderObjective, CalmObjective, Objective, TransformerObjective
from calm_lab.training.optimizer import Average, build_optimizers

META = torch.device("meta")
SIZES = preset("tiny")


class Watcher(TorchDispatchMode):
    """Fail on every tensor that an operation reads or makes on the CPU."""

    seen = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tensors((args, kwargs, out)):
            assert tensor.device == META, f"{func} has a tensor on the {tensor.device}"
            self.seen += 1
        return out


def tensors(tree: Any) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, dict):
        yield from tensors(list(tree.values()))
    elif isinstance(tree, list | tuple):
        for part in tree:
            yield from tensors(part)


def built(kind: str, **options: Any) -> tuple[Any, Objective]:
    """A model on the CPU, and what it minimises."""
    if kind == "transformer":
        model: Any = TokenTransformer(SIZES.transformer())
        return model, TransformerObjective(model)
    autoencoder = Autoencoder(SIZES.autoencoder)
    if kind == "autoencoder":
        return autoencoder, AutoencoderObjective(autoencoder, 0.1)
    model = CALM(SIZES.calm(**options), autoencoder)
    return model, CalmObjective(model)


OPTIONS: list[dict[str, Any]] = [{}, {"input": "both"}, {"head": "flow"}, {"head": "diffusion"}]
CASES = [("autoencoder", {}), ("transformer", {}), *(("calm", options) for options in OPTIONS)]


@pytest.mark.parametrize("world", [1, 2])
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_a_training_step(kind: str, options: dict[str, Any], world: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting, forward, backward, clipping, both optimizers and the running average, alone and as one of two."""
    model, objective = built(kind, **options)
    ids = torch.randint(4, 500, (4, 32))
    ids[1, 20:] = SIZES.autoencoder.pad_id
    share = moved(objective.share(ids, 0, world), META)  # the host counts beforehand
    objective.to(META)
    mine = ids[::world].to(META)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimizers = build_optimizers(trained, "muon", 1e-3, 0.1)
    for group in optimizers[1].param_groups:
        group |= {
            "fused": False,
            "foreach": True,
            "capturable": True,
        }  # the fused kernel knows no shapes without values
    for kind in (torch.optim.Adam, torch.optim.AdamW):  # before torch 2.7 AdamW has its own step
        monkeypatch.setattr(
            sys.modules[kind.__module__], "_get_capturable_supported_devices", lambda **_: ["meta"], raising=False
        )
    average = Average(trained, 0.9)
    for step in range(2):
        objective(mine, share, None)  # tables are moved on first use
        with Watcher() as watcher:
            loss, logs = objective(mine, share, None)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(trained.values()), 1.0)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
            average.update(step)
        assert watcher.seen > 100
        assert all(value.device == META for value in (loss, *logs.values()))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_generation_step(options: dict[str, Any], n: int) -> None:
    """Draw a pool, choose by repeats, read the chunk in again: three chunks of two rows."""
    model, _ = built("calm", **options)
    model = model.to(META).eval()
    ended = torch.zeros(2, dtype=torch.bool, device=META)
    with torch.no_grad():
        tape = Tape(model, torch.zeros(2, 8, dtype=torch.long, device=META), 8)
        write_chunk(model, tape, n, 5, ended)  # tables are moved on first use
        with Watcher() as watcher:
            for _ in range(3):
                chunk, ended = write_chunk(model, tape, n, 5, ended)
    assert chunk.shape == (2, 4)
    assert watcher.seen > 100


@pytest.mark.parametrize("wrong", [lambda x: x[x > 0].sum(), lambda x: x * torch.tensor(2.0),
                                   lambda x: x.sum().item(), lambda x: x.cpu()])  # fmt: skip
def test_the_watcher_sees_what_would_wait(wrong: Any) -> None:
    with pytest.raises((AssertionError, RuntimeError, NotImplementedError)), Watcher():
        wrong(torch.ones(3, device=META))


def test_a_share_is_counted_on_the_host() -> None:
    _, objective = built("calm")
    share = objective.share(torch.randint(4, 500, (4, 32)))
    assert isinstance(share, Share)
    assert share.positions is not None
    assert share.positions.device.type == "cpu"
