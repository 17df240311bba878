"""Who decides: a human being with a name and a role. A machine's word is no decision (GDPR Art. 22)."""

import re
import unicodedata
from dataclasses import dataclass

from osler.core.errors import AskedWrongly

_LONGEST = 80
# Words of which no human name is made entirely. "Ai Weiwei" and "William Osler" have another word, and pass.
# fmt: off
_MACHINE = frozenset({
    "agent", "ai", "algorithm", "anonymous", "approve", "approved", "artificial", "auto", "autoapprove",
    "automat", "automated", "automatic", "automatically", "autopilot", "bot", "chatbot", "chatgpt", "claude",
    "cli", "computer", "copilot", "cron", "daemon", "deep", "default", "engine", "gemini", "gpt", "ia",
    "intelligence", "ki", "learning", "llm", "machine", "model", "na", "nan", "net", "network", "neural",
    "nil", "nn", "no", "nobody", "none", "null", "osler", "pipeline", "program", "programme", "robot",
    "root", "script", "self", "server", "service", "software", "somebody", "someone", "system", "test",
    "the", "tool", "unknown", "unnamed", "version", "x", "xxx",
})
_ROLES = frozenset({"assessor", "assistant", "expert", "group", "team", "user"})  # of persons, but no names
# fmt: on
_MACHINE_CJK = (
    "人工智能",
    "系统",
    "系統",
    "自动",
    "自動",
    "机器",
    "機器",
    "电脑",
    "電腦",
    "模型",
    "算法",
    "软件",
    "無",
    "无",
)


@dataclass(frozen=True, slots=True)
class Person:
    """A human being who answers for something.

    name  as they sign, "Mara Lind"
    role  in which they act, "orthopaedic surgeon"
    """

    name: str
    role: str


def person_from(text: str) -> Person:
    """The person in "NAME, ROLE". Raises AskedWrongly where it is no human being's name, or has no role.

    >>> person_from("Mara Lind, orthopaedic surgeon")
    Person(name='Mara Lind', role='orthopaedic surgeon')
    """
    name, _, role = text.partition(",")
    return check_person(Person(name.strip(), role.strip()))


def check_person(person: Person) -> Person:
    """The person as given. Raises AskedWrongly where the name is no human being's, or the role is missing."""
    if not is_human_name(person.name):
        raise AskedWrongly(
            "The deciding person has no human name: a machine or an empty line decides nothing.",
            remedy='Give name and role of the person who answers for it: "Mara Lind, orthopaedic surgeon".',
        )
    if not _words(person.role) or all(word in _MACHINE for word in _words(person.role)):
        raise AskedWrongly(
            "The deciding person's role is missing, or is no person's.",
            remedy='Say in which role the person decides: "Mara Lind, orthopaedic surgeon".',
        )
    if max(len(person.name), len(person.role)) > _LONGEST:
        raise AskedWrongly(
            f"The deciding person's name or role is longer than {_LONGEST} letters.",
            remedy="Give the name and the role alone.",
        )
    return person


def is_human_name(name: str) -> bool:
    """May `name` be a human being's? Not where it is empty, or made of words for machines alone.

    It cannot know whether the person exists: that is for the log-in, and for whoever reads the decision.

    >>> [is_human_name(name) for name in ("Ai Weiwei", "M. Osler", "王伟", "osler 0.1.0", "A.I.", "")]
    [True, True, True, False, False, False]
    """
    if "@" in name or "://" in name:
        return False
    words = _words(name)
    if sum(map(len, words)) < 2:
        return False
    plain = "".join(words)
    if any(word in plain for word in _MACHINE_CJK):
        return False
    return not all(word in _MACHINE | _ROLES for word in words) and plain not in _MACHINE | _ROLES


def _words(text: str) -> list[str]:
    """Words of letters, small; "A.I." is one, and what holds a digit ("v2", "0.1.0") is none."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u200b", "")
    plain = re.sub(r"\b(\w)\.(?=\w\b)", r"\1", plain)  # the dots of initials that stand together
    return [word for word in re.split(r"[^\w]|_", plain) if word and not any(c.isdigit() for c in word)]
