"""Who may read this study? Every model on the shelf is asked; the header decides first."""

import re
from collections.abc import Sequence
from pathlib import Path

from osler.clinic.pathways.header import regions_of
from osler.clinic.pathways.pathway import Offer, Refusal
from osler.clinic.pathways.select import Selection, select
from osler.clinic.pathways.table import PATHWAYS, pathway_of
from osler.core.errors import BadModel, OslerError, UnknownChoice
from osler.core.image import Image
from osler.core.record import from_plain
from osler.core.report import Problem
from osler.core.study import Study
from osler.io.files import read_json
from osler.models.card import ModelCard, read_card
from osler.models.recipe import Recipe
from osler.models.shelf import Shelf
from osler.results.sentences import listed, phrase, say


def offers_for(study: Study, shelf: Shelf, *, asked: str = "") -> tuple[list[Offer], list[Refusal]]:
    """The models that may read `study`, best supported by its header first, and why the others may not.

    asked  a pathway's name, a model's name or its folder; "" asks every model on the shelf

    Raises UnknownChoice for a name that is neither, BadModel for a damaged model.
    """
    offers: list[Offer] = []
    refusals: list[Refusal] = []
    uses: set[str] = set()
    for folder, card in _asked_models(shelf, asked):
        pathway = pathway_of(card)
        if pathway.name in uses:  # the user's own model for a use hides the one that came with Osler
            continue
        chosen = select(study, card, _recipe_of(folder), asked=bool(asked))
        if chosen.against:
            refusals.append(Refusal(card.name, chosen.against, say("refusal.remedy")))
            continue
        uses.add(pathway.name)
        offers.append(
            Offer(pathway, card, folder, chosen.cases, chosen.agreement.support, _cautions(card, chosen))
        )
    offers.sort(key=lambda offer: (-offer.support, offer.pathway.name not in PATHWAYS))  # stable: then shelf order
    return offers, refusals


def what_it_shows(study: Study) -> str:
    """What a study shows, for the sentence that declines it.

    A body part is quoted only where it is spelled as DICOM's code strings are: free text may hold anything.
    """
    picture = study.pictures[0]
    parts = ", ".join(sorted(regions_of(picture.facts)[0]))
    if re.fullmatch(r"[A-Z0-9_ ]{1,16}", picture.facts.body_part):
        parts = picture.facts.body_part
    modality = picture.facts.modality
    if parts:
        return say("shows.both", part=parts, modality=modality) if modality else say("shows.part", part=parts)
    if modality:
        return say("shows.modality", modality=modality)
    if isinstance(picture, Image):
        rows, columns = picture.array.shape[:2]
        kind = say(
            "shows.flat",
            colour=say("shows.colour" if picture.colour else "shows.grey"),
            rows=rows,
            columns=columns,
        )
    else:
        kind = say("shows.volume", slices=picture.array.shape[0])
    return say("shows.part", part=kind) + " (" + say("shows.nothing") + ")"


def what_models_read(shelf: Shelf, *, most: int = 6) -> str:
    """What the models on the shelf read, for the same sentence."""
    cards = [card for _, card in shelf.cards()]
    said = [
        f"{phrase(card.sees.text) or say('kind.volume' if card.sees.dims == 3 else 'kind.flat')} ({card.name})"
        for card in cards
    ]
    return listed([*said[:most], "..."] if len(said) > most else said)


def _asked_models(shelf: Shelf, asked: str) -> Sequence[tuple[Path, ModelCard]]:
    if asked and (Path(asked) / "card.json").is_file():
        return [(Path(asked), read_card(Path(asked)))]
    shown = shelf.cards()
    if not asked:
        return shown
    named = [(folder, card) for folder, card in shown if asked in (card.use, card.name, folder.name)]
    if not named:
        known = {name for folder, card in shown for name in (card.use, card.name, folder.name) if name}
        raise UnknownChoice.among("pathway or model on the shelf", asked, known)
    return named


def _recipe_of(folder: Path) -> Recipe:
    try:
        return from_plain(Recipe, read_json(folder / "recipe.json")["recipe"])
    except (OslerError, KeyError, TypeError, ValueError) as error:
        raise BadModel(
            f"The model {folder.name} is damaged: its recipe.json cannot be used.",
            remedy="Copy the folder again, or train the model again.",
        ) from error


def _cautions(card: ModelCard, chosen: Selection) -> tuple[Problem, ...]:
    found = [Problem(note, say("caution.left_out.remedy"), "selection") for note in chosen.notes]
    silent = chosen.agreement.silent
    sees = phrase(card.sees.text or card.title)
    if "modality" in silent or (silent and chosen.agreement.support == 0):
        found.append(Problem(say("caution.supposed", sees=sees), say("caution.supposed.remedy"), "header"))
    elif silent:
        facts = say("join.and_the").join(phrase(one) for one in silent)
        found.append(
            Problem(say("caution.silent", facts=facts, sees=sees), say("caution.supposed.remedy"), "header")
        )
    if chosen.agreement.odd:
        found.append(Problem(chosen.agreement.odd, say("odd.remedy"), "header"))
    return tuple(found)
