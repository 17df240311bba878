"""Where models stand: those that came with Osler, and those that were added here."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from osler.core.errors import AskedWrongly, OslerError, UnknownChoice
from osler.io.files import replacing
from osler.models.card import ModelCard, read_card
from osler.models.digest import check_seal


@dataclass(frozen=True, slots=True)
class Shelf:
    """Folders that hold models, first ones first.

    folders  the user's own (OSLER_HOME/models), then those that ship in the package
    """

    folders: tuple[Path, ...]

    @classmethod
    def default(cls) -> "Shelf":
        """The shelf of this machine: OSLER_HOME/models (else ~/.osler/models), then the package's own."""
        home = Path(os.environ.get("OSLER_HOME", Path.home() / ".osler"))
        return cls((home / "models", Path(str(files("osler.models"))) / "starter"))

    def __iter__(self) -> Iterator[Path]:
        """The folder of every model, each name once: the user's own hides a shipped one of the same name."""
        seen = set()
        for folder in self.folders:
            for path in sorted(folder.glob("*/card.json")):
                if path.parent.name not in seen:
                    seen.add(path.parent.name)
                    yield path.parent

    def cards(self) -> list[tuple[Path, ModelCard]]:
        """Every model's folder and card; a damaged one is left out (`osler models list` says so)."""
        found = []
        for folder in self:
            try:
                found.append((folder, read_card(folder)))
            except OslerError:
                continue
        return found

    def find(self, name: str) -> Path:
        """The folder of the model called `name`, which may be a path too.

        Raises UnknownChoice, proposing the near name.
        """
        if (Path(name) / "card.json").is_file():
            return Path(name)
        for folder in self:
            if folder.name == name:
                return folder
        if os.sep in name or Path(name).exists():
            read_card(Path(name))  # says what is missing there
        raise UnknownChoice.among("model on the shelf", name, (folder.name for folder in self))

    def add(self, folder: Path, *, name: str = "") -> Path:
        """Copy a model to the user's own shelf, its digest checked. Returns where it stands now."""
        card = check_seal(folder)
        target = self.folders[0] / (name or card.name)
        if target.exists():
            raise AskedWrongly(
                f"There is a model named '{target.name}' on the shelf already.",
                remedy="Give another name with --name, or remove the old one: `osler models remove`.",
            )
        with replacing(target) as beside:
            shutil.copytree(folder, beside, ignore=shutil.ignore_patterns(".*"))
        return target

    def remove(self, name: str) -> Path:
        """Take a model off the user's own shelf. Models that ship with Osler stay."""
        target = self.folders[0] / name
        if not (target / "card.json").is_file():
            raise UnknownChoice.among(
                "model of your own", name, (p.parent.name for p in self.folders[0].glob("*/card.json"))
            )
        shutil.rmtree(target)
        return target
