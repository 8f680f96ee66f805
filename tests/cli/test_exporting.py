"""A result holds the words that make it again, and the explorer shows them: they must do so."""

import shlex

import pytest

from alignkit.explorer.papers import command_for
from alignkit.explorer.sweeps import load_sweep
from alignkit.storage import load_comparison, load_report


@pytest.mark.parametrize(
    ("words", "load"),
    [
        (("eval", "x.npy", "y.npy", "--alignment", "m.alignment", "--seed", "4", "--json"), load_report),
        (("gap", "x.npy", "y.npy", "--alignment", "m.alignment", "--no-curve", "--json"), load_report),
        (("gap", "x.npy", "y.npy", "--sweep", "--fixes", "shift", "--seeds", "2", "--json"), load_sweep),
    ],
)
def test_the_shown_command_makes_the_same_numbers(alignkit, rotated, tmp_path, words, load):
    assert alignkit("fit", "x.npy", "y.npy", "--method", "procrustes", "--out", "m.alignment").code == 0
    ran = alignkit(*words)
    (tmp_path / "r.json").write_text(ran.out)
    command, _, name = command_for(load(tmp_path / "r.json"), "r.json").partition(" > ")
    assert name == "r.json"
    again = alignkit(*shlex.split(command)[1:])
    assert again.code == 0, again.err
    assert again.json == ran.json
    assert command.startswith(f"alignkit {words[0]} x.npy y.npy ")


def test_a_comparison_is_made_again_with_its_own_options(alignkit, rotated, tmp_path):
    words = ("compare", "x.npy", "y.npy", "--methods", "identity,ridge", "--seeds", "2", "--metrics", "mrr")
    assert alignkit(*words, "--out", "a.compare.json").code == 0
    first = load_comparison(tmp_path / "a.compare.json")
    command = command_for(first, "b.compare.json")
    assert alignkit(*shlex.split(command)[1:]).code == 0
    again = load_comparison(tmp_path / "b.compare.json")
    assert (again.scores, again.tests, again.context) == (first.scores, first.tests, first.context)
    assert "--out a.compare.json" not in command
