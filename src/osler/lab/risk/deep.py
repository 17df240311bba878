"""Fitting small nets whose outputs are the hazards of stretches of time, each net on its own resample of patients.

The likelihood is that of Gensheimer and Narasimhan 2019 (PeerJ 7:e6257): a stretch that was survived counts
log(1 - hazard), the stretch of the event log(hazard); a patient last seen past the middle of a stretch counts as
having survived it. All nets are fitted at once; each stops where the patients outside its resample are likeliest.
"""

from collections.abc import Callable

import numpy as np

from osler.core.arrays import Array, Floats
from osler.models.risk.deep import Deep

NETS = 20
_HIDDEN = 16
_STEPS, _LOOK, _PATIENCE = 600, 5, 200
_RATE, _DECAY = 0.005, 0.1
_FIRST = 0.1  # deviation of the outer weights at the start: from nothing, the inner ones would not learn


def fit_deep(
    rows: Floats,
    time: Floats,
    event: Array,
    *,
    seed: int,
    nets: int = NETS,
    tell: Callable[[int, int], None] | None = None,
) -> tuple[Deep, str]:
    """Nets for rows (patients, columns), and what was decided: stretches of time and steps.

    tell(done, total) now and then
    """
    import torch

    event = np.asarray(event, bool)
    ends = stretches(time, event)
    survived, came = at_risk(time, event, ends)
    random = np.random.default_rng(seed)
    many = len(rows)
    weights = np.stack([np.bincount(random.integers(many, size=many), minlength=many) for _ in range(nets)])
    torch.manual_seed(seed)
    x = torch.as_tensor(rows, dtype=torch.float32).expand(nets, -1, -1)  # (nets, patients, columns)
    alive, gone = (torch.as_tensor(one, dtype=torch.float32) for one in (survived, came))
    inside = torch.as_tensor(weights, dtype=torch.float32)
    outside = (inside == 0).float()
    rate = (came.sum(0) + 0.5) / (came.sum(0) + survived.sum(0) + 1)
    start = torch.as_tensor(np.log(rate / (1 - rate)), dtype=torch.float32)
    columns, many_ends = rows.shape[1], len(ends)
    parameters = [
        torch.randn(nets, columns, _HIDDEN) / np.sqrt(columns),  # inner
        torch.zeros(nets, 1, _HIDDEN),
        torch.randn(nets, _HIDDEN, 1) * _FIRST,  # outer, the same for all stretches
        torch.zeros(nets, _HIDDEN, many_ends),  # and what differs between them
        start.expand(nets, 1, -1).clone(),
        torch.zeros(nets, columns, 1),  # skip
    ]
    for one in parameters:
        one.requires_grad_(True)
    # What differs between stretches is held back more: most columns matter alike early and late.
    held_back = [_DECAY, 0.0, _DECAY, 10 * _DECAY, 0.0, _DECAY]
    maker = torch.optim.AdamW(
        [{"params": [p], "weight_decay": d} for p, d in zip(parameters, held_back, strict=True)], lr=_RATE
    )
    best = torch.full((nets,), float("inf"))
    kept = [one.detach().clone() for one in parameters]
    steps = np.zeros(nets, int)
    soft = torch.nn.functional.softplus
    for step in range(_STEPS + 1):
        inner, inner_start, common, own, outer_start, skip = parameters
        hidden = torch.tanh(x @ inner + inner_start)
        odds = hidden @ (common + own) + x @ skip + outer_start  # (nets, patients, stretches)
        loss = (alive * soft(odds) + gone * soft(-odds)).sum(2)  # (nets, patients)
        if step % _LOOK == 0:
            seen = ((loss * outside).sum(1) / outside.sum(1).clamp(min=1)).detach()
            better = seen < best
            best = torch.where(better, seen, best)
            for held, now in zip(kept, parameters, strict=True):
                held[better] = now.detach()[better]
            steps[better.numpy()] = step
            if tell is not None:
                tell(step, _STEPS)
            if step - steps.max() > _PATIENCE:
                break
        maker.zero_grad()
        ((loss * inside).sum(1) / many).sum().backward()  # type: ignore[no-untyped-call]
        maker.step()
    numbers = [one.numpy().astype(np.float64) for one in kept]
    because = (
        f"{nets} nets of {_HIDDEN} hidden units, {len(ends)} stretches of time with about as many events each; "
        f"stopped after {int(np.median(steps))} steps (median) of at most {_STEPS}, where patients outside each "
        "net's resample are likeliest"
    )
    return (
        Deep(numbers[0], numbers[1][:, 0], numbers[2] + numbers[3], numbers[4][:, 0], numbers[5][:, :, 0], ends),
        because,
    )


def stretches(time: Floats, event: Array) -> Floats:
    """(stretches,) ends, with about as many events in each; 3 to 10, the last at the last time."""
    many = int(np.clip(int(event.sum()) // 8, 3, 10))
    inner = np.quantile(time[event], np.linspace(0, 1, many + 1)[1:-1])
    ends: Floats = np.unique([*inner[inner > 0], max(float(time.max()), 1e-9)])
    return ends


def at_risk(time: Floats, event: Array, ends: Floats) -> tuple[Floats, Floats]:
    """(patients, stretches) each: 1 where a stretch was survived, 1 where the event came in it."""
    before = np.concatenate([[0.0], ends[:-1]])
    last, middle = time[:, None], (before + ends) / 2
    here = (last > before) & (last <= ends)
    here[:, 0] |= time <= 0  # an event at time 0 belongs to the first stretch
    came = here & event[:, None]
    survived = (last > ends) | (here & ~event[:, None] & (last >= middle))
    return survived.astype(np.float64), came.astype(np.float64)
