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
