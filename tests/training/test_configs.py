"""The launch configurations that are shipped: accelerate reads them, and the layers they name are ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.utils import FullyShardedDataParallelPlugin

from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.training.objectives import CalmObjective

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs").glob("*.yaml"))


def test_they_are_there() -> None:
    assert {path.stem for path in CONFIGS} == {"fsdp", "many_gpus"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_accelerate_reads_them(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert config.num_processes == 8
    assert config.distributed_type.value in ("MULTI_GPU", "FSDP")
    assert config.mixed_precision == "bf16"


def test_fsdp_shards_layer_by_layer() -> None:
    (path,) = (path for path in CONFIGS if path.stem == "fsdp")
    options = yaml.safe_load(path.read_text())["fsdp_config"]
    names = {key.removeprefix("fsdp_") for key in options} - {"auto_wrap_policy", "version"}
    fields = FullyShardedDataParallelPlugin.__dataclass_fields__
    assert {name.replace("transformer_layer_cls_to_wrap", "transformer_cls_names_to_wrap").replace(
        "offload_params", "cpu_offload") for name in names} <= set(fields)  # fmt: skip
    sizes = preset("tiny")
    with torch.device("meta"):
        objective = CalmObjective(CALM(sizes.calm(), Autoencoder(sizes.autoencoder)))
    layers = [m for m in objective.modules() if type(m).__name__ == options["fsdp_transformer_layer_cls_to_wrap"]]
    assert layers == list(objective.model.backbone.layers)
