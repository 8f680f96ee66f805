"""Image to sound must return the factors; a shuffled map must not."""

import json
import re
from urllib.parse import unquote

import pytest

from alignkit.decoder_checks import check_decoder
from alignkit.demo.factor_audition import STATED, hear_factors, verdict, write_factors
from alignkit.demo.factors import FACTORS, build_factors
from alignkit.errors import OutputError
from alignkit.formats import open_embeddings


@pytest.mark.parametrize("seed", [0, 1])
def test_pictures_are_heard_with_their_factors_within_the_stated_error_and_not_through_a_broken_map(seed):
    world = build_factors(400, 60, seed=seed)
    _, decoder, report = hear_factors(world, seed=seed)
    for name in FACTORS:
        found = {variant: scores[name] for variant, scores in report.sections.items()}
        assert found["mapped"].high < STATED
        assert found["ceiling"].value < STATED
        assert found["shuffled map"].low > STATED
        assert found["guess"].value > 0.2
    assert "all keep it, through one of shuffled pairs none does" in verdict(report)
    report.sections["mapped"] = report.sections["guess"]
    assert "NOT all keep it" in verdict(report)
    check_decoder(decoder)


def test_the_demo_writes_media_spaces_map_report_and_page(tmp_path):
    page, report = write_factors(tmp_path / "out")
    assert set(report.sections) == {"mapped", "ceiling", "shuffled map", "guess"}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "audition",
        "pictures",
        "sounds",
        "eye.space",
        "ear.space",
        "eye-to-ear.alignment",
        "report.json",
    }
    addresses = re.findall(r'src="([^"]+)"', page.read_text())
    assert addresses
    assert all((page.parent / unquote(address)).is_file() for address in addresses)
    for name, kind in (("eye", "image"), ("ear", "audio")):
        side = open_embeddings(tmp_path / "out" / f"{name}.space")
        media = [tmp_path / "out" / path for path in side.items["path"].to_pylist()]
        assert [path.stem for path in media] == side.ids.to_pylist()
        assert all(path.is_file() for path in media)
        assert side.modality == kind
    written = json.loads((tmp_path / "out" / "report.json").read_text())
    assert set(report.sections) < set(written)
    with pytest.raises(OutputError, match="exists already"):
        write_factors(tmp_path / "out")
