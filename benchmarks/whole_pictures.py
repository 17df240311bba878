"""One training on whole pictures, kept as JSON: the official splits, the test split opened once at the end.

python benchmarks/whole_pictures.py NAME DATA MINUTES SEED OUT [more words of `osler train`]
"""

import sys
from pathlib import Path

from record import HERE, keep, run


def main() -> None:
    name, data, minutes, seed, out, *more = sys.argv[1:]
    card = HERE / "starters" / f"{Path(out).name}.json"
    words = ["train", data, "--budget", f"{minutes}m", "--seed", seed, "--out", out, *more]
    trained = run([*words, "--card", str(card)] if card.is_file() else words)
    answer = trained["answer"]
    evaluation = answer["evaluation"]
    keep(
        f"{name}-{minutes}m-seed{seed}",
        {
            "command": trained["command"],
            "split": evaluation["split"],
            "n": evaluation["n"],
            "metrics": evaluation["metrics"],
            "training_seconds": trained["seconds"],
            "training_peak_mb": trained["peak_mb"],
            "notes": answer["notes"],
        },
    )


if __name__ == "__main__":
    main()
