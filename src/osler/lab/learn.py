"""From a labelled folder to a tested model: the whole road on one page."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from osler.core.errors import AskedWrongly, BadDataset, OslerError
from osler.core.progress import Tell, silent
from osler.core.record import from_plain, to_plain
from osler.inference.device import choose_device
from osler.io.files import read_json, write_json
from osler.lab.catalog.care.check import Care, check_data
from osler.lab.catalog.care.duplicates import with_copies_together
from osler.lab.catalog.care.leaks import without_leaks
from osler.lab.catalog.care.page import summary
from osler.lab.catalog.dataset import Dataset
from osler.lab.catalog.recognize import read_dataset
from osler.lab.catalog.split import with_splits
from osler.lab.evaluate.evaluate import Evaluation
from osler.lab.plan.ask import Ask
from osler.lab.plan.fingerprint import take_fingerprint
from osler.lab.plan.plan import Plan, check_settings, read_plan, with_settings, write_plan
from osler.lab.plan.rules import Machine, make_plan
from osler.lab.release import clear_scratch, release
from osler.lab.train.cases import prepare_cases
from osler.lab.train.loop import Trained, train_member
from osler.lab.train.pace import measure_pace
from osler.models.card import ModelCard
from osler.models.tasks.table import TASKS

VALIDATION, TEST = 0.1, 0.2  # shares held back where the data set itself does not say

# Share of the budget for the check of the data, and the seconds that it gets however small the budget is.
CHECKING, CHECKING_LEAST = 0.1, 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A trained model and how it did.

    folder      where the model stands
    evaluation  on the test split, or on validation where there is no test
    notes       what a reader should know of the training
    """

    folder: Path
    card: ModelCard
    plan: Plan
    evaluation: Evaluation
    notes: tuple[str, ...]


def learn(
    data: Path,
    *,
    out: Path,
    ask: Ask | None = None,
    tell: Tell = silent,
    stopped: Callable[[], bool] = lambda: False,
) -> Learned:
    """Learn from the labelled cases at `data` and put a tested model at `out`.

    stopped  asked after every step; True ends the training early, and what was learnt is tested and released
    Raises BadDataset and its kin for data that cannot be learnt from, AskedWrongly for a request that makes no
    sense. A run that was killed goes on where it was when it is started again with the same `out`.
    """
    ask = ask or Ask()
    check_settings(ask.settings)
    device = choose_device(ask.device)
    replaceable(out)
    place = out.parent / f".{out.name}.training"
    with tidied(place):
        dataset = labelled(data, ask)
        care = cared_for(dataset, ask, place=place, tell=tell)
        checked = _stamp(dataset, ask)["cases"]
        dataset = without_leaks(dataset, care, allowed=ask.allow)
        dataset = divided(with_copies_together(dataset, care.copies), ask)
        return _learn(
            dataset, care, ask, checked=checked, out=out, place=place, device=device, tell=tell, stopped=stopped
        )


def _learn(
    dataset: Dataset,
    care: Care,
    ask: Ask,
    *,
    checked: str,
    out: Path,
    place: Path,
    device: str,
    tell: Tell,
    stopped: Callable[[], bool],
) -> Learned:
    """plan -> prepare -> train each member -> test -> release

    checked  the stamp of the cases that `care` was found in
    """
    plan = planned(dataset, ask, device=device, place=place, tell=tell)
    write_json(place / "care.json", {"of": checked, "care": to_plain(care)})
    cases = prepare_cases(dataset.split("train"), plan, scratch=place / "cases", tell=tell)
    tell("measuring", 0, 0, "how fast this machine trains the net")
    pace = measure_pace(plan, cases, device)
    members: list[Trained] = []
    for member in range(plan.training.members):
        if members and stopped():
            break
        members.append(
            train_member(
                plan, cases, member=member, pace=pace, place=place, device=device, stopped=stopped, tell=tell
            )
        )
    name = ask.name or _plain_name(out.name)
    released = release(
        plan, members, dataset, out=out, place=place, name=name, wishes=ask, care=care, device=device, tell=tell
    )
    clear_scratch(place)
    notes = tuple(dict.fromkeys(note for member in members for note in member.notes))
    told = () if not care.concerns else (f"{summary(care)} See osler data check.",)
    return Learned(released.folder, released.card, plan, released.evaluation, (*dataset.notes, *told, *notes))


def replaceable(out: Path) -> None:
    """Raises AskedWrongly when something else than a model lies at `out`, because it would be replaced whole."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / "card.json").is_file()):
        raise AskedWrongly(f"{out.name} holds something that is not a model.", remedy="Name a new folder for it.")


@contextmanager
def tidied(place: Path) -> Iterator[None]:
    """Take the scratch folder away when the work failed before there was anything to go on from."""
    try:
        yield
    except OslerError:
        if not any(place.glob("*.checkpoint")):
            clear_scratch(place)
        raise


def labelled(data: Path, ask: Ask) -> Dataset:
    """The data set at `data`, as what was asked for. Raises AskedWrongly for a task that cannot be trained."""
    dataset = read_dataset(data, task=ask.task or None, target=ask.target or None)
    if dataset.task not in TASKS:
        raise AskedWrongly(
            f"{dataset.name} is labelled for {dataset.task}, which Osler cannot train yet.",
            remedy=f"It trains: {', '.join(sorted(TASKS))}.",
        )
    return dataset


def cared_for(dataset: Dataset, ask: Ask, *, place: Path, tell: Tell = silent) -> Care:
    """What the check of the data finds in a share of the time; of an interrupted run, what it found then.

    The splits depend on the copies that were found: an interrupted run goes on only with the same ones.
    """
    if (place / "care.json").is_file():
        kept = read_json(place / "care.json")
        if kept["of"] == _stamp(dataset, ask)["cases"]:
            return from_plain(Care, kept["care"], where="care.json")
    budget = max(CHECKING * ask.budget_seconds, CHECKING_LEAST)
    return check_data(dataset, tell=tell, budget_seconds=budget, seed=ask.seed)


def divided(dataset: Dataset, ask: Ask) -> Dataset:
    """The data set with every case in train, val or test, patients whole."""
    given = {case.split for case in dataset.cases}
    return with_splits(dataset, seed=ask.seed, val=VALIDATION, test=0.0 if "test" in given else TEST)


def planned(dataset: Dataset, ask: Ask, *, device: str, place: Path, tell: Tell = silent) -> Plan:
    """The plan: the one of an interrupted run of the same request, an edited one, or a new one."""
    stamp = _stamp(dataset, ask)
    if (place / "request.json").is_file() and read_json(place / "request.json") == stamp:
        return read_plan(place / "plan.json")
    clear_scratch(place)
    train = dataset.split("train")
    if ask.plan is not None:
        plan = read_plan(ask.plan)
        if (plan.task, plan.classes) != (dataset.task, dataset.classes):
            raise AskedWrongly(
                f"{ask.plan.name} was made for {plan.task} of {', '.join(plan.classes)}; the data set is another.",
                remedy="Give the data the plan was made for, or leave --plan away.",
            )
        plan = with_settings(plan, ask.settings)
    else:
        fingerprint = take_fingerprint(train, seed=ask.seed, tell=tell)
        machine = Machine(device != "cpu", int(psutil.virtual_memory().available))
        plan = make_plan(fingerprint, ask, machine, task=dataset.task, classes=dataset.classes)
    if len(train.cases) < 2:
        raise BadDataset("There is only one case to train on.", remedy="Label more cases.")
    plan = replace(plan, training=replace(plan.training, seed=ask.seed))
    write_plan(plan, place / "plan.json")
    write_json(place / "request.json", stamp)
    return plan


def _stamp(dataset: Dataset, ask: Ask) -> dict[str, str]:
    """What makes two requests the same: data, splits, wishes."""
    names = "\n".join(f"{case.id} {case.label}" for case in dataset.cases)
    cases = "\n".join(f"{case.id} {case.patient} {case.split} {case.label}" for case in dataset.cases)
    edited = ask.plan.read_text(encoding="utf-8") if ask.plan else ""
    wishes = f"{ask.budget_seconds} {ask.seed} {ask.device} {sorted(ask.settings.items())} {edited}"
    return {
        "data": hashlib.sha256(f"{dataset.task} {dataset.classes}\n{cases}".encode()).hexdigest(),
        "cases": hashlib.sha256(f"{dataset.task} {dataset.classes}\n{names}".encode()).hexdigest(),
        "ask": hashlib.sha256(wishes.encode()).hexdigest(),
    }


def _plain_name(text: str) -> str:
    """A name for the shelf: letters, digits and dashes."""
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split()) or "model"
