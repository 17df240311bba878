"""The guidelines that there are."""

from osler.clinic.guidelines.brixia import BRIXIA
from osler.clinic.guidelines.calcium import CAC_DRS, CALCIUM
from osler.clinic.guidelines.cardiac_groups import CARDIAC_GROUPS
from osler.clinic.guidelines.ejection_fraction import EF_ASE, EF_ESC
from osler.clinic.guidelines.fleischner import FLEISCHNER
from osler.clinic.guidelines.guideline import Guideline
from osler.clinic.guidelines.kellgren_lawrence import KELLGREN_LAWRENCE
from osler.clinic.guidelines.lung_rads import LUNG_RADS
from osler.clinic.guidelines.nodule_risk import BROCK, MAYO
from osler.clinic.guidelines.percist import PERCIST
from osler.clinic.guidelines.rale import RALE
from osler.clinic.guidelines.recist import IRECIST, RECIST, RECIST_LESION
from osler.clinic.guidelines.retinopathy import RETINOPATHY
from osler.clinic.guidelines.severity_ct import CT_SEVERITY_20, CT_SEVERITY_25
from osler.core.registry import Registry

_ALL = (
    RECIST,
    RECIST_LESION,
    IRECIST,
    PERCIST,
    FLEISCHNER,
    LUNG_RADS,
    BROCK,
    MAYO,
    CT_SEVERITY_25,
    CT_SEVERITY_20,
    BRIXIA,
    RALE,
    KELLGREN_LAWRENCE,
    RETINOPATHY,
    CALCIUM,
    CAC_DRS,
    EF_ESC,
    EF_ASE,
    CARDIAC_GROUPS,
)
GUIDELINES: Registry[Guideline] = Registry("guideline", **{guideline.name: guideline for guideline in _ALL})
