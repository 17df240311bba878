"""The nets there are. To add one: a file beside this, and a row here."""

from collections.abc import Callable

from torch import nn

from osler.core.registry import Registry
from osler.models.nets.resnet import ResNet
from osler.models.nets.softmax import Softmax
from osler.models.nets.unet import UNet

NETS: Registry[Callable[..., nn.Module]] = Registry("net", softmax=Softmax, resnet=ResNet, unet=UNet)
