"""Made-up examinations as DICOM, as a hospital would send them."""

from pathlib import Path

from osler.io.dicom.write import write_series
from osler.phantoms.volumes import made_up_patient


def write_made_up_study(folder: Path, *, seed: int) -> Path:
    """A CT series of a made-up patient, one file a slice, straight in `folder`.

    The same seed gives the same pixels and UIDs; the right answers are those of `made_up_patient(seed)`.
    Raises AskedWrongly when the folder already holds something, NoRoom when the disk is full.
    """
    folder = Path(folder)
    volume, _ = made_up_patient(seed)
    write_series(volume, folder, patient="Made-up^Patient", seed=seed)
    return folder
