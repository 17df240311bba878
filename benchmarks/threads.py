"""What waiting threads cost beside a busy process: a training step with threads that spin, sleep, or do both.

python benchmarks/threads.py
"""

import os
import subprocess
import sys

from record import keep

STEP = """
import time, torch
from osler.models.nets.resnet import ResNet
import sys
net = ResNet(dims=2, planes=1, outputs=2, size=(28, 28), widths=tuple(map(int, sys.argv[1].split(","))))
optimizer = torch.optim.AdamW(net.parameters())
images, truth = torch.randn(64, 1, 28, 28), torch.randint(0, 2, (64,))
times = []
for _ in range(62):
    start = time.perf_counter()
    loss = torch.nn.functional.cross_entropy(net(images), truth)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    times.append(time.perf_counter() - start)
print(sum(times[2:]) / 60)
"""
BUSY = "while True: pass"


WAITING = {
    "spin (the default)": {},
    "sleep": {"OMP_WAIT_POLICY": "PASSIVE"},
    "spin for 4,000 rounds, then sleep": {"GOMP_SPINCOUNT": "4000"},
    "spin for 10,000 rounds, then sleep (Osler's)": {"GOMP_SPINCOUNT": "10000"},
}
WIDTHS = {"narrow": "16,32,64", "wide": "32,64,128"}


def step(widths: str, waiting: dict[str, str], *, busy: bool) -> float:
    """Mean seconds of a training step, alone or beside a busy process."""
    neighbour = subprocess.Popen([sys.executable, "-c", BUSY]) if busy else None
    try:
        environment = {**os.environ, **waiting}
        done = subprocess.run(
            [sys.executable, "-c", STEP, widths], env=environment, capture_output=True, text=True, check=True
        )
        return float(done.stdout)
    finally:
        if neighbour:
            neighbour.kill()


def main() -> None:
    rows = {
        f"{size} net, threads that {how}, {'beside a busy process' if busy else 'alone'}": (
            f"{step(widths, waiting, busy=busy):.3f} s"
        )
        for size, widths in WIDTHS.items()
        for busy in (False, True)
        for how, waiting in WAITING.items()
    }
    keep("threads", {"command": "python benchmarks/threads.py", "tables": {"Seconds a training step": rows}})


if __name__ == "__main__":
    main()
