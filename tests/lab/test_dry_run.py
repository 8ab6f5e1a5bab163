"""A dry run builds what a training would build, in shapes alone, and its page says what it counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from calm_lab import cli
from calm_lab.errors import InputError
from calm_lab.lab.dry_run import PEAKS, UTILISATION, dry_run, optimizer_bytes, planned_configs
from calm_lab.lab.scale_page import paper_recipe, scale_page
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.training import AutoencoderRecipe, CalmRecipe, TransformerRecipe
from calm_lab.training.optimizer import build_optimizers

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


def test_xl_is_built_without_its_memory() -> None:
    plan = dry_run(CalmRecipe(preset="XL", steps=10, rows=4, accumulate=2, positions=64))
    assert plan.parameters == pytest.approx(1.82e9, rel=0.01)  # the paper's Table 1
    assert plan.frozen == sum(p.numel() for p in _meta_autoencoder("XL").parameters())
    assert plan.tokens == 10 * 4 * 64 * 4
    assert plan.rows == 2
    for name, peak in PEAKS.items():
        assert plan.hours[name] * 3600 * UTILISATION * peak == pytest.approx(plan.training)


def _meta_autoencoder(name: str) -> Autoencoder:
    with torch.device("meta"):
        return Autoencoder(preset(name).autoencoder)


def test_a_small_preset_keeps_the_bundled_autoencoder_and_a_large_one_its_own() -> None:
    config, autoencoder = planned_configs(CalmRecipe())
    assert autoencoder is not None
    assert config.vocab_size == autoencoder.vocab_size == 2048
    config, autoencoder = planned_configs(CalmRecipe(preset="S"))
    assert autoencoder == preset("S").autoencoder
    with pytest.raises(InputError, match="calm or a transformer"):
        dry_run(AutoencoderRecipe())


@pytest.mark.parametrize("head", ["energy", "flow", "diffusion"])
def test_every_head_passes_in_shapes(head: str) -> None:
    assert dry_run(CalmRecipe(preset="S", head=head, positions=16)).parameters > 10**8  # type: ignore[arg-type]


def test_a_transformer_is_planned_too() -> None:
    plan = dry_run(TransformerRecipe(preset="S", positions=32))
    assert plan.autoencoder is None
    assert plan.parameters == pytest.approx(281e6, rel=0.02)  # the paper's Table 1


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_the_optimizers_state_is_what_they_keep(optimizer: str) -> None:
    """Within the step counters that AdamW keeps beside its two numbers a parameter."""
    sizes = preset("tiny")
    trained = CALM(sizes.calm(), Autoencoder(sizes.autoencoder)).trainable()
    kept = 0
    for one in build_optimizers(trained, optimizer, 1e-3, 0.1):  # type: ignore[arg-type]
        for parameter in trained.values():
            parameter.grad = torch.zeros_like(parameter)
        one.step()
        kept += sum(t.numel() * 4 for state in one.state.values() for t in state.values() if t.dim())
    assert optimizer_bytes(trained, optimizer) == kept


def test_the_command_prints_the_plan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["train", "calm", "--dry-run", "--preset", "M", "--positions", "16", "--out", str(tmp_path / "run")]
    assert cli.main(words) == 0
    out = capsys.readouterr().out
    assert "meta device" in out
    for word in ("tokens", "FLOPs", "weights", "optimizer", "activations", "H100 hours", "assumption"):
        assert word in out
    assert not (tmp_path / "run").exists()


def test_the_committed_page_is_what_the_command_writes() -> None:
    assert PAGE.read_text("utf-8") == scale_page(), "run: calm-lab flops --page docs/scale.md"


def test_every_command_on_the_page_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Options and files that the page names exist."""
    from calm_lab.cli.train import read_recipe

    text = scale_page().replace("\\\n", " ")
    for line in text.splitlines():
        if "calm_lab.cli train" in line:
            name, *rest = line.split("calm_lab.cli train ")[1].split()
            assert read_recipe(name, rest).preset == "XL"
    root = PAGE.parents[1]
    for word in text.replace("`", " ").split():
        if word.startswith(("tests/", "configs/")):
            assert (root / word).is_file(), word


def test_the_paper_s_schedule_is_half_a_trillion_tokens() -> None:
    for kind in ("calm", "transformer"):
        recipe = paper_recipe("S", kind)
        size = 4 if kind == "calm" else 1
        assert recipe.steps * recipe.rows * recipe.positions * size == pytest.approx(5e11, rel=0.05)
