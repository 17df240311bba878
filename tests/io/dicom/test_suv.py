"""SUV: every rule that the headers follow, and every reason why there is none."""

import copy
import csv

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from osler.core.errors import NoSuv
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.io.dicom.suv import (
    body_surface,
    body_surface_factor,
    lean_body_factor,
    lean_body_mass,
    suv_scale,
)
from osler.io.dicom.write import write_series
from osler.io.open import open_picture

HALF_LIFE = 6586.2


def header(**changes: object) -> Dataset:
    """70 kg, 370 MBq of fluorine-18, scanned an hour later; `medicine_X` changes X of the injection."""
    medicine = Dataset()
    medicine.RadionuclideTotalDose = "370000000"
    medicine.RadionuclideHalfLife = str(HALF_LIFE)
    medicine.RadiopharmaceuticalStartTime = "091500"
    medicine.RadiopharmaceuticalStartDateTime = "20240115091500"
    nuclide = Dataset()
    nuclide.CodeValue, nuclide.CodingSchemeDesignator, nuclide.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
    medicine.RadionuclideCodeSequence = [nuclide]
    one = Dataset()
    one.Units, one.DecayCorrection = "BQML", "START"
    one.CorrectedImage = ["ATTN", "DECY", "SCAT"]
    one.SeriesDate = one.AcquisitionDate = "20240115"
    one.SeriesTime = one.AcquisitionTime = "101500"
    one.FrameReferenceTime, one.ActualFrameDuration = "90000", "180000"
    one.PatientWeight, one.PatientSize, one.PatientSex = "70", "1.75", "M"
    one.RescaleSlope, one.RescaleIntercept = "2", "0"
    one.RadiopharmaceuticalInformationSequence = [medicine]
    for keyword, value in changes.items():
        item = medicine if keyword.startswith("medicine_") else one
        keyword = keyword.removeprefix("medicine_")
        if value is None:
            delattr(item, keyword)
        else:
            setattr(item, keyword, value)
    return one


def factor(**changes: object) -> float:
    return float(suv_scale([header(**changes)]).factors[0])


FACTOR = factor()


def test_the_worked_example_of_the_manual():
    assert pytest.approx(2.76337e-4, rel=1e-5) == FACTOR


@pytest.mark.parametrize(
    "name", ["DRO_0_0", "DRO_1_0", "DRO_2_0", "DRO_2_4", "DRO_3_0", "DRO_3_1", "DRO_3_4", "DRO_4_0", "DRO_5_0"]
)
def test_the_reference_objects(name, test_data):
    import nibabel

    folder = test_data / "suv-reference" / name
    volume = open_picture(folder / "PT")
    assert volume.unit == "SUV"
    mask = np.asarray(nibabel.load(folder / "mask" / "DRO_mask.nii.gz").dataobj).transpose(2, 1, 0) > 0
    inside = volume.array[mask]
    with (test_data / "suv-reference" / "expected.csv").open() as stream:
        (row,) = [row for row in csv.DictReader(stream) if row["ID"] == name]
    expected = [float(row[f"SUV{which}_expected"]) for which in ("min", "med", "max")]
    assert [inside.min(), np.median(inside), inside.max()] == pytest.approx(expected, rel=0.01)


def test_what_we_write_is_read_back_as_suv(tmp_path):
    suv = np.random.default_rng(0).uniform(0, 9, (3, 4, 5))
    volume = Volume(
        suv, Geometry.from_spacing(suv.shape, (3, 2, 2)), unit="SUV", facts=Facts(modality="PT", body_part="CHEST")
    )
    slices = [pydicom.dcmread(path) for path in write_series(volume, tmp_path / "pet")]
    scale = suv_scale(slices)
    assert scale.flags == ()
    back = [
        one.pixel_array * float(one.RescaleSlope) * each for one, each in zip(slices, scale.factors, strict=True)
    ]
    np.testing.assert_allclose(back, suv, atol=2e-4)


REFUSED = {
    "weight missing": ({"PatientWeight": None}, "weight"),
    "weight zero": ({"PatientWeight": "0"}, "weight"),
    "weight in grams": ({"PatientWeight": "70000"}, "70000 kg"),
    "units unknown": ({"Units": "UNITLESS"}, "units"),
    "units missing": ({"Units": None}, "units"),
    "in proportion to counts": ({"Units": "PROPCNTS"}, "proportion"),
    "counts without factors": ({"Units": "CNTS"}, "becquerel"),
    "no medicine": ({"RadiopharmaceuticalInformationSequence": []}, "injected"),
    "dose missing": ({"medicine_RadionuclideTotalDose": None}, "dose"),
    "dose zero": ({"medicine_RadionuclideTotalDose": "0"}, "dose was 0"),
    "dose below zero": ({"medicine_RadionuclideTotalDose": "-370"}, "dose was -370"),
    "dose in GBq": ({"medicine_RadionuclideTotalDose": "0.37"}, "neither Bq nor MBq"),
    "dose in kBq": ({"medicine_RadionuclideTotalDose": "370000"}, "neither Bq nor MBq"),
    "half-life missing": ({"medicine_RadionuclideHalfLife": None}, "half-life"),
    "half-life zero": ({"medicine_RadionuclideHalfLife": "0"}, "half-life"),
    "half-life in minutes": ({"medicine_RadionuclideHalfLife": "109.8"}, "fluorine-18"),
    "half-life of another nuclide": ({"medicine_RadionuclideHalfLife": "4062.6"}, "fluorine-18"),
    "no injection time": (
        {"medicine_RadiopharmaceuticalStartTime": None, "medicine_RadiopharmaceuticalStartDateTime": None},
        "when it was injected",
    ),
    "injected after the scan": (
        {"medicine_RadiopharmaceuticalStartDateTime": "20240115111500"},
        "after the scan",
    ),
    "injected after the scan, hour only": (
        {"medicine_RadiopharmaceuticalStartTime": "111500", "medicine_RadiopharmaceuticalStartDateTime": None},
        "after the scan",
    ),
    "uptake over 24 hours": ({"medicine_RadiopharmaceuticalStartDateTime": "20240114091500"}, "25.0 hours"),
    "decay correction unknown": ({"DecayCorrection": "SOMETIMES"}, "DecayCorrection"),
    "decay correction missing": ({"DecayCorrection": None}, "DecayCorrection"),
    "no DECY": ({"CorrectedImage": ["ATTN"]}, "contradicts itself"),
    "DECY where NONE": ({"DecayCorrection": "NONE"}, "contradicts itself"),
    "no ATTN": ({"CorrectedImage": ["DECY"]}, "attenuation"),
    "nothing corrected": ({"CorrectedImage": None}, "attenuation"),
    "lean mass without height": ({"Units": "GML", "SUVType": "LBM", "PatientSize": None}, "height"),
    "lean mass without sex": ({"Units": "GML", "SUVType": "LBMJANMA", "PatientSex": "O"}, "sex"),
    "ideal weight without sex": ({"Units": "GML", "SUVType": "IBW", "PatientSex": None}, "sex"),
    "body surface in g/ml": ({"Units": "GML", "SUVType": "BSA"}, "does not fit"),
    "body surface without height": ({"Units": "CM2ML", "PatientSize": "0"}, "height"),
    "height in cm": ({"Units": "CM2ML", "PatientSize": "175"}, "175 m"),
    "frame without duration": (
        {"DecayCorrection": "NONE", "CorrectedImage": ["ATTN"], "ActualFrameDuration": None},
        "how long",
    ),
    "no acquisition time": ({"AcquisitionTime": None}, "acquired"),
    "a date beyond the calendar": (
        {
            "SeriesDate": "99991231",
            "AcquisitionDate": "99991231",
            "SeriesTime": "235999",
            "AcquisitionTime": "235999",
        },
        "acquired",
    ),
}


@pytest.mark.filterwarnings("ignore")  # pydicom tells which values it dislikes
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_known_is_refused_with_its_reason(case):
    changes, reason = REFUSED[case]
    with pytest.raises(NoSuv) as refused:
        suv_scale([header(**changes)], name="Series 4 in pet")
    assert reason in refused.value.problem and refused.value.problem.startswith("Series 4 in pet")
    assert refused.value.remedy


def test_two_medicines_and_two_nuclides_are_refused():
    two = header()
    two.RadiopharmaceuticalInformationSequence.append(copy.deepcopy(two.RadiopharmaceuticalInformationSequence[0]))
    with pytest.raises(NoSuv, match="2 medicines"):
        suv_scale([two])
    mixed = header()
    other = Dataset()
    other.CodeValue = "C-131A3"
    mixed.RadiopharmaceuticalInformationSequence[0].RadionuclideCodeSequence.append(other)
    with pytest.raises(NoSuv, match="2 nuclides"):
        suv_scale([mixed])


@pytest.mark.parametrize("changes", [{"PatientWeight": "71"}, {"medicine_RadionuclideTotalDose": "380000000"}])
def test_slices_that_disagree_are_refused(changes):
    with pytest.raises(NoSuv, match="otherwise on some slices"):
        suv_scale([header(), header(**changes)])


def test_no_slices_are_refused():
    with pytest.raises(NoSuv, match="no slices"):
        suv_scale([])


def test_admin_needs_no_times_and_no_half_life():
    given_then = {"DecayCorrection": "ADMIN", "medicine_RadionuclideHalfLife": None, "AcquisitionTime": None}
    assert factor(**given_then) == pytest.approx(70000 / 370e6)


def test_a_dose_in_mbq_is_taken_and_said():
    scale = suv_scale([header(medicine_RadionuclideTotalDose="370")])
    assert scale.factors[0] == pytest.approx(FACTOR)
    assert "370" in scale.flags[0] and "MBq" in scale.flags[0]


def test_the_device_s_own_suv():
    assert suv_scale([header(Units="GML", SUVType="BW")]).flags == ()
    silent = suv_scale([header(Units="GML")])
    assert silent.factors[0] == 1 and "SUVType" in silent.flags[0]
    assert factor(Units="GML", SUVType="LBMJANMA") == pytest.approx(70 / lean_body_mass(70, 1.75, "M"))
    james = lean_body_mass(70, 1.75, "M", formula="james128")
    assert factor(Units="GML", SUVType="LBMJAMES128") == pytest.approx(70 / james)
    assert factor(Units="GML", SUVType="LBM") < 70 / james  # 120 leaves a man more lean mass than 128
    assert factor(Units="GML", SUVType="IBW") == pytest.approx(70 / (48 + 1.06 * 23))
    assert factor(Units="CM2ML") == pytest.approx(70000 / (body_surface(70, 1.75) * 1e4))


def test_a_frame_that_is_not_corrected_counts_from_its_own_middle():
    early = header(DecayCorrection="NONE", CorrectedImage=["ATTN"])
    late = header(DecayCorrection="NONE", CorrectedImage=["ATTN"], AcquisitionTime="103000")
    scale = suv_scale([early, late])
    assert scale.factors[1] / scale.factors[0] == pytest.approx(2 ** (900 / HALF_LIFE))
    # Over three minutes the average stands a little before the middle.
    assert 2 ** (89 / HALF_LIFE) < scale.factors[0] / FACTOR < 2 ** (90 / HALF_LIFE)


AFTERWARDS = {"SeriesTime": "120000", "AcquisitionTime": "101700", "FrameReferenceTime": "210000"}


def test_a_series_made_afterwards_is_counted_back():
    # Acquired two minutes after the start, three minutes long: its middle is 3.5 minutes after the start.
    scale = suv_scale([header(**AFTERWARDS)])
    assert scale.factors[0] == pytest.approx(FACTOR, rel=1e-4)
    assert "counted back" in scale.flags[0]


@pytest.mark.parametrize(
    ("creator", "group", "element", "vr"),
    [
        ("GEMS_PETD_01", 0x0009, 0x0D, "DT"),
        ("SIEMENS MED PT", 0x0071, 0x22, "DT"),
        ("GEMS_PETD_01", 0x0009, 0x0D, "UN"),
    ],
)
def test_a_series_made_afterwards_believes_its_maker(creator, group, element, vr):
    one = header(**AFTERWARDS)
    value = "20240115101500.00"
    one.private_block(group, creator, create=True).add_new(element, vr, value.encode() if vr == "UN" else value)
    scale = suv_scale([one])
    assert scale.factors[0] == pytest.approx(FACTOR)
    assert "private scan time" in scale.flags[0]


def test_a_series_made_afterwards_without_a_start_takes_the_first_acquisition_and_says_so():
    scale = suv_scale([header(**AFTERWARDS | {"FrameReferenceTime": "0", "AcquisitionTime": "101500"})])
    assert scale.factors[0] == pytest.approx(FACTOR)
    assert "first acquisition" in scale.flags[0]


def test_counts_of_philips_in_both_ways():
    suv = header(Units="CNTS")
    suv.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.0005")
    assert suv_scale([suv]).factors[0] == 0.0005
    activity = header(Units="CNTS")
    block = activity.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", "0")
    block.add_new(0x09, "DS", "3.5")
    assert suv_scale([activity]).factors[0] == pytest.approx(3.5 * FACTOR)
    another = header(Units="CNTS")
    another.private_block(0x7053, "SOMEBODY ELSE", create=True).add_new(0x00, "DS", "0.0005")
    with pytest.raises(NoSuv, match="becquerel"):
        suv_scale([another])


def test_a_long_wait_needs_the_date_and_a_slow_nuclide():
    slow = {"medicine_RadionuclideHalfLife": "282240", "medicine_RadionuclideCodeSequence": []}
    waited = factor(**slow, medicine_RadiopharmaceuticalStartDateTime="20240112101500")
    assert waited == pytest.approx(70000 / (370e6 * 2 ** (-3 * 86400 / 282240)))


def test_a_date_and_time_in_another_zone():
    zone = {"TimezoneOffsetFromUTC": "+0100"}
    assert factor(**zone, medicine_RadiopharmaceuticalStartDateTime="20240115081500+0000") == pytest.approx(FACTOR)
    assert factor(**zone, medicine_RadiopharmaceuticalStartDateTime="20240115091500") == pytest.approx(FACTOR)


def test_two_hours_of_injection_are_said():
    scale = suv_scale([header(medicine_RadiopharmaceuticalStartTime="080000")])
    assert scale.factors[0] == pytest.approx(FACTOR) and "two different hours" in scale.flags[0]


@given(scan=st.integers(0, 86399), uptake=st.integers(0, 9 * 3600), dated=st.booleans())
def test_midnight_changes_nothing(scan, uptake, dated):
    """Whatever the hour of the scan, only the time between injection and scan counts."""
    injected = (scan - uptake) % 86400
    day = "20240115" if scan >= uptake else "20240114"
    clock = f"{injected // 3600:02d}{injected // 60 % 60:02d}{injected % 60:02d}"
    begun = f"{scan // 3600:02d}{scan // 60 % 60:02d}{scan % 60:02d}"
    changes = {
        "SeriesTime": begun,
        "AcquisitionTime": begun,
        "medicine_RadiopharmaceuticalStartTime": clock,
        "medicine_RadiopharmaceuticalStartDateTime": day + clock if dated else None,
    }
    assert factor(**changes) == pytest.approx(70000 / (370e6 * 2 ** (-uptake / HALF_LIFE)))


@given(weight=st.floats(1, 200), dose=st.floats(1e7, 1e9))
def test_twice_the_weight_or_half_the_dose_is_twice_the_suv(weight, dose):
    one = factor(PatientWeight=f"{weight:.6g}", medicine_RadionuclideTotalDose=f"{dose:.6g}")
    two = factor(PatientWeight=f"{2 * float(f'{weight:.6g}'):.8g}", medicine_RadionuclideTotalDose=f"{dose:.6g}")
    assert two == pytest.approx(2 * one, rel=1e-6)


@pytest.mark.filterwarnings("ignore")  # pydicom tells which values it dislikes
@given(
    st.text(max_size=12), st.sampled_from(["AcquisitionTime", "SeriesDate", "FrameReferenceTime", "PatientWeight"])
)
def test_no_header_makes_anything_but_a_number_or_a_reason(value, keyword):
    one = header()
    try:
        setattr(one, keyword, value)
    except ValueError:  # pydicom will not hold it
        return
    try:
        scale = suv_scale([one])
    except NoSuv:
        return
    assert np.isfinite(scale.factors).all() and (scale.factors > 0).all()


def test_other_kinds_of_suv():
    one = header()
    assert lean_body_factor(one) == pytest.approx(9270 / (6680 + 216 * 70 / 1.75**2))
    assert lean_body_factor(one, formula="james128") == pytest.approx((1.1 * 70 - 128 * (70 / 175) ** 2) / 70)
    assert body_surface_factor(one) == pytest.approx(body_surface(70, 1.75) / 7)
    woman = header(PatientSex="F")
    assert lean_body_factor(woman) == pytest.approx(9270 / (8780 + 244 * 70 / 1.75**2))
    for function in (lean_body_factor, body_surface_factor):
        with pytest.raises(NoSuv, match="height"):
            function(header(PatientSize=None))
    with pytest.raises(NoSuv, match="sex"):
        lean_body_factor(header(PatientSex="O"))
    with pytest.raises(NoSuv, match="Janmahasatian"):
        lean_body_mass(300, 1.6, "M", formula="james128")
    with pytest.raises(NoSuv, match="no formula"):
        lean_body_mass(70, 1.75, "M", formula="boer")
