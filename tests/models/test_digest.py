"""A model folder is sealed: one flipped byte anywhere is seen."""

import numpy as np
import pytest

from osler.core.codes import Code
from osler.core.errors import BadModel
from osler.models.card import ModelCard, Sees, TestResult, read_card
from osler.models.digest import check_seal, seal

CARD = ModelCard(
    name="m",
    version="1",
    title="M",
    task="binary",
    classes=("no", "yes"),
    sees=Sees("anything", 2, modalities=("CR", "DX")),
    codes={"yes": Code("1", "99OSLER", "Yes")},
    tested=(TestResult("d", "test", 3, 4, "auc", 0.9, 0.8, 1.0, "2026-01-01"),),
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "weights.safetensors").write_bytes(np.arange(50, dtype=np.uint8).tobytes())
    (tmp_path / "evaluation" / "page.html").write_text("<p>fine</p>")
    seal(tmp_path, CARD)
    return tmp_path


def test_a_sealed_folder_is_believed_and_the_card_comes_back(folder):
    card = check_seal(folder)
    assert card.digest
    assert (card.sees, card.codes, card.tested) == (CARD.sees, CARD.codes, CARD.tested)


@pytest.mark.parametrize("name", ["weights.safetensors", "evaluation/page.html", "card.json"])
def test_one_flipped_bit_in_any_file_is_seen(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(BadModel):
        check_seal(folder)


def test_an_added_file_and_a_missing_one_are_seen(folder):
    (folder / "more").write_text("x")
    with pytest.raises(BadModel, match="digest"):
        check_seal(folder)
    (folder / "more").unlink()
    (folder / "weights.safetensors").unlink()
    with pytest.raises(BadModel, match="digest"):
        check_seal(folder)


def test_a_folder_without_a_card_is_no_model(tmp_path):
    with pytest.raises(BadModel, match=r"no card\.json"):
        read_card(tmp_path)
