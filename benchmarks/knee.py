"""Grades of knees on a test split: the model's figures, its intervals of grades, and an audit of its statements.

python benchmarks/knee.py MODEL DATA OUT

MODEL  a folder of a model whose card's use is knee-osteoarthritis
DATA   knees by split and grade: DATA/test/3/9001234L.png, the person's number and the side in the file's name
OUT    a new folder: every test knee's statement as JSON in OUT/cases, ten of them as pages with maps in OUT/pages

The audit sets the grade of the data's own readers in the place of a deciding person. It is put in here in memory:
no decision of a person is recorded, since none was taken.
"""

import datetime
import re
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from record import keep, run

from osler.clinic.assessment.agreement import estimate
from osler.clinic.assessment.assess import assess_study
from osler.clinic.assessment.audit import audit
from osler.clinic.assessment.audit_page import audit_to_json, write_audit
from osler.clinic.assessment.case_book import Case, CaseBook, read_case_book
from osler.clinic.assessment.decision import AGREE, CHANGED, Decision
from osler.clinic.assessment.json import write_statement_json
from osler.clinic.assessment.page import write_statement_html
from osler.clinic.assessment.paper import write_statement_pdf
from osler.clinic.assessment.person import Person
from osler.clinic.assessment.request import AssessmentRequest, Consent, Objection
from osler.io.open import open_study
from osler.models.shelf import Shelf
from osler.statistics.grades import qwk
from osler.statistics.weighted import mean

PAGES = 10


def main() -> None:
    model, data, out = (Path(word) for word in sys.argv[1:4])
    knees = sorted((data / "test").glob("*/*.png"))
    numbers = {
        name: f"P-{n:04d}" for n, name in enumerate(sorted({person_of(path)[0] for path in knees}), start=1)
    }
    shelf = Shelf((model.parent,))
    evaluated = run(["evaluate", str(model), str(data), "--split", "test"])

    grades, seconds = {}, []
    for path in knees:
        name, side = person_of(path)
        folder = out / "cases" / f"{numbers[name]}-{side}"
        folder.mkdir(parents=True)
        start = time.perf_counter()
        stated = assess_study(
            open_study(path), asked(numbers[name], side), shelf, pathway=str(model), explain="no"
        )
        seconds.append(time.perf_counter() - start)
        write_statement_json(stated, folder)
        grades[f"{numbers[name]}-{side}"] = int(path.parent.name)
    book = read_case_book(out / "cases")
    book = CaseBook(tuple(with_reader(case, grades[case.place]) for case in book.cases))
    made = audit(book, by=["side"])
    write_audit(made, out)

    with_maps = []
    for path in chosen(knees):
        name, side = person_of(path)
        folder = out / "pages" / f"{path.parent.name}-{numbers[name]}-{side}"
        folder.mkdir(parents=True)
        start = time.perf_counter()
        stated = assess_study(open_study(path), asked(numbers[name], side), shelf, pathway=str(model))
        for write in (write_statement_json, write_statement_html, write_statement_pdf):
            write(stated, folder)
        with_maps.append(time.perf_counter() - start)

    answer = evaluated["answer"]
    keep(
        "knee",
        {
            "command": evaluated["command"],
            "n": answer["n"],
            "metrics": answer["metrics"],
            "notes": answer.get("notes", []),
            "told_in_statements": told(book, grades),
            "intervals": intervals(book, grades),
            "audit": audit_to_json(made),
            "statement_seconds": {
                "without_maps_median": round(float(np.median(seconds)), 2),
                "with_maps_and_pages_median": round(float(np.median(with_maps)), 2),
                "statements": [len(seconds), len(with_maps)],
            },
        },
        note="The audit compares with the grade of the data's own readers; no person decided on these statements.",
    )


def person_of(path: Path) -> tuple[str, str]:
    """(the person's number, the side) in the name of a file."""
    found = re.fullmatch(r"(\d+)([LR])", path.stem)
    if not found:
        raise SystemExit(f"{path.name} does not name a person and a side")
    return found[1], found[2]


def asked(pseudonym: str, side: str) -> AssessmentRequest:
    day = datetime.date.today().isoformat()
    return AssessmentRequest(
        purpose="research",
        consent=Consent("public data set, CC BY 4.0", day, ("research",)),
        pseudonym=pseudonym,
        assessor=Person("Mara Lind", "made-up assessor of a benchmark"),
        objection=Objection("nobody: these statements decide nothing"),
        side=side,
        groups={"side": side},
    )


def with_reader(case: Case, grade: int) -> Case:
    """The case, with the grade of the data's readers in the place of a decision."""
    [item] = case.items
    word = AGREE if grade == item.level else CHANGED
    reader = Decision(
        "",
        0,
        Person("readers of the data", "reference"),
        word,
        item.scale[grade],
        grade,
        "reference grade",
        "",
        "",
    )
    return replace(case, decisions=(reader,))


def told(book: CaseBook, grades: dict[str, int]) -> dict[str, object]:
    """The grades that statements tell, the medians, against the readers': kappa, mean distance, within one."""
    persons = [case.pseudonym for case in book.cases]
    said = np.array([case.items[0].level for case in book.cases])
    truth = np.array([grades[case.place] for case in book.cases])
    far = np.abs(said - truth)
    return {
        "qwk": asdict(estimate(lambda w: qwk(truth, said, 5, w), persons)),
        "mae": asdict(estimate(lambda w: mean(far, w), persons)),
        "within_one": asdict(estimate(lambda w: mean(far <= 1, w), persons, share=True)),
        "exact": asdict(estimate(lambda w: mean(far == 0, w), persons, share=True)),
    }


def intervals(book: CaseBook, grades: dict[str, int]) -> dict[str, object]:
    """How often the readers' grade lies in the interval, and how many grades it holds."""
    bound = [case for case in book.cases if case.items[0].lowest is not None]
    if not bound:
        return {"n": 0}
    persons = [case.pseudonym for case in bound]
    low = np.array([case.items[0].lowest for case in bound])
    high = np.array([case.items[0].highest for case in bound])
    truth = np.array([grades[case.place] for case in bound])
    inside, width = (low <= truth) & (truth <= high), high - low + 1
    top = len(bound[0].items[0].scale)
    return {
        "promised": bound[0].items[0].coverage,
        "coverage": asdict(estimate(lambda w: mean(inside, w), persons, share=True)),
        "grades_in_interval": asdict(estimate(lambda w: mean(width, w), persons)),
        "all_grades_left": asdict(estimate(lambda w: mean(width == top, w), persons, share=True)),
        "widths": {str(size): int((width == size).sum()) for size in range(1, top + 1)},
        "coverage_by_grade": {
            str(grade): {"inside": int(inside[truth == grade].sum()), "n": int((truth == grade).sum())}
            for grade in range(top)
        },
    }


def chosen(knees: list[Path]) -> list[Path]:
    """Ten knees of ten persons, spread over the grades."""
    taken: dict[str, Path] = {}
    by_grade = [[path for path in knees if path.parent.name == str(grade)] for grade in range(5)]
    for turn in range(max(map(len, by_grade))):
        for paths in by_grade:
            if turn < len(paths) and len(taken) < PAGES:
                taken.setdefault(person_of(paths[turn])[0], paths[turn])
    return list(taken.values())


if __name__ == "__main__":
    main()
