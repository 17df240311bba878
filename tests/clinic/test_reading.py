"""The whole road, with models whose answers are known beforehand."""

import importlib.metadata
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osler.clinic.reading import read_study
from osler.core.errors import BadModel, UnknownChoice
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.report import Report
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.models.card import Sees
from osler.models.likeness import Evidence, Gate, Span
from osler.models.recipe import Channel, Normalization
from osler.models.trust import Trust

PLAIN = Normalization("fixed")
CHEST_ONLY = Sees("a radiograph of the chest", 2, modalities=("CR",), body_parts=("CHEST",))


def study_of(*pictures: Picture, **more: object) -> Study:
    return Study(pictures, pictures[0].facts if pictures else Facts(), name="a study", **more)  # type: ignore[arg-type]


def film(noise, facts=Facts(), shape=(120, 140)) -> Image:  # noqa: B008
    return Image(noise(*shape), facts=facts)


def fundus(noise, **facts) -> Image:
    return Image(noise(120, 120)[..., None] * np.array([1, 0.5, 0.2]), facts=Facts(**facts))


def declined_cleanly(report: Report) -> str:
    """No answer of any kind; returns the reason."""
    assert report.declined
    assert not report.findings and not report.key_pictures and not report.models and report.pathway == ""
    return report.declined[0].what


def test_a_chest_film_is_read_and_says_how_sure(starters, noise):
    facts = Facts(modality="CR", body_part="CHEST PA", view="PA", age_years=62)
    report = read_study(study_of(film(noise, facts)), starters.shelf)
    [finding] = report.findings
    assert not report.declined and report.pathway == "chest-pneumonia"
    assert finding.probability == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-5)
    assert finding.present is True
    assert finding.statement == "Pneumonia: probability 0.88 (present at the operating point 0.40)."
    assert finding.code is not None and finding.code.value == "233604007"
    assert report.models[0].not_for == ("adults",)
    assert [stage for stage, _ in report.seconds] == [
        "choose",
        "quality",
        "load",
        "predict",
        "findings",
        "conclude",
        "pictures",
        "explain",
    ]
    assert report.key_pictures[0].pixels.dtype == np.uint8


def test_an_adult_film_is_read_with_a_caution_about_children(starters, noise):
    def age_caution(age: float | None) -> list[str]:
        facts = Facts(modality="DX", body_part="CHEST", view="AP", age_years=age)
        report = read_study(study_of(film(noise, facts)), starters.shelf)
        return [problem.what for problem in report.cautions if problem.check == "age"]

    assert "62 years old" in age_caution(62)[0]
    assert "not known" in age_caution(None)[0]
    assert age_caution(3) == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (Facts(modality="CR", body_part="EXTREMITY", view="AP"), "EXTREMITY"),
        (Facts(modality="CR", description="non-ossifying fibroma of distal tibia"), "LEG"),
        (Facts(modality="MG", body_part="BREAST"), "BREAST"),
        (Facts(modality="CR", body_part="LSPINE"), "LSPINE"),
    ],
)
def test_the_wrong_part_is_declined_by_its_header(starters, noise, facts, said):
    report = read_study(study_of(film(noise, facts)), starters.shelf)
    reason = declined_cleanly(report)
    assert said in reason and "a frontal radiograph of the chest (chest-pneumonia)" in reason
    assert {problem.check for problem in report.declined[1:]} == {
        "model chest-pneumonia", "model retinopathy-grade", "model hippocampus-mr",
    }  # fmt: skip


def test_a_lateral_film_is_declined_and_the_frontal_one_beside_it_read(starters, noise):
    lateral = film(noise, Facts(modality="DX", body_part="CHEST", view="LL"))
    frontal = film(noise, Facts(modality="DX", body_part="CHEST", view="PA"))
    report = read_study(study_of(lateral), starters.shelf)
    declined_cleanly(report)
    assert any("LL" in problem.what for problem in report.declined)
    report = read_study(study_of(lateral, frontal), starters.shelf)
    assert [finding.picture for finding in report.findings] == [1]


def test_a_png_without_header_is_read_with_a_caution(starters, noise):
    report = read_study(study_of(film(noise)), starters.shelf)
    assert report.pathway == "chest-pneumonia"
    assert "does not say what it shows; the answer supposes a frontal radiograph" in report.cautions[0].what


def test_both_eyes_are_read_and_told_apart(starters, noise):
    eyes = [fundus(noise, modality="OP", laterality=side) for side in ("R", "L")]
    report = read_study(study_of(*eyes), starters.shelf)
    grades = [finding for finding in report.findings if finding.grade]
    assert [finding.picture for finding in grades] == [0, 1]
    assert grades[0].statement.startswith("Picture 1 (right): Diabetic retinopathy grade: 3, severe")
    assert sum(p for _, p in grades[0].distribution) == pytest.approx(1)
    referable = [finding for finding in report.findings if finding.name == "Referable retinopathy"]
    shares = [p for _, p in grades[0].distribution]
    assert referable[0].probability == pytest.approx(sum(shares[2:]))


def test_a_colour_photograph_without_red_is_no_fundus(starters, noise):
    sky = Image(noise(120, 120)[..., None] * np.array([0.3, 0.6, 1.0]))
    report = read_study(study_of(sky), starters.shelf)
    assert "red of a fundus" in declined_cleanly(report)


def brain_box(facts: Facts = Facts(), scale: float = 1.0) -> Volume:  # noqa: B008
    """Background, a box at 100 of 6 x 10 x 8 voxels, and one at 200 of 2 x 3 x 4; voxels of 1.5 x 1 x 2 mm."""
    array = np.random.default_rng(1).uniform(0, 20, (30, 40, 24)).astype(np.float32)
    array[5:11, 10:20, 8:16] = 100
    array[20:22, 10:13, 10:14] = 200
    spacing = (1.5 * scale, 1.0 * scale, 2.0 * scale)
    return Volume(array, Geometry.from_spacing(array.shape, spacing), facts=facts)


def test_a_volume_is_measured_in_ml_and_mm(starters):
    report = read_study(study_of(brain_box(Facts(modality="MR", body_part="BRAIN"))), starters.shelf)
    anterior, posterior, whole = report.findings
    measured = {m.name: m.quantity for m in anterior.measurements}
    assert anterior.name == "Hippocampus, anterior" and anterior.present is True
    assert measured["Volume"].value == pytest.approx(6 * 10 * 8 * 3 / 1000) and measured["Volume"].unit == "ml"
    assert measured["Separate pieces"].value == 1
    assert 10 < measured["Longest diameter in a slice"].value < 19
    assert measured["Longest diameter in space"].value >= measured["Longest diameter in a slice"].value
    assert measured["Mean probability inside"].value > 0.9
    assert len(report.key_pictures) >= 2
    assert anterior.statement.startswith("Hippocampus, anterior: volume 1.44 ml, longest diameter in space ")
    assert posterior.measurements[0].quantity.value == pytest.approx(2 * 3 * 4 * 3 / 1000)
    assert whole.measurements[0].quantity.value == pytest.approx((6 * 10 * 8 + 2 * 3 * 4) * 3 / 1000)
    assert "No norm set" in report.conclusions[0].refused


def test_a_structure_that_is_absent_is_said_not_to_be_seen(starters):
    volume = brain_box(Facts(modality="MR"))
    report = read_study(study_of(volume.with_array(np.minimum(volume.array, 110))), starters.shelf)
    assert report.findings[1].statement == "Hippocampus, posterior: not seen."
    assert report.findings[1].present is False and not report.findings[1].measurements


def test_a_whole_head_is_no_box_around_a_hippocampus(starters):
    report = read_study(study_of(brain_box(Facts(modality="MR", body_part="BRAIN"), scale=4)), starters.shelf)
    assert "20 to 80 mm" in declined_cleanly(report)


def test_a_structure_that_touches_the_edge_is_cut_off(starters):
    array = brain_box().array.copy()
    array[0:3, 30:35, 5:9] = 100
    report = read_study(study_of(brain_box(Facts(modality="MR")).with_array(array)), starters.shelf)
    assert any(problem.check == "edge" and "anterior" in problem.what for problem in report.cautions)
    assert {m.name: m.quantity.value for m in report.findings[0].measurements}["Separate pieces"] == 2


def test_nothing_on_the_shelf_is_said_so(bench, noise):
    assert "no model on the shelf" in declined_cleanly(read_study(study_of(film(noise)), bench.shelf))


def test_a_study_without_pictures_is_declined(starters):
    assert declined_cleanly(read_study(study_of(), starters.shelf)) == "The study holds no picture."


def test_a_blank_picture_is_declined(starters):
    report = read_study(study_of(Image(np.full((200, 200), 7, np.uint8))), starters.shelf)
    assert "three grey values" in declined_cleanly(report)


def test_a_broken_number_is_declined(starters, noise):
    array = noise(120, 120).astype(np.float32)
    array[3, 4] = np.nan
    assert "NaN" in declined_cleanly(read_study(study_of(Image(array)), starters.shelf))


def test_an_unknown_pathway_proposes_the_near_one(starters, noise):
    with pytest.raises(UnknownChoice, match="Did you mean 'chest-pneumonia'"):
        read_study(study_of(film(noise)), starters.shelf, pathway="chest-pneumonias")


def test_naming_a_pathway_does_not_overrule_the_header(starters, noise):
    leg = film(noise, Facts(modality="CR", body_part="EXTREMITY"))
    report = read_study(study_of(leg), starters.shelf, pathway="chest-pneumonia")
    assert "EXTREMITY" in declined_cleanly(report)


def test_a_damaged_model_is_an_error_not_a_declined_study(starters, noise):
    (starters.folder / "chest-pneumonia" / "trust.json").write_text("{}")
    facts = Facts(modality="CR", body_part="CHEST", view="PA")
    with pytest.raises(BadModel, match="chest-pneumonia is damaged"):
        read_study(study_of(film(noise, facts)), starters.shelf)


def test_problems_of_the_study_reach_the_report(starters, noise):
    report = read_study(study_of(film(noise), problems=("Series 2 has a gap.",)), starters.shelf)
    assert any("Series 2 has a gap." in problem.what for problem in report.cautions)


def test_two_channels_are_found_by_their_modality(bench, says_above):
    sees = Sees("PET and CT", 3, ("CT", "PET"), ("CT", "PT"))
    channels = (Channel("CT", "CT", PLAIN), Channel("PET", "PT", PLAIN))
    bench.add("tumour", "segmentation", ("tumour",), sees, says_above, channels=channels)
    grid = Geometry.from_spacing((20, 24, 24), (3, 2, 2))
    array = np.random.default_rng(0).uniform(-50, 40, grid.shape).astype(np.float32)
    array[8:12, 8:12, 8:12] = 100
    ct = Volume(array, grid, unit="HU", facts=Facts(modality="CT"))
    pet = Volume(np.abs(array), grid, unit="SUV", facts=Facts(modality="PT"))
    report = read_study(study_of(pet, ct), bench.shelf)
    [finding] = report.findings
    assert finding.picture == 1 and finding.measurements[0].quantity.value == pytest.approx(64 * 12 / 1000)
    assert "holds no PET" in declined_cleanly(read_study(study_of(ct), bench.shelf))


def test_numbers_without_a_header_tell_ct_from_mr(bench, says_above):
    bench.add("ct-organ", "segmentation", ("organ",), Sees("CT", 3, modalities=("CT",)), says_above)
    report = read_study(study_of(brain_box()), bench.shelf)
    assert "no Hounsfield units" in declined_cleanly(report)


def test_several_models_for_a_silent_file_are_not_guessed_between(bench, noise, says):
    for name in ("first", "second"):
        bench.add(name, "binary", ("no", "yes"), Sees("a picture", 2), says(0, 1))
    report = read_study(study_of(film(noise)), bench.shelf)
    assert "Several models" in declined_cleanly(report) and "--pathway first" in report.declined[0].remedy
    named = read_study(study_of(film(noise)), bench.shelf, pathway="second")
    assert named.models[0].name == "second" and named.findings


def test_a_card_that_says_nothing_reads_a_leg_only_when_asked(bench, noise, says):
    bench.add("any", "binary", ("no", "yes"), Sees("a picture", 2), says(0, 1))
    leg = study_of(film(noise, Facts(modality="CR", body_part="EXTREMITY")))
    assert "asked for by name" in declined_cleanly(read_study(leg, bench.shelf))
    assert read_study(leg, bench.shelf, pathway="any").findings


FILM, CHEST_FILM = Facts(modality="CR"), Facts(modality="CR", body_part="CHEST")


def gate(patients=99, spans=()):
    """A gate that expects features near zero: the noise of `film` has a mean of about 125."""
    scores = tuple(np.linspace(-2, 2, patients))
    return Gate(0.05, scores, (Evidence("net", 0.0, 1.0),), (spans,), patients=patients)


@pytest.mark.parametrize(
    ("policy", "facts", "outcome"),
    [
        ("by_header", Facts(), "declined"),
        ("by_header", FILM, "declined"),
        ("by_header", CHEST_FILM, "caution"),
        ("decline", CHEST_FILM, "declined"),
        ("mark", FILM, "caution"),
    ],
)
def test_the_cards_gate_decides_about_unlike_pictures(bench, noise, says, policy, facts, outcome):
    bench.add("chest", "binary", ("normal", "mass"), CHEST_ONLY, says(0, 1), trust=Trust(gate=gate()), gate=policy)
    report = read_study(study_of(film(noise, facts)), bench.shelf)
    if outcome == "declined":
        said = declined_cleanly(report)
    else:
        [said] = [problem.what for problem in report.cautions if problem.check == "unlike"]
        assert report.findings
    assert "unlike those that the model learnt from: what the net makes of it" in said
    assert "p = 0.010; 5% of pictures like theirs are called so too; measured on 99 patients" in said


def test_a_gate_that_few_patients_stand_behind_marks(bench, noise, says):
    bench.add("chest", "binary", ("normal", "mass"), CHEST_ONLY, says(0, 1), trust=Trust(gate=gate(8)))
    report = read_study(study_of(film(noise, FILM)), bench.shelf)
    [caution] = [problem for problem in report.cautions if problem.check == "unlike"]
    assert "more than any picture of the 8 patients" in caution.what and report.findings


def test_plain_facts_far_out_decline_and_those_a_little_out_are_told(bench, noise, says):
    near, far = Span("rows by columns", 1.6, 1.6, 9), Span("rows by columns", 3.5, 3.5, 9)
    seen = (Span("rows", 10, 12, 9),)
    usual = Gate(0.05, (), (), ((*seen, near),), note="few")
    bench.add("near", "binary", ("normal", "mass"), CHEST_ONLY, says(0, 1), trust=Trust(gate=usual))
    bench.add(
        "far",
        "binary",
        ("normal", "mass"),
        CHEST_ONLY,
        says(0, 1),
        trust=Trust(gate=replace(usual, spans=((far,),))),
    )
    square = study_of(film(noise, FILM))
    report = read_study(square, bench.shelf, pathway="near")
    [told] = [problem.what for problem in report.cautions if problem.check == "range"]
    assert "rows by columns, where they have 1.6" in told and "rows, where they have 10 to 12" in told
    assert report.findings and not any(problem.check == "unlike" for problem in report.cautions)
    declined = declined_cleanly(read_study(square, bench.shelf, pathway="far"))
    assert "rows by columns, where they have 3.5" in declined


@pytest.mark.parametrize(("name", "answered"), [("RG1_UNCI.dcm", True), ("RG3_UNCI.dcm", False)])
def test_a_real_chest_is_read_and_a_real_leg_declined(starters, name, answered):
    from osler.io.open import open_study

    package = pytest.importorskip("data_store")
    files = importlib.metadata.files("pydicom-data") or []
    path = next((Path(str(f.locate())) for f in files if f.name == name), None)
    if path is None or not path.is_file():
        pytest.skip(f"{package.__name__} does not hold {name}")
    report = read_study(open_study(path), starters.shelf)
    if answered:
        assert report.pathway == "chest-pneumonia" and not report.declined
        assert any(problem.check == "age" for problem in report.cautions)
    else:
        assert "EXTREMITY" in declined_cleanly(report)


def test_importing_the_clinic_does_not_wait_for_torch():
    code = "import sys, osler.clinic.reading, osler.results.table; print([m for m in {} if m in sys.modules])"
    heavy = ["torch", "matplotlib", "pandas", "SimpleITK", "sklearn", "scipy", "jinja2"]
    ran = subprocess.run([sys.executable, "-c", code.format(heavy)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
