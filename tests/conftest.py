"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says something about the machine, not about the code.
settings.register_profile("osler", deadline=None)
settings.load_profile("osler")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data, or skip."""
    place = Path(os.environ.get("OSLER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not place.is_dir():
        pytest.skip(f"no real data: set OSLER_TEST_DATA (looked in {place})")
    return place


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's shelf, or what is remembered of this machine's pace."""
    monkeypatch.setenv("OSLER_HOME", str(tmp_path_factory.getbasetemp() / "home"))
    monkeypatch.delenv("OSLER_LANG", raising=False)
