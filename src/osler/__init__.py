"""Osler: learn from labelled medical images, read studies, and say how sure.

The face for other programs. Every name is loaded when it is first used, so that `import osler` stays light.
Inside the house nobody imports from here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osler.clinic.reading import read_study
    from osler.core.finding import Finding
    from osler.core.image import Image
    from osler.core.mask import Mask
    from osler.core.prediction import Prediction
    from osler.core.report import Report
    from osler.core.study import Study
    from osler.core.volume import Volume
    from osler.inference.predict import predict
    from osler.io.open import open_study
    from osler.lab.evaluate.examine import examine as evaluate
    from osler.lab.learn import learn as train
    from osler.models.model import load_model

__version__ = "0.1.0"

__all__ = [
    "Finding",
    "Image",
    "Mask",
    "Prediction",
    "Report",
    "Study",
    "Volume",
    "__version__",
    "evaluate",
    "load_model",
    "open_study",
    "predict",
    "read_study",
    "train",
]

_LIVES_IN = {
    "open_study": ("osler.io.open", "open_study"),
    "read_study": ("osler.clinic.reading", "read_study"),
    "train": ("osler.lab.learn", "learn"),
    "evaluate": ("osler.lab.evaluate.examine", "examine"),
    "predict": ("osler.inference.predict", "predict"),
    "load_model": ("osler.models.model", "load_model"),
    "Study": ("osler.core.study", "Study"),
    "Volume": ("osler.core.volume", "Volume"),
    "Image": ("osler.core.image", "Image"),
    "Mask": ("osler.core.mask", "Mask"),
    "Finding": ("osler.core.finding", "Finding"),
    "Report": ("osler.core.report", "Report"),
    "Prediction": ("osler.core.prediction", "Prediction"),
}


def __getattr__(name: str) -> Any:
    if name not in _LIVES_IN:
        raise AttributeError(f"module 'osler' has no attribute '{name}'")
    module, attribute = _LIVES_IN[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
