"""Follow several recipes, one after another: what the launchers start in each process of the tests."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import yaml
from accelerate.state import PartialState
from accelerate.utils import DistributedType

from calm_lab import training

FSDP = Path(__file__).resolve().parents[2] / "configs" / "fsdp.yaml"
RENAMED = {"fsdp_transformer_layer_cls_to_wrap": "FSDP_TRANSFORMER_CLS_TO_WRAP"}  # as accelerate's launcher does


def pretend_gpus() -> None:
    """Take the FSDP of the shipped config, which accelerate offers to GPUs alone, on this CPU."""
    PartialState(cpu=True)
    PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
    os.environ["ACCELERATE_USE_FSDP"] = "true"
    for name, value in yaml.safe_load(FSDP.read_text())["fsdp_config"].items():
        os.environ[RENAMED.get(name, name.upper())] = str(value).lower() if isinstance(value, bool) else str(value)


def main(path: str, sharded: bool = False) -> None:
    """Train each recipe of a JSON list of [kind, fields]."""
    for kind, fields in json.loads(Path(path).read_text()):
        if sharded:  # anew for each: accelerate forgets after a run that these were GPUs
            pretend_gpus()
        recipe = next(r for r in vars(training).values() if getattr(r, "__name__", "") == f"{kind.title()}Recipe")
        getattr(training, f"train_{kind}")(recipe(**{**fields, "out": Path(fields["out"])}))


if __name__ == "__main__":
    main(sys.argv[1], "--fsdp" in sys.argv)
