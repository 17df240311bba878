"""Any other model on the shelf: its card says what it reads and what its answers mean."""

from osler.clinic.pathways.pathway import FLAT_CHECKS, VOLUME_CHECKS, Pathway
from osler.models.card import ModelCard


def by_card(card: ModelCard) -> Pathway:
    """The pathway of a model that no clinical use was written for."""
    checks: tuple[str, ...] = VOLUME_CHECKS if card.sees.dims == 3 else FLAT_CHECKS
    if card.task == "segmentation" and card.sees.dims == 2:
        checks = (*checks, "spacing_missing", "spacing_odd")
    return Pathway(name=card.name, title=card.title, finding=card.title, checks=checks)
