"""What came in: one examination of one patient."""

import datetime
from dataclasses import dataclass, field

from osler.core.facts import Facts
from osler.core.image import Image
from osler.core.volume import Volume

Picture = Image | Volume


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One examination of one patient.

    pictures  every image and volume that could be read, in the order of the series
    facts     what the first picture's header says of the patient and the examination
    uid       Study Instance UID, "" for files without one
    name      what to call it in a report: the file's or folder's own name, never a person's
    problems  what could not be read, a sentence each
    taken     the day of the examination, None where no header says; it dates intervals, and is never written
    patient   a digest of the header's Patient ID, which tells two patients apart and names nobody; "" where there
              is none
    """

    pictures: tuple[Picture, ...]
    facts: Facts = field(default_factory=Facts)
    uid: str = ""
    name: str = ""
    problems: tuple[str, ...] = ()
    taken: datetime.date | None = None
    patient: str = ""
