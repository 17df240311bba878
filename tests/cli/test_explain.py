"""`osler explain`."""

import nibabel as nib
import numpy as np
import pytest

from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.io import nifti, raster


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a.png"
    raster.write_image(np.random.default_rng(0).integers(0, 255, (40, 56)).astype(np.uint8), path)
    return path


def test_a_page_maps_and_numbers(osler, model_folder, picture, tmp_path):
    out = tmp_path / "why"
    done = osler("explain", model_folder, picture, "--out", out, "--how", "gradients,occlusion", "--json")
    assert done.code == 0, done.err
    (row,) = done.json["files"]
    assert row["status"] == "explained" and [one["way"] for one in row["reasons"]] == ["gradients", "occlusion"]
    for one in row["reasons"]:
        assert np.load(out / one["map"]).shape == (40, 56)
        assert all((out / name).is_file() for name in one["pictures"])
        assert {"share_hidden", "fall_marked", "faithful", "seconds"} <= set(one["figures"])
    assert (out / "explain.html").read_text().count("data:image/png") == 2 and (out / "explain.json").is_file()


def test_a_target_by_name_and_wrong_words(osler, model_folder, picture, tmp_path):
    import json

    classes = json.loads((model_folder / "card.json").read_text())["classes"]
    words = ("explain", model_folder, picture, "--out", tmp_path / "why", "--how", "gradients", "--json")
    for name in classes:
        (row,) = osler(*words, "--target", name.upper()).json["files"]
        assert row["reasons"][0]["about"].lower() == name.lower()
    assert osler(*words, "--target", "zebra").code == 2
    assert osler("explain", model_folder, picture, "--out", tmp_path / "no", "--how", "gradcamm").code == 2
    assert not (tmp_path / "no").exists()


def test_what_the_model_may_not_read_is_declined_without_a_map(osler, model_folder, tmp_path):
    path = tmp_path / "v.nii.gz"
    nifti.write_volume(
        Volume(np.zeros((8, 20, 20), np.float32), Geometry.from_spacing((8, 20, 20), (1, 1, 1))), path
    )
    done = osler("explain", model_folder, path, "--out", tmp_path / "why", "--json")
    assert done.code == 3
    (row,) = done.json["files"]
    assert row["status"] == "declined" and row["declined"][0]["what"]
    assert [p.name for p in (tmp_path / "why").iterdir() if p.suffix != ".json"] == ["explain.html"]


def test_similar_cases_come_from_data_with_their_pictures(osler, model_folder, picture, tmp_path):
    import json

    classes = json.loads((model_folder / "card.json").read_text())["classes"]
    draw = np.random.default_rng(1)
    for name in classes:
        (tmp_path / "data" / name).mkdir(parents=True)
        for n in range(4):
            path = tmp_path / "data" / name / f"{n}.png"
            raster.write_image(draw.integers(0, 255, (30, 30)).astype(np.uint8), path)
    out = tmp_path / "why"
    words = ("explain", model_folder, picture, "--out", out, "--how", "similar", "--json")
    alone = osler(*words).json["files"][0]["reasons"][0]
    assert "--data" in alone["statement"] and "neighbours" not in alone
    found = osler(*words, "--data", tmp_path / "data")
    assert found.code == 0, found.err
    (one,) = found.json["files"][0]["reasons"]
    assert len(one["neighbours"]) == 5 and one["figures"]["training_cases"] == 8
    distances = [each["distance"] for each in one["neighbours"]]
    assert distances == sorted(distances)
    assert (out / "explain.html").read_text().count("data:image/png") == 6


def test_a_map_of_a_volume_lies_on_its_grid(osler, tmp_path):
    from safetensors.torch import save_file

    from osler.core.record import to_plain
    from osler.io.files import write_json
    from osler.models.card import ModelCard, Sees
    from osler.models.digest import seal
    from osler.models.model import NetPlan, build_net
    from osler.models.recipe import Channel, Normalization, Recipe
    from osler.models.trust import Trust

    plan = NetPlan(
        "unet", {"widths": [4, 6], "strides": [[1, 1, 1], [2, 2, 2]], "kernels": [[3, 3, 3]] * 2,
                 "encoder": [1, 1], "decoder": [1]},
    )  # fmt: skip
    recipe = Recipe(3, False, (Channel("image", "", Normalization("zscore")),), False, (8, 8, 8))
    folder = tmp_path / "spots"
    folder.mkdir()
    save_file(build_net(plan, recipe, 2).state_dict(), folder / "member-0.safetensors")
    write_json(folder / "recipe.json", {"recipe": to_plain(recipe), "net": to_plain(plan)})
    write_json(folder / "trust.json", to_plain(Trust()))
    seal(folder, ModelCard("spots", "1", "Spots", "segmentation", ("spot",), Sees("any volume", 3)))
    volume = Volume(
        np.random.default_rng(0).normal(100, 20, (18, 20, 22)).astype(np.float32),
        Geometry.from_spacing((18, 20, 22), (1.1, 1, 1), (4, 5, 6)),
    )
    path, out = tmp_path / "v.nii.gz", tmp_path / "why"
    nifti.write_volume(volume, path)
    outlined = osler("explain", folder, path, "--out", out, "--json")
    assert outlined.code == 0, outlined.err
    (row,) = outlined.json["files"]
    assert row["reasons"] == [] and "--how" in row["answers"][-1]
    done = osler("explain", folder, path, "--out", out, "--how", "gradcam", "--target", "spot", "--json")
    assert done.code == 0, done.err
    (row,) = done.json["files"]
    made = nib.load(out / row["reasons"][0]["map"])
    np.testing.assert_allclose(made.affine, nib.load(path).affine, atol=1e-5)
    assert made.shape == nib.load(path).shape
