"""Read a made-up CT study and, where the package pydicom-data is installed, a real chest radiograph."""

from pathlib import Path

from pydicom.data import get_testdata_file

import osler
from osler.models.shelf import Shelf
from osler.phantoms.studies import write_made_up_study
from osler.results.table import USUAL, write_results, writers_named


def main(place: Path) -> list[osler.Report]:
    """Read each study with the models on this machine's shelf; the pages go to `place`."""
    radiograph = get_testdata_file("RG1_UNCI.dcm", download=False)
    studies = [write_made_up_study(place / "study", seed=4711), *([Path(str(radiograph))] if radiograph else [])]
    reports = []
    for path in studies:
        study = osler.open_study(path)
        report = osler.read_study(study, Shelf.default())
        print(f"{path.name}: {'declined' if report.declined else 'read'}")
        for sentence in [p.what for p in report.declined] + [f.statement for f in report.findings]:
            print(f"  {sentence}")
        written = write_results(report, study, place / path.stem, writers_named(f"{USUAL},sr"))
        print(f"  {written.files['html'][0]}")
        reports.append(report)
    return reports


if __name__ == "__main__":
    main(Path("example-reports"))
