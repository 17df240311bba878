"""What waiting threads cost beside a busy process: a training step with threads that spin, or sleep.

python benchmarks/threads.py
"""

import os
import subprocess
import sys

from record import keep

STEP = """
import time, torch
from osler.models.nets.resnet import ResNet
net = ResNet(dims=2, planes=1, outputs=2, size=(28, 28))
optimizer = torch.optim.AdamW(net.parameters())
images, truth = torch.randn(64, 1, 28, 28), torch.randint(0, 2, (64,))
times = []
for _ in range(12):
    start = time.perf_counter()
    loss = torch.nn.functional.cross_entropy(net(images), truth)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    times.append(time.perf_counter() - start)
print(sorted(times[2:])[5])
"""
BUSY = "while True: pass"


def step(policy: str, *, busy: bool) -> float:
    """Median seconds of a training step under an OMP_WAIT_POLICY, alone or beside a busy process."""
    neighbour = subprocess.Popen([sys.executable, "-c", BUSY]) if busy else None
    try:
        environment = {**os.environ, "OMP_WAIT_POLICY": policy}
        done = subprocess.run(
            [sys.executable, "-c", STEP], env=environment, capture_output=True, text=True, check=True
        )
        return float(done.stdout)
    finally:
        if neighbour:
            neighbour.kill()


def main() -> None:
    rows = {
        f"{name}, {'beside a busy process' if busy else 'alone'}": f"{step(policy, busy=busy):.3f} s"
        for busy in (False, True)
        for name, policy in (
            ("threads that spin (the default)", "ACTIVE"),
            ("threads that sleep (Osler's)", "PASSIVE"),
        )
    }
    keep("threads", {"command": "python benchmarks/threads.py", "tables": {"Seconds a training step": rows}})


if __name__ == "__main__":
    main()
