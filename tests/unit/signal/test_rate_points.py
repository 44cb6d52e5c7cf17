"""``simnet rate``: what it measures is what codecs do, and bad files get one clear error."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from simnet.cli import main
from simnet.codecs.jpeg import Jpeg
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.signal.rate_points import measure_points, read_points

FILE = """
data_set: camvid_small
split: sample
judge: segmenter/street_judge
features: segmenter/street_parser
codecs:
  jpeg: {kind: jpeg, image_shape: [3, 96, 128], quality: 1}
  raw: {kind: raw, image_shape: [3, 96, 128]}
vary:
  jpeg: {quality: [5, 40]}
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "points.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_table_says_what_the_codec_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["simnet", "rate", str(written(tmp_path, FILE)), "--quiet"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None)
    assert capsys.readouterr().out.strip() == str(tmp_path / "points.csv")
    table = pd.read_csv(tmp_path / "points.csv").set_index(["codec", "setting"])
    assert [name for name, _ in table.index] == ["jpeg", "jpeg", "raw"]

    images = torch.tensor(KINDS["data"].load("camvid_small")().load("sample").images).float() / 255
    codec = Jpeg(Jpeg.Params(image_shape=(3, 96, 128), quality=5))
    codes = codec.encode(images)
    row = table.loc[("jpeg", "quality 5")]
    assert row["code_byte"] == pytest.approx(sum(map(len, codes)) / len(codes), abs=0.01)
    assert row["bpp"] == pytest.approx(8 * row["code_byte"] / (96 * 128), abs=1e-4)
    assert 0 < row["bpp_stripped"] < row["bpp"]
    error = (codec.decode(codes) - images).square().flatten(1).mean(1)
    assert row["psnr_db"] == pytest.approx(float(-10 * error.log10().mean()), abs=0.001)
    better = table.loc[("jpeg", "quality 40")]
    assert better["psnr_db"] > row["psnr_db"] and better["ss"] > row["ss"] and better["bpp"] > row["bpp"]
    lossless = table[table.index.get_level_values(0) == "raw"].iloc[0]
    assert lossless["ss"] == lossless["ss_low"] == lossless["ss_high"] == 1.0
    assert lossless["ssim"] == 1.0 and lossless["feature_distance"] == 0.0


def test_a_second_judge_says_what_it_would_as_the_first(tmp_path: Path) -> None:
    text = FILE.replace("  raw: {kind: raw, image_shape: [3, 96, 128]}\n", "").replace("[5, 40]", "[10]")
    both = text.replace("features:", "second_judge: segmenter/street_parser\nfeatures:")
    alone = text.replace("judge: segmenter/street_judge", "judge: segmenter/street_parser")
    (two,), (one,) = (list(measure_points(read_points(written(tmp_path, t)), "points.yaml")) for t in (both, alone))
    assert {two[f"{key}_second"] - one[key] for key in ("miou", "ss", "ss_low", "ss_high")} == {0.0}
    assert two["miou"] != one["miou"] and two["code_byte"] == one["code_byte"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("vary:", "varies:", "points.yaml:9 varies: got an unknown key; allowed: data_set, split, judge, features, "),
        ("vary:", "varies:", "second_judge, detector, distribution, codecs, vary; did you mean 'vary'?"),
        ("sample", "smaple", "points.yaml:3 split: got 'smaple'; allowed: train, val, test, sample; did you mean 'sa"),
        ("[5, 40]", "5", "points.yaml:10 vary.jpeg.quality: got 5; allowed: a list, each entry any value"),
        ("judge: segmenter/street_judge", "", "judge: got no such key; allowed: text"),
        ("  jpeg: {quality: [5, 40]}", "  webp: {quality: [5]}", "vary: got webp; allowed jpeg, raw"),
        ("[5, 40]", "[]", "vary.jpeg.quality: got no values"),
        ("{quality: [5, 40]}", "{quality.x: [5]}", "quality is 1 and has no settings; allowed 'quality'"),
        ("data_set: camvid_small", "data_set: camvid_small\ndata_set: mnist", "data_set: got this key twice"),
        ("FILE", "FILE", "larger than 1048576 bytes"),
        ("data_set: camvid_small", "data_set: [", "points.yaml:4: got broken YAML"),
    ],
)
def test_bad_files_are_refused_with_a_reason(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = FILE.replace(old, new) if "larger" not in message else FILE + "#" * (1 << 20)
    with pytest.raises(SimnetError) as caught:
        read_points(written(tmp_path, text))
    assert message in str(caught.value)


def test_codes_of_symbols_have_no_bits(tmp_path: Path) -> None:
    text = FILE.replace("raw: {kind: raw, image_shape: [3, 96, 128]}", "s: {kind: sesc}")
    points = read_points(written(tmp_path, text))
    with pytest.raises(SimnetError, match=r"points.yaml: codecs.s: its codes are symbols; allowed: .* bytes"):
        next(measure_points(points, "points.yaml"))


def test_an_unknown_setting_of_a_codec_names_those_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = FILE.replace("{quality: [5, 40]}", "{qualty: [5]}")
    monkeypatch.setattr("sys.argv", ["simnet", "rate", str(written(tmp_path, text)), "--quiet"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert "codecs.jpeg" in said and "qualty" in said and "quality" in said.replace("qualty", "")


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ("{kind: jpeg, image_shape: [3, 96, 128], qualty: 1}", "qualty: got an unknown key; .*did you mean 'quality'"),
        ("{kind: jpeg, image_shape: [3, 96, 128], quality: 500}", r"quality: got 500; allowed: a whole number \d\.\."),
        ("{kind: jpg}", "got 'jpg'; .*did you mean 'jpeg'"),
        ("{quality: 5}", "got .*; allowed"),
    ],
)
def test_wrong_settings_of_a_codec_are_said_on_one_line(tmp_path: Path, described: str, message: str) -> None:
    text = FILE.replace("{kind: jpeg, image_shape: [3, 96, 128], quality: 1}", described).partition("vary:")[0]
    with pytest.raises(SimnetError, match=rf"^points\.yaml codecs\.jpeg: .*{message}") as caught:
        next(measure_points(read_points(written(tmp_path, text)), "points.yaml"))
    assert "\n" not in str(caught.value)
