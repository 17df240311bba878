"""A pseudonym names nobody: neither a name nor a date of birth, nor a number that is one."""

import datetime
import re

from osler.core.errors import AskedWrongly

_SHAPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,39}")
# Words that say what is numbered, and nobody's name.
_PLAIN_WORDS = frozenset(
    {"anon", "case", "claim", "claimant", "code", "file", "knee", "patient", "person", "pseudo", "pseudonym"}
    | {"study", "subject", "test"}
)
_LONGEST_WORD = 3  # letters in a row that are no name by themselves; hexadecimal digits may be more
_WITH_BIRTH_DATE = (6, 8, 10, 11, 12, 13)  # digits of national numbers that begin with the date of birth
_OLDEST = 1900


def check_pseudonym(pseudonym: str, *, today: datetime.date) -> str:
    """The pseudonym as given. Raises AskedWrongly where it may be a name, a date or a number made of one.

    It errs on the strict side: another pseudonym costs nothing, a name that got out cannot be called back. The
    error never repeats what was given.
    """
    why = why_no_pseudonym(pseudonym, today=today)
    if why:
        raise AskedWrongly(
            f"The pseudonym {why}.",
            remedy="Give a number drawn by chance with a short prefix, as P-7f3a91, and keep the key elsewhere.",
        )
    return pseudonym


def why_no_pseudonym(text: str, *, today: datetime.date) -> str:
    """Why `text` is no good pseudonym, as the end of a sentence; "" where it may be one.

    >>> day = datetime.date(2026, 1, 1)
    >>> why_no_pseudonym("P-0042", today=day), why_no_pseudonym("Lind-1962", today=day)
    ('', 'holds a word that may be a name')
    """
    if not _SHAPE.fullmatch(text):
        return "is not 3 to 40 letters, digits, - and _"
    if not re.search(r"\d", text):
        return "holds no digit, as a name holds none"
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", text)]
    long = [word for word in words if len(word) > _LONGEST_WORD and word not in _PLAIN_WORDS]
    if any(not re.fullmatch("[a-f]+", word) for word in long):
        return "holds a word that may be a name"
    if re.search(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)", text):
        return "looks like a social security number"
    for run in re.findall(r"\d+(?:[-_]\d+)*", text):
        digits = re.sub(r"\D", "", run)
        if _holds_a_date(digits, today) or (run != digits and _parts_are_a_date(run, today)):
            return "holds what may be a date of birth"
    years = [int(run) for run in re.findall(r"(?<!\d)\d{4}(?!\d)", text)]
    if any(_OLDEST <= year <= today.year for year in years) and any(1 < len(word) < 4 for word in words):
        return "looks like initials with a year of birth"
    return ""


def _holds_a_date(digits: str, today: datetime.date) -> bool:
    if len(digits) == 18:  # a Chinese identity number: the date of birth from the seventh digit on (GB 11643)
        return _is_date(digits[6:14], today)
    if len(digits) not in _WITH_BIRTH_DATE:
        return False
    return _is_date(digits[:6], today) or (len(digits) >= 8 and _is_date(digits[:8], today))


def _is_date(digits: str, today: datetime.date) -> bool:
    """Six or eight digits as a date in any order that people write."""
    forms = ("%Y%m%d", "%d%m%Y", "%m%d%Y") if len(digits) == 8 else ("%y%m%d", "%d%m%y", "%m%d%y")
    return any(_parsed(digits, form, today) for form in forms)


def _parts_are_a_date(run: str, today: datetime.date) -> bool:
    """ "3-2-1962" and "1962-3": numbers with a year among them, written apart."""
    parts = [int(part) for part in re.split(r"[-_]", run)]
    years = [part for part in parts if _OLDEST <= part <= today.year]
    rest = [part for part in parts if not _OLDEST <= part <= today.year]
    return len(years) == 1 and 1 <= len(rest) <= 2 and all(1 <= part <= 31 for part in rest)


def _parsed(digits: str, form: str, today: datetime.date) -> bool:
    try:
        found = datetime.datetime.strptime(digits, form).date()
    except ValueError:
        return False
    return "%y" in form or _OLDEST <= found.year <= today.year
