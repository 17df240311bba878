"""The memory of where pixels came from."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Origin:
    """The DICOM object that one slice or one picture was read from, so that results can name it without guessing.

    instance_uid, class_uid  SOP Instance UID and SOP Class UID
    frame                    its number in a multi-frame object, from 1; None where the object has one frame
    path                     where the file lies: results copy the patient and the study from its header
    """

    instance_uid: str
    class_uid: str
    path: Path
    frame: int | None = None
