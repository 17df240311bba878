"""The fingerprint of a model folder: one flipped byte anywhere changes it."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from osler.core.errors import BadModel
from osler.models.card import ModelCard, card_to_json, read_card, without_digest, write_card


def folder_digest(folder: Path, card: ModelCard) -> str:
    """sha256 over the names and contents of all files but card.json, and over the card without its digest."""
    total = hashlib.sha256(json.dumps(card_to_json(without_digest(card)), sort_keys=True).encode())
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != "card.json":
            total.update(name.encode() + b"\0")
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def seal(folder: Path, card: ModelCard) -> ModelCard:
    """Write the card with the digest of all that is in `folder`; the last act of making a model."""
    sealed = replace(card, digest=folder_digest(folder, card))
    write_card(sealed, folder)
    return sealed


def check_seal(folder: Path) -> ModelCard:
    """The card of `folder`, after its digest was compared. Raises BadModel when a file was changed."""
    card = read_card(folder)
    if not card.digest or folder_digest(folder, card) != card.digest:
        raise BadModel(
            f"The model {folder.name} is damaged: its files do not match the digest in its card.",
            remedy="Copy the folder again, or train the model again; a model is never edited in place.",
        )
    return card
