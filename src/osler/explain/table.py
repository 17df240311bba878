"""The ways there are to make a map. To add one: a function in a file beside this, and a row here."""

from dataclasses import dataclass

from osler.core.registry import Registry
from osler.explain.occlusion import occlusion
from osler.explain.saliency import gradcam, gradcam_finer, integrated_gradients, stages
from osler.explain.sanity import Way
from osler.models.model import Model, TorchNet

SIMILAR = "similar"  # no map: cases


@dataclass(frozen=True, slots=True)
class MapWay:
    """One way to make a map.

    make    (nets, question, tell) -> map
    stages  how many stages with features in space a net needs
    """

    make: Way
    gradients: bool = True
    stages: int = 0


WAYS: Registry[MapWay] = Registry(
    "way to explain",
    gradcam=MapWay(gradcam, stages=1),
    finer=MapWay(gradcam_finer, stages=2),
    gradients=MapWay(integrated_gradients),
    occlusion=MapWay(occlusion, gradients=False),
)


def can(way: MapWay, model: Model) -> bool:
    """Does the way work with this model's nets?"""
    if not way.gradients:
        return True
    return all(isinstance(net, TorchNet) and len(stages(net.module)) >= way.stages for net in model.members)
