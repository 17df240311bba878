"""Which pictures of a study a model would read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from osler.clinic.pathways.header import SAYS_NOTHING, Agreement, agreement
from osler.core.arrays import Array
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.models.card import ModelCard
from osler.models.recipe import Recipe
from osler.results.sentences import say

SILENT = Agreement(0)
MOST_CASES = 8  # flat pictures of one study that are read; nobody takes more of one part for one question


@dataclass(frozen=True, slots=True)
class Selection:
    """What a model would read, or why it may not.

    cases      one tuple a case: indices of the study's pictures, in the order of the recipe's channels
    agreement  how the header of the first case agrees with the card
    against    why nothing may be read, "" otherwise
    notes      sentences on what was left out
    """

    cases: tuple[tuple[int, ...], ...] = ()
    agreement: Agreement = SILENT
    against: str = ""
    notes: tuple[str, ...] = ()


def select(study: Study, card: ModelCard, recipe: Recipe, *, asked: bool = False) -> Selection:
    """The pictures of `study` that a model may read by header and kind: every flat one, the best volume.

    asked  somebody named the model; a card that does not say what it reads is then enough
    """
    fitting = [n for n, picture in enumerate(study.pictures) if isinstance(picture, Volume) == (recipe.dims == 3)]
    if not fitting:
        held, wanted = say("kind.flat"), say("kind.volume")
        if recipe.dims == 2:
            held, wanted = wanted, held
        return Selection(against=say("against.dims", held=held, wanted=wanted))
    if len(recipe.channels) > 1:
        return _one_a_channel(study, fitting, card, recipe)

    agreed = {n: _of_picture(study.pictures[n], card, recipe, asked=asked) for n in fitting}
    allowed = [n for n in fitting if not agreed[n].against]
    if not allowed:
        return Selection(against=agreed[fitting[0]].against)
    support = max(agreed[n].support for n in allowed)
    best = [n for n in allowed if agreed[n].support == support]
    notes = []
    if recipe.dims == 3:
        if len(best) > 1:
            notes.append(say("caution.chosen", total=len(best)))
        best = [max(best, key=lambda n: study.pictures[n].array.shape[0])]
    elif len(best) > MOST_CASES:
        notes.append(say("caution.limit", total=len(best), limit=MOST_CASES))
        best = best[:MOST_CASES]
    return Selection(tuple((n,) for n in best), agreed[best[0]], notes=tuple(notes))


def _of_picture(
    picture: Picture, card: ModelCard, recipe: Recipe, *, modality: str = "", asked: bool = True
) -> Agreement:
    found = agreement(picture.facts, card.sees, modality=modality, asked=asked)
    if found.against:
        return found
    against = _against_pixels(picture, card, recipe, modality)
    return replace(found, against=against) if against else found


def _one_a_channel(study: Study, fitting: Sequence[int], card: ModelCard, recipe: Recipe) -> Selection:
    """One case: for each channel the picture of its modality, by the channel's name where several have it."""
    if not any(channel.modality for channel in recipe.channels):
        if len(fitting) != len(recipe.channels):
            return Selection(against=say("against.channels", wanted=len(recipe.channels)))
        agreed = [_of_picture(study.pictures[n], card, recipe) for n in fitting]
        return _as_one_case(list(fitting), agreed)
    left = list(fitting)
    chosen, agreed = [], []
    for channel in recipe.channels:
        options = [(n, _of_picture(study.pictures[n], card, recipe, modality=channel.modality)) for n in left]
        options = [(n, found) for n, found in options if not found.against]
        if not options:
            return Selection(against=say("against.channel", channel=channel.name or channel.modality))
        named = [o for o in options if channel.name.lower() in study.pictures[o[0]].facts.description.split()]
        n, found = max(named or options, key=lambda o: (o[1].support, study.pictures[o[0]].array.shape[0]))
        chosen.append(n)
        agreed.append(found)
        left.remove(n)
    return _as_one_case(chosen, agreed)


def _as_one_case(chosen: list[int], agreed: list[Agreement]) -> Selection:
    against = next((found.against for found in agreed if found.against), "")
    if against:
        return Selection(against=against)
    # A chain is as strong as its weakest link: the header must speak for every channel.
    return Selection((tuple(chosen),), min(agreed, key=lambda found: found.support))


def _against_pixels(picture: Picture, card: ModelCard, recipe: Recipe, modality: str) -> str:
    """What the pixels say where the header is silent: colour, and the numbers of a CT."""
    if isinstance(picture, Volume):
        if picture.facts.modality not in SAYS_NOTHING:
            return ""
        wanted = {modality} if modality else set(card.sees.modalities)
        sample = picture.array.reshape(-1)[:: max(1, picture.array.size // 500_000) | 1]
        if wanted == {"CT"} and picture.unit == "" and float(picture.array.min()) >= 0:
            return say("against.hounsfield")
        # A magnitude is never negative, and air in Hounsfield units lies near -1000.
        if wanted and wanted <= {"MR", "PT", "NM"} and float((sample < -500).mean()) > 0.01:
            return say("against.not_magnitude")
        return ""
    if recipe.colour and not picture.colour:
        return say("against.grey")
    if not recipe.colour and picture.colour and _colourful(picture.array):
        return say("against.colour")
    return ""


def _colourful(pixels: Array) -> bool:
    """Is there more colour than a frame or a letter leaves in a grey picture that was saved as colour?"""
    thin = pixels[::4, ::4].astype(float)
    return bool((thin.max(axis=2) - thin.min(axis=2)).mean() > 0.04 * max(float(pixels.max()), 1e-6))
