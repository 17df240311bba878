"""What was understood, as JSON and as a page that needs no network."""

import json
import re

import numpy as np

from osler.lab.catalog.recognize import read_dataset
from osler.lab.catalog.show import describe, write_page


def test_the_description_of_a_segmentation(tmp_path, make):
    dataset = read_dataset(make.paired(tmp_path / "set"))
    found = json.loads(json.dumps(describe(dataset)))
    assert (found["task"], found["cases"], found["patients"]) == ("segmentation", 6, 6)
    assert found["pictures"]["image"]["sizes"][0]["median"] == [8, 7, 6]
    assert found["pictures"]["image"]["spacings"][0]["largest"] == [1.0, 1.0, 1.0]
    assert found["odd"] == []
    write_page(dataset, found, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 5
    assert "label 2" in text
    assert not re.search(r"https?://|<script|<link", text)


def test_the_page_of_a_class_set_with_a_broken_file_and_a_hostile_name(tmp_path, make):
    make.classes(tmp_path / "set", ("<b>sick", "well", "other"), each=3)
    (tmp_path / "set" / "well" / "well0.png").write_bytes(b"not a picture")
    dataset = read_dataset(tmp_path / "set")
    found = describe(dataset)
    assert found["broken"] == 1
    assert found["balance"]["well"] == {"all": 3}
    write_page(dataset, found, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>sick" not in text
    assert text.count("data:image/png;base64,") == 8
    assert "well0.png" in text


def test_regression_and_boxes(tmp_path, make):
    path = make.table(tmp_path, "image,ef", "pics/p{n}.png,{n}.5")
    found = describe(read_dataset(path))
    assert found["target_values"] == {"lowest": 0.5, "median": 4.0, "highest": 7.5}
    write_page(read_dataset(path), found, tmp_path / "page.html")
    boxes = tmp_path / "voc"
    (boxes / "Annotations").mkdir(parents=True)
    make.picture(boxes / "JPEGImages" / "x.jpg")
    (boxes / "Annotations" / "x.xml").write_text(
        "<annotation><object><name>a</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>6</xmax><ymax>9</ymax></bndbox>"
        "</object></annotation>"
    )
    dataset = read_dataset(boxes)
    write_page(dataset, describe(dataset), tmp_path / "boxes.html")
    assert "data:image/png" in (tmp_path / "boxes.html").read_text()


def test_npz_volumes(tmp_path, make):
    dataset = read_dataset(make.npz(tmp_path / "v.npz", np.array([0, 1] * 3), shape=(4, 5, 6)))
    found = describe(dataset)
    assert found["pictures"]["image"]["sizes"][0]["median"] == [4, 5, 6]
    write_page(dataset, found, tmp_path / "page.html")
