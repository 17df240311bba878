"""Parametric maps of others: the quantity itself, in its unit, where it lies."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from osler.core.errors import AskedWrongly, BadGeometry, OslerError, Unreadable
from osler.io.dicom.parametric import PARAMETRIC_MAP, read_parametric_map


def item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def mapping(unit: str, *, slope: float = 1.0, intercept: float = 0.0) -> Dataset:
    units = item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit)
    return item(
        RealWorldValueSlope=slope,
        RealWorldValueIntercept=intercept,
        MeasurementUnitsCodeSequence=[units],
    )


def somebodys(pixels: np.ndarray, positions: list[float], mappings: list[Dataset]) -> Dataset:
    """A map as some other program writes it; `pixels` (frames, rows, columns)."""
    dataset = item(
        SOPClassUID=PARAMETRIC_MAP,
        SOPInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.4",
        Modality="MR",
        NumberOfFrames=len(pixels),
        Rows=pixels.shape[1],
        Columns=pixels.shape[2],
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=8 * pixels.dtype.itemsize,
    )
    dataset.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=["0.5", "0.8"], SliceThickness="2")],
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            RealWorldValueMappingSequence=mappings,
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=["20", "30", str(z)])]) for z in positions
    ]
    if pixels.dtype.kind == "f":
        keyword = "FloatPixelData" if pixels.dtype.itemsize == 4 else "DoubleFloatPixelData"
        setattr(dataset, keyword, pixels.tobytes())
        return dataset
    dataset.BitsStored, dataset.HighBit = dataset.BitsAllocated, dataset.BitsAllocated - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint16, np.int16])
def test_every_kind_of_number_becomes_the_quantity(kind, tmp_path):
    stored = (np.random.default_rng(1).normal(size=(3, 4, 6)) * 300).astype(kind)
    if np.dtype(kind).kind == "u":
        stored = stored % 4096
    dataset = somebodys(stored, [14.0, 10.0, 12.0], [mapping("um2/s", slope=0.5, intercept=-3)])
    volume = read_parametric_map(save(dataset, tmp_path / "map.dcm"))
    assert volume.unit == "um2/s" and volume.array.dtype == np.float32
    np.testing.assert_allclose(volume.array, stored[[1, 2, 0]].astype(float) * 0.5 - 3, rtol=1e-6)
    np.testing.assert_allclose(volume.geometry.spacing, (2, 0.5, 0.8))
    np.testing.assert_allclose(volume.geometry.affine[:3, 3], (20, 30, 10))
    assert [origin.frame for origin in volume.origins] == [2, 3, 1]


def test_a_table_and_several_meanings(tmp_path):
    stored = np.array([[[2, 3], [4, 5]]], np.uint16)
    table = item(RealWorldValueFirstValueMapped=2, RealWorldValueLUTData=[0.5, 8.0, -1.0, 7.0])
    dataset = somebodys(stored, [0.0], [mapping("mL", slope=2), table])
    path = save(dataset, tmp_path / "map.dcm")
    assert read_parametric_map(path).unit == "ml"
    np.testing.assert_array_equal(read_parametric_map(path, "mapping:2").array, [[[0.5, 8], [-1, 7]]])
    with pytest.raises(AskedWrongly, match="no item 'mapping:3'"):
        read_parametric_map(path, "mapping:3")
    table.RealWorldValueLUTData = [0.5, 8.0]
    with pytest.raises(Unreadable, match="table of values"):
        read_parametric_map(save(dataset, path), "mapping:2")


def test_what_cannot_be_is_told(tmp_path):
    stored = np.ones((3, 4, 6), np.float32)
    path = tmp_path / "map.dcm"

    def refused(kind: type[OslerError], what: str, dataset: Dataset) -> None:
        with pytest.raises(kind, match=what) as caught:
            read_parametric_map(save(dataset, path))
        assert "map.dcm" in caught.value.problem

    refused(BadGeometry, "leaves out 1 of 4 slices", somebodys(stored, [0, 2, 6], [mapping("1")]))
    refused(BadGeometry, "several values in one place", somebodys(stored, [0, 2, 2], [mapping("1")]))
    short = somebodys(stored, [0, 2, 4], [mapping("1")])
    short.FloatPixelData = short.FloatPixelData[:40]
    refused(Unreadable, "cut short", short)
    nowhere = somebodys(stored, [0, 2, 4], [mapping("1")])
    del nowhere.PerFrameFunctionalGroupsSequence
    refused(Unreadable, "one thing of its frames", nowhere)
    other = somebodys(stored, [0, 2, 4], [mapping("1")])
    other.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    refused(Unreadable, "MR Image, not a parametric map", other)
