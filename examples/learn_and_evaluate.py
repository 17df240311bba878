"""Learn from made-up radiographs, test the model, and ask it about a picture it has not seen."""

from pathlib import Path

import osler
from osler.lab.plan.ask import Ask
from osler.phantoms.datasets import write_image_set
from osler.phantoms.radiographs import made_up_radiograph


def main(place: Path, *, seconds: float = 60) -> osler.Prediction:
    """All of it, in the folder `place`; `seconds` is the time to train."""
    pictures = write_image_set(place / "pictures", patients=60, seed=1, size=48)
    learned = osler.train(pictures, out=place / "model", ask=Ask(budget_seconds=seconds, seed=1))
    print(learned.card.limits[0])

    model = osler.load_model(learned.folder)
    tested = osler.evaluate(model, pictures, out=place / "tested")
    auc = tested.evaluation.metrics["auc"]
    print(f"AUC {auc.value:.2f} ({auc.low:.2f} to {auc.high:.2f}) on {tested.evaluation.patients} patients")

    answer = osler.predict(model, [made_up_radiograph(987654, opacity=True, size=48)])
    print(f"probability of {answer.classes[1]}: {answer.probabilities}")
    return answer


if __name__ == "__main__":
    main(Path("example-model"))
