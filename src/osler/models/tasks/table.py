"""The tasks there are. To add one: a file beside this, and a row here."""

from osler.core.registry import Registry
from osler.models.tasks.classification import BINARY, MULTICLASS, MULTILABEL
from osler.models.tasks.ordinal import ORDINAL
from osler.models.tasks.regression import REGRESSION
from osler.models.tasks.segmentation import SEGMENTATION
from osler.models.tasks.task import Task

TASKS: Registry[Task] = Registry(
    "task",
    binary=BINARY,
    multiclass=MULTICLASS,
    multilabel=MULTILABEL,
    ordinal=ORDINAL,
    regression=REGRESSION,
    segmentation=SEGMENTATION,
)
