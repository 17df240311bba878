import numpy as np
import pytest

from osler.inference.temper import temper
from osler.lab.evaluate.calibrate import fit_temperature, fit_temperatures
from osler.lab.evaluate.classification import ece, nll


def said_and_so(temperature, cases=3000, seed=0):
    """Truth drawn from a model's own probabilities, and what an over- or under-sure copy of it says."""
    random = np.random.default_rng(seed)
    honest = random.dirichlet([0.7, 0.7, 0.7], cases)
    truth = np.array([random.choice(3, p=row) for row in honest])
    return temper(honest, 1 / temperature), truth


@pytest.mark.parametrize("temperature", [0.5, 2.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature):
    said, truth = said_and_so(temperature)
    found = fit_temperature(said, truth)
    assert found == pytest.approx(temperature, rel=0.1)
    hot = np.eye(3)[truth]
    assert nll(temper(said, found), hot) < nll(said, hot)
    right = said.argmax(1) == truth
    assert ece(temper(said, found).max(1), right) < ece(said.max(1), right)


def test_what_is_calibrated_is_left_alone_more_or_less():
    said, truth = said_and_so(1.0)
    assert fit_temperature(said, truth) == pytest.approx(1, abs=0.08)


def test_what_does_not_help_other_patients_is_not_taken():
    # Eleven patients; ten pictures of one of them are all wrong: a temperature would be fitted to that one alone.
    said = np.full(20, 0.6)
    truth = np.array([0] * 10 + [1] * 10)
    patients = ["odd"] * 10 + [str(i) for i in range(10)]
    assert fit_temperature(said, truth, patients=patients) == 1.0


def test_too_few_patients_have_no_temperature():
    said, truth = said_and_so(3.0, cases=40)
    assert fit_temperature(said, truth) != 1.0
    assert fit_temperature(said, truth, patients=["a", "b"] * 20) == 1.0


def test_each_label_has_its_own():
    random = np.random.default_rng(0)
    honest = random.random((3000, 2))
    truth = (random.random((3000, 2)) < honest).astype(int)
    said = np.stack([temper(honest[:, 0], 0.4), honest[:, 1]], axis=1)
    first, second = fit_temperatures(said, truth)
    assert first == pytest.approx(2.5, rel=0.1) and second == pytest.approx(1, abs=0.1)
