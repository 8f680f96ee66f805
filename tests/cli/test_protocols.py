import pytest

from alignkit.retrieval.protocols import PROTOCOLS


def test_every_protocol_is_listed_and_shows_its_card(alignkit):
    listed = alignkit("protocols").out.splitlines()
    assert [line.split()[0] for line in listed] == [name.replace("_", "-") for name in PROTOCOLS.names()]
    assert list(alignkit("protocols", "--json").json["protocols"]) == [line.split()[0] for line in listed]
    for line in listed:
        name = line.split()[0]
        assert name in alignkit("protocols", name).out
        assert alignkit("protocols", name, "--json").json["schema"] == "alignkit.protocol/1"


def test_a_card_names_chance_and_source(alignkit):
    card = alignkit("protocols", "vggsound-instance").out
    assert "15,446" in card or "15446" in card
    assert "Wav2CLIP" in card
    assert "chance" in card


@pytest.mark.parametrize("name", ["coco", "coco-6k"])
def test_an_unknown_protocol_is_refused_with_the_nearest(alignkit, name):
    alignkit("protocols", name).refused(name, "Did you mean", "coco")
