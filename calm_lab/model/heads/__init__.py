"""The three generative heads: energy (one step), flow matching and diffusion (many steps), behind one interface.

A head draws the next latent vector given a hidden state: ``head.sample(hidden)`` maps (..., d) to (..., l). Only the
energy head is the paper's proposal; the other two are its baselines (paper sec. 3.1, 7, Figs 8 and 9).
"""

from __future__ import annotations

from calm_lab.model.config import HeadConfig
from calm_lab.model.heads.diffusion import DiffusionHead
from calm_lab.model.heads.energy import EnergyHead
from calm_lab.model.heads.flow import FlowHead

Head = EnergyHead | FlowHead | DiffusionHead


def build_head(config: HeadConfig, hidden_size: int, latent_size: int) -> Head:
    """The head that ``config.kind`` names, from hidden size d to latent size l."""
    kinds: dict[str, type[EnergyHead] | type[FlowHead] | type[DiffusionHead]] = {
        "energy": EnergyHead,
        "flow": FlowHead,
        "diffusion": DiffusionHead,
    }
    return kinds[config.kind](config, hidden_size, latent_size)


__all__ = ["DiffusionHead", "EnergyHead", "FlowHead", "Head", "build_head"]
