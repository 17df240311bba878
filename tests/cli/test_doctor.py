"""What the machine has."""


def test_the_doctor_looks_at_everything(osler) -> None:
    done = osler("doctor", "--json")
    rows = {row["name"]: row for row in done.json["findings"]}
    assert {"python", "torch", "cores", "memory", "disk here", "processor", "JPEG Lossless", "telemetry"} <= set(
        rows
    )
    assert rows["torch"]["text"].startswith("2.")
    assert done.json["good"] == all(row["state"] != "broken" for row in rows.values())
    assert done.code == (0 if done.json["good"] else 1)
