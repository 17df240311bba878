"""One training step: draw, vary, answer, compare, go downhill."""

import copy
import logging
import math

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional

from osler.lab.plan.plan import Plan
from osler.lab.train.augment import augment, mix
from osler.lab.train.cases import TrainingCases
from osler.lab.train.sampling import draw
from osler.models.model import build_net
from osler.models.nets.layout import laid_out, planes_last
from osler.models.tasks.table import TASKS

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces its precision at every start

WARM_UP = 0.05  # share of the way on which the rate rises


class Stepper:
    """A net in training: its weights, their running mean, its optimizer.

    mean  the averaged weights, which answer better than the last ones (Polyak & Juditsky 1992)
    """

    def __init__(self, plan: Plan, *, seed: int, device: str, precision: str) -> None:
        self.plan, self.seed = plan, seed
        self.task = TASKS[plan.task]
        accelerator, _, number = device.partition(":")
        self.fabric = Fabric(
            accelerator=accelerator,
            devices=[int(number or 0)] if accelerator == "cuda" else 1,
            precision="bf16-mixed" if precision == "bfloat16" else "32-true",
        )
        torch.manual_seed(seed)
        self.raw: nn.Module = build_net(plan.net, plan.recipe, self.task.outputs(len(plan.classes)))
        planes_last(self.raw.to(device)).train()
        rule = plan.training
        optimizer: torch.optim.Optimizer = (
            torch.optim.SGD(self.raw.parameters(), lr=rule.rate)
            if rule.optimizer == "descent"
            else torch.optim.AdamW(_decayed(self.raw, rule.weight_decay), lr=rule.rate)
        )
        self.net, self.optimizer = self.fabric.setup(self.raw, optimizer)
        self.mean = {k: copy.deepcopy(v.detach()) for k, v in self.raw.state_dict().items()}

    def take(self, cases: TrainingCases, *, step: int, progress: float) -> float:
        """One step; `progress` is the share of the way behind us, 0..1. Returns the loss."""
        rule = self.plan.training
        for group in self.optimizer.param_groups:
            group["lr"] = rule.rate if rule.optimizer == "descent" else rule.rate * schedule(progress)
        images, target = self._batch(cases, step)  # (B, planes, *size), (B, ...)
        logits = self.net(laid_out(images))  # (B, outputs[, *size]), or a list of them, finest first
        loss = self._loss(logits, target)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        if rule.clip:
            nn.utils.clip_grad_norm_(self.raw.parameters(), rule.clip)
        self.optimizer.step()
        self._average(step)
        return float(loss.detach())

    def _batch(self, cases: TrainingCases, step: int) -> tuple[Tensor, Tensor]:
        plan = self.plan
        dice = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        torch.manual_seed(self.seed * 1_000_003 + step)  # dropout's die, so that a resumed run casts the same
        images, target = draw(cases, plan, seed=self.seed, step=step)
        images, target = images.to(self.fabric.device), target.to(self.fabric.device)
        if plan.task == "segmentation":
            images, masks = augment(images, target, plan.augmentation, plan.recipe.size, dice)
            assert masks is not None
            return images, masks
        images, _ = augment(images, None, plan.augmentation, plan.recipe.size, dice)
        if plan.augmentation.mix:
            shares = target if target.ndim == 2 else functional.one_hot(target, len(plan.classes))
            return mix(images, shares.float(), plan.augmentation, dice)
        return images, target

    def _loss(self, logits: Tensor | list[Tensor], target: Tensor) -> Tensor:
        """The task's loss; over all resolutions, each half as heavy as the finer one (deep supervision)."""
        if isinstance(logits, Tensor):
            return self.task.loss(logits.float(), target)
        total = torch.zeros((), device=target.device)
        for level, coarse in enumerate(logits):
            small = functional.interpolate(target[:, None].float(), size=coarse.shape[2:], mode="nearest")
            total = total + 0.5**level * self.task.loss(coarse.float(), small[:, 0].long())
        return total / (2 - 0.5 ** (len(logits) - 1))

    def _average(self, step: int) -> None:
        """Exponential mean of the weights, short at first so that the start is forgotten."""
        if not self.plan.training.average:
            keep = 0.0
        else:
            keep = min(1 - 1 / max(2.0, self.plan.training.average * (step + 1)), 0.999)
        with torch.no_grad():
            for name, value in self.raw.state_dict().items():
                if value.is_floating_point():
                    self.mean[name].lerp_(value, 1 - keep)
                else:
                    self.mean[name].copy_(value)


def schedule(progress: float) -> float:
    """Share of the highest rate at this share of the way: up in a straight line, down along a cosine.

    >>> schedule(0.05), round(schedule(1.0), 6)
    (1.0, 0.0)
    """
    if progress < WARM_UP:
        return 0.01 + 0.99 * progress / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - WARM_UP) / (1 - WARM_UP))))


def _decayed(net: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weights shrink; biases and norms, which have one axis, do not."""
    heavy = [p for p in net.parameters() if p.ndim > 1]
    light = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": heavy, "weight_decay": decay}, {"params": light, "weight_decay": 0.0}]
