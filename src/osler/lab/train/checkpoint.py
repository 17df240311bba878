"""Where a training stands, on disk, so that a killed one goes on. Safetensors and JSON, never pickle."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from osler.core.record import from_plain, to_plain
from osler.io.files import replacing


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a member has come.

    step     optimizer steps done
    steps    optimizer steps planned
    elapsed  seconds of training so far, over all runs
    losses   mean loss of each hundredth of the way
    """

    step: int
    steps: int
    elapsed: float
    losses: tuple[float, ...]


def save_checkpoint(
    path: Path,
    standing: Standing,
    net: dict[str, Tensor],
    mean: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write weights, averaged weights, the optimizer's memory and the standing as one file."""
    tensors = {f"net.{k}": v for k, v in net.items()} | {f"mean.{k}": v for k, v in mean.items()}
    for number, memory in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{k}": torch.as_tensor(v) for k, v in memory.items()}
    cpu = {k: v.detach().to("cpu").clone().contiguous() for k, v in tensors.items()}
    with replacing(path) as beside:
        # As bytes: a full disk is then an OSError like any other, which safetensors' own writing hides.
        beside.write_bytes(save(cpu, metadata={"standing": json.dumps(to_plain(standing))}))


def load_checkpoint(
    path: Path, net: torch.nn.Module, mean: dict[str, Tensor], optimizer: torch.optim.Optimizer
) -> Standing | None:
    """Put what `path` holds into net, mean and optimizer; None when there is nothing usable."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            standing = from_plain(Standing, json.loads(file.metadata()["standing"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return None  # killed while the disk was written: the training starts again
    net.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("net.")})
    for name, value in mean.items():
        value.copy_(tensors[f"mean.{name}"])
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, number, name = key.split(".", 2)
            state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return standing
