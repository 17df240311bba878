"""How outputs become answers, for every task."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from osler.models.tasks.ordinal import ORDINAL
from osler.models.tasks.segmentation import SEGMENTATION
from osler.models.tasks.table import TASKS

EXCLUSIVE = ("binary", "multiclass", "ordinal", "segmentation")


@pytest.mark.parametrize("name", TASKS)
def test_every_task_learns_a_target_it_can_see(name):
    """Gradient steps on free logits bring the answer to the target."""
    task, classes = TASKS[name], 2 if name == "binary" else 4
    shape = (6, task.outputs(classes), *([5, 5] if task.pixels else []))
    torch.manual_seed(0)
    target = {
        "multilabel": (torch.rand(6, classes) > 0.5).float(),
        "regression": torch.randn(6),
    }.get(name, torch.randint(0, classes, (6, *shape[2:])))
    logits = torch.zeros(shape, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    first = float(task.loss(logits, target).detach())
    for _ in range(150):
        optimizer.zero_grad()
        loss = task.loss(logits, target)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < first / 5
    answers = task.answers(logits.detach())
    if name in EXCLUSIVE:
        assert torch.equal(answers.argmax(1), target)
        assert torch.allclose(answers.sum(1), torch.ones_like(answers[:, 0]), atol=1e-5)
    elif name == "multilabel":
        assert torch.equal(answers > 0.5, target > 0.5)
    else:
        assert torch.allclose(answers[:, 0], target, atol=0.05)


@given(st.lists(st.floats(-8, 8), min_size=1, max_size=6))
def test_grade_probabilities_never_contradict_the_order(outputs):
    """P(y > k) falls with k, so no class probability is negative."""
    p = ORDINAL.answers(torch.tensor([outputs], dtype=torch.float64)).numpy()[0]
    assert (p >= -1e-12).all()
    assert p.sum() == pytest.approx(1)
    above = 1 - np.cumsum(p)[:-1]
    assert (np.diff(above) <= 1e-12).all()


def test_corn_loss_is_the_papers():
    """Each threshold's conditional cross entropy over the cases that reached it (arXiv 2111.08851, eq. 5)."""
    torch.manual_seed(1)
    logits, grades = torch.randn(9, 4), torch.randint(0, 5, (9,))
    total, count = 0.0, 0
    for k in range(4):
        for row in range(9):
            if grades[row] >= k:
                p = torch.sigmoid(logits[row, k])
                total -= float(torch.log(p if grades[row] > k else 1 - p))
                count += 1
    assert float(ORDINAL.loss(logits, grades)) == pytest.approx(total / count, rel=1e-5)


def test_segmentation_loss_of_a_sure_right_answer_is_nothing():
    target = torch.zeros(1, 4, 4, dtype=torch.long)
    target[0, 1:3, 1:3] = 1
    logits = torch.nn.functional.one_hot(target, 2).permute(0, 3, 1, 2).float() * 40 - 20
    assert float(SEGMENTATION.loss(logits, target)) == pytest.approx(0, abs=1e-4)
    assert float(SEGMENTATION.loss(-logits, target)) > 20
