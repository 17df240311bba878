"""Maps from gradients, against closed forms and planted spots."""

import numpy as np
import pytest
import torch
from tests.explain.conftest import image_with, middle

from osler.core.errors import AskedWrongly
from osler.core.image import Image
from osler.core.progress import silent
from osler.explain.blur import blurred
from osler.explain.question import ask_why, score
from osler.explain.saliency import (
    completeness,
    gradcam,
    gradcam_finer,
    integrated_gradients,
    stages,
)
from osler.explain.table import WAYS, can
from osler.models.model import TorchNet
from osler.models.nets.resnet import ResNet
from osler.models.nets.softmax import Softmax
from osler.models.nets.unet import UNet
from osler.models.prepare import prepare


def test_gradcam_of_a_net_with_one_linear_layer_is_its_class_activation_map(sees_bright):
    """Zhou et al. 2016: the features weighted by what the linear layer makes of them."""
    model = sees_bright(size=(32, 32))
    torch.manual_seed(1)
    module = ResNet(dims=2, planes=1, outputs=2, size=(32, 32), widths=(4, 6), blocks=1, stem=1).eval()
    picture = Image(np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32))
    question = ask_why(model, prepare([picture], model.recipe), 1)
    found = gradcam([TorchNet(module)], question, silent)
    with torch.no_grad():
        features = module.body[:-2](question.image[None])[0]  # (features, 16, 16)
        weights = (module.linear.weight[1] - module.linear.weight[0]) / 256
        expected = torch.einsum("f,frc->rc", weights, features).numpy()
    np.testing.assert_allclose(found[::2, ::2], expected, atol=1e-6)  # cell i lies on pixel 2 i
    np.testing.assert_allclose(found[1, ::2], (expected[0] + expected[1]) / 2, atol=1e-6)


@pytest.mark.parametrize("way", [gradcam, gradcam_finer, integrated_gradients])
@pytest.mark.parametrize(("at", "stem"), [((20.0, 44.0), 1), ((33.0, 17.0), 2)])
def test_a_planted_spot_lights_up_where_it_is(sees_bright, way, at, stem):
    model = sees_bright(stem=stem)
    question = ask_why(model, prepare([image_with((64, 64), at, (5, 5))], model.recipe), 1)
    assert np.abs(middle(way(model.members, question, silent)) - at).max() < 1.0


@pytest.mark.parametrize("way", [gradcam, gradcam_finer, integrated_gradients])
def test_in_space_too(sees_bright, way):
    model = sees_bright(size=(24, 32, 32))
    at = (9.0, 20.0, 12.0)
    prepared = prepare([_cube((24, 32, 32), at)], model.recipe)
    assert np.abs(middle(way(model.members, ask_why(model, prepared, 1), silent)) - at).max() < 1.0


def test_integrated_gradients_of_a_linear_net_are_exact(sees_bright):
    model = sees_bright(size=(16, 16))
    module = Softmax(dims=2, planes=1, outputs=2, size=(16, 16))
    torch.nn.init.normal_(module.linear.weight, generator=torch.Generator().manual_seed(0), std=0.05)
    net = TorchNet(module)
    picture = Image(np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32))
    question = ask_why(model, prepare([picture], model.recipe), 1)
    found = integrated_gradients([net], question, silent)
    with torch.no_grad():
        weight = (module.linear.weight[1] - module.linear.weight[0]).reshape(16, 16)
        expected = weight * (question.image - blurred(question.image))[0]
    # Smoothing by a quarter of a pixel moves little and loses nothing.
    assert np.corrcoef(found.ravel(), expected.numpy().ravel())[0, 1] > 0.99
    assert found.sum() == pytest.approx(float(expected.sum()), abs=1e-4)
    assert completeness([net], question, found) < 1e-3


def test_attributions_of_a_deep_net_add_up(sees_bright):
    model = sees_bright(size=(32, 32))
    torch.manual_seed(3)
    nets = [
        TorchNet(ResNet(dims=2, planes=1, outputs=2, size=(32, 32), widths=(4, 6), blocks=1)) for _ in range(2)
    ]
    picture = Image(np.random.default_rng(1).normal(size=(32, 32)).astype(np.float32))
    question = ask_why(model, prepare([picture], model.recipe), 1)
    found = integrated_gradients(nets, question, silent)
    with torch.no_grad():
        ends = score(nets, torch.stack([question.image, blurred(question.image)]), question)
    assert found.sum() == pytest.approx(float(ends[0] - ends[1]), rel=0.05)
    assert completeness(nets, question, found) <= 0.05
    assert completeness(nets, question, found * 2) == pytest.approx(1.0, abs=0.11)


def test_members_are_averaged(sees_bright):
    model = sees_bright(size=(32, 32))
    torch.manual_seed(0)
    nets = [
        TorchNet(ResNet(dims=2, planes=1, outputs=2, size=(32, 32), widths=(4, 6), blocks=1)) for _ in range(5)
    ]
    question = ask_why(model, prepare([image_with((32, 32), (9, 9), (4, 4))], model.recipe), 1)
    alone = [gradcam([net], question, silent) for net in nets]
    np.testing.assert_allclose(gradcam(nets, question, silent), np.mean(alone, axis=0), atol=1e-5)


def test_nets_without_features_in_space_or_without_gradients_say_so(sees_bright):
    model = sees_bright(size=(16, 16))
    question = ask_why(model, prepare([image_with((16, 16), (5, 5), (2, 2))], model.recipe), 1)
    flat = TorchNet(Softmax(dims=2, planes=1, outputs=2, size=(16, 16)))
    with pytest.raises(AskedWrongly, match="no features in space"):
        gradcam([flat], question, silent)
    with pytest.raises(AskedWrongly, match="no gradients"):
        integrated_gradients([_Worn()], question, silent)  # type: ignore[list-item]
    assert [name for name, way in WAYS.items() if can(way, _with(model, flat))] == ["gradients", "occlusion"]
    assert [name for name, way in WAYS.items() if can(way, _with(model, _Worn()))] == ["occlusion"]
    assert all(can(way, model) for way in WAYS.values())


def test_frozen_weights_and_inference_mode_do_not_matter(sees_bright):
    model = sees_bright(size=(16, 16))
    for net in model.members:
        net.module.requires_grad_(False)
    question = ask_why(model, prepare([image_with((16, 16), (5, 5), (2, 2))], model.recipe), 1)
    with torch.no_grad():
        assert gradcam(model.members, question, silent).max() > 0
        assert integrated_gradients(model.members, question, silent).max() > 0


def test_stages_of_every_net():
    net = ResNet(dims=2, planes=1, outputs=2, size=(32, 32), widths=(4, 6, 8), blocks=2, stem=2)
    shapes = []
    for part in stages(net):
        part.register_forward_hook(lambda m, i, o: shapes.append(tuple(o.shape[1:])))
    net.eval()(torch.zeros(1, 1, 32, 32))
    assert shapes == [(4, 16, 16), (6, 8, 8), (8, 4, 4)]
    unet = UNet(
        dims=2, planes=1, outputs=2, size=(8, 8), widths=(4, 8), strides=((1, 1), (2, 2)), kernels=((3, 3),) * 2,
        encoder=(1, 1), decoder=(1,),
    )  # fmt: skip
    assert stages(unet) == list(unet.encoder) and stages(Softmax(dims=2, planes=1, outputs=2, size=(4, 4))) == []


class _Worn:
    """Like an ONNX net: answers, and no gradients."""

    def logits(self, images):
        return torch.zeros(len(images), 2), None


def _with(model, net):
    from dataclasses import replace

    return replace(model, members=(net,))


def _cube(shape, at):
    from tests.explain.conftest import spot

    from osler.core.geometry import Geometry
    from osler.core.volume import Volume

    return Volume(spot(shape, at, (3, 3, 3)), Geometry.from_spacing(shape, (1, 1, 1)))
