"""Codes of the body's parts, against the dictionary of the DICOM standard that pydicom carries."""

from osler.results.body_sites import BODY_SITES


def test_the_body_sites_are_spelled_as_dicom_spells_them() -> None:
    from pydicom.sr._concepts_dict import concepts

    spelled = {(code, name.upper()) for entry in concepts["SCT"].values() for code, (name, _) in entry.items()}
    for part, code in BODY_SITES.items():
        assert code.scheme == "SCT" and code.meaning.upper() == part
        assert (code.value, part) in spelled
