"""What a severity statement may be asked for. One row a purpose; a consent names the rows that it covers.

Purpose limitation: GDPR Art. 5(1)(b). Health data need a ground of their own: Art. 9(2). Risk assessment and
pricing in life and health insurance: AI Act (Regulation 2024/1689), Annex III, 5(c).
(to be reviewed by a lawyer before use)
"""

from dataclasses import dataclass

from osler.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose.

    title  key of the sentence that names it to people
    mind   key of the sentence that says what to mind, "" for nothing beyond what always holds
    """

    title: str
    mind: str = ""


PURPOSES: Registry[Purpose] = Registry(
    "purpose of an assessment",
    **{
        "disability": Purpose("purpose.disability"),
        "work-capacity": Purpose("purpose.work_capacity", "purpose.work_capacity.mind"),
        "insurance-claim": Purpose("purpose.insurance_claim"),
        "insurance-pricing": Purpose("purpose.insurance_pricing", "purpose.insurance_pricing.mind"),
        "court": Purpose("purpose.court"),
        "second-opinion": Purpose("purpose.second_opinion"),
        "research": Purpose("purpose.research", "purpose.research.mind"),
    },
)
