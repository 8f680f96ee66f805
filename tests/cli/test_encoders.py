import pytest

from alignkit.encoders import ENCODERS


def test_encoders_are_listed_with_what_they_are(alignkit):
    listed = alignkit("encoders", "--json").json["encoders"]
    assert set(listed) == set(ENCODERS.names())
    shown = alignkit("encoders").out
    assert all(f"{name} " in shown and summary in shown for name, summary in listed.items())


@pytest.mark.parametrize("name", ENCODERS.names())
def test_a_card_says_where_weights_come_from_and_under_which_terms(alignkit, name):
    card = alignkit("encoders", name, "--json").json["card"]
    assert card["licence"]
    assert card["weights"]
    assert card["modalities"]
    shown = alignkit("encoders", name).out
    assert card["licence"] in shown
    assert "--set NAME=VALUE" in shown


def test_an_unknown_encoder_is_refused_with_a_suggestion(alignkit):
    alignkit("encoders", "toi").refused("no encoder named 'toi'", "Did you mean 'toy'?")


def test_a_card_leaves_out_what_is_not_for_the_encoder_and_says_what_options_do(alignkit):
    yamnet, clip, clap = (alignkit("encoders", name).out for name in ("yamnet", "clip", "clap"))
    assert "image_size" not in yamnet
    assert "sample_rate" in yamnet
    assert "sample_rate" not in clip
    assert "decided by the weights\n" in clip
    for shown in (yamnet, clip, clap):
        assert "or none" not in shown
        assert "shared" not in shown
        assert "how far a row may differ in another batch" in shown
    assert '"windows" (all of it' in clap
    assert "fusion where the weights have it, windows otherwise" in " ".join(clap.split())
    assert "One of sight, sound." in alignkit("encoders", "toy").out
    assert "its rows meet those of" in alignkit("encoders", "wavbrivl").out
