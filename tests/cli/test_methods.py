def test_every_method_of_the_issue_is_listed_with_a_sentence(alignkit):
    answer = alignkit("methods", "--json").json
    assert answer["schema"] == "alignkit.methods/1"
    listed = answer["methods"]
    assert {
        "identity",
        "mean_shift",
        "procrustes",
        "least_squares",
        "ridge",
        "cca",
        "whitened_rotation",
    } <= set(listed)
    assert all(sentence.endswith(".") for sentence in listed.values()), listed


def test_options_of_a_method_are_shown_with_defaults(alignkit):
    ran = alignkit("methods", "ridge")
    assert ran.code == 0, ran.err
    assert "alpha = " in ran.out
    answer = alignkit("methods", "mean-shift", "--json").json
    assert (answer["schema"], answer["method"]) == ("alignkit.method/1", "mean_shift")


def test_unknown_method_gets_a_suggestion(alignkit):
    alignkit("methods", "ridgge").refused("Did you mean 'ridge'")
