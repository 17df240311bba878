"""The clinical uses there are. To add one: a file beside this, and a row here."""

from osler.clinic.pathways.by_card import by_card
from osler.clinic.pathways.chest_pneumonia import CHEST_PNEUMONIA
from osler.clinic.pathways.contours import CONTOURS
from osler.clinic.pathways.hippocampus import HIPPOCAMPUS
from osler.clinic.pathways.knee_osteoarthritis import KNEE_OSTEOARTHRITIS
from osler.clinic.pathways.lung_nodule import LUNG_NODULE
from osler.clinic.pathways.pathway import Pathway
from osler.clinic.pathways.retinopathy import RETINOPATHY_GRADE
from osler.clinic.pathways.tumour_burden import TUMOUR_BURDEN
from osler.core.registry import Registry
from osler.models.card import ModelCard

PATHWAYS: Registry[Pathway] = Registry(
    "pathway",
    **{
        one.name: one
        for one in (
            CHEST_PNEUMONIA,
            RETINOPATHY_GRADE,
            KNEE_OSTEOARTHRITIS,
            HIPPOCAMPUS,
            TUMOUR_BURDEN,
            LUNG_NODULE,
            CONTOURS,
        )
    },
)


def pathway_of(card: ModelCard) -> Pathway:
    """The clinical use that a model was made for; by its card where none was written."""
    return PATHWAYS[card.use] if card.use in PATHWAYS else by_card(card)
