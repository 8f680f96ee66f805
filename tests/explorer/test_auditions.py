import pytest

from alignkit.errors import DataError, OutputError
from alignkit.explorer.auditions import VOTES, blind_order, load_audition, tally, vote, votes


@pytest.fixture
def heard(folder, tmp_path):
    (tmp_path / "audition.json").write_text((folder / "heard" / "audition.json").read_text())
    return load_audition(tmp_path)


def test_items_and_variants_are_read_in_order(heard):
    assert heard.variants == ("mapped", "ceiling", "floor")
    assert heard.items[1].media["floor"] == ("1-floor.wav",)
    assert (heard.context["seed"], heard.request) == (0, "r1")


def test_votes_are_stored_beside_the_audition_and_counted_blind(heard):
    for item in heard.items:
        order = blind_order(item.id, ("mapped", "floor"), 3)
        vote(heard, item.id, order, "AB"[order.index("mapped")])
    vote(heard, heard.items[0].id, ("floor", "mapped"), "tie")
    found = tally(votes(heard), "mapped", "floor")
    assert (found.wins, found.losses, found.ties, found.p) == (3, 0, 1, 0.25)
    assert tally(votes(heard), "floor", "mapped").losses == 3
    assert len((heard.folder / VOTES).read_text().splitlines()) == 4


def test_the_order_is_fixed_by_item_and_seed_and_mixes_both():
    pair = ("mapped", "floor")
    orders = [blind_order(f"item-{n}", pair, 1) for n in range(400)]
    assert orders == [blind_order(f"item-{n}", pair, 1) for n in range(400)]
    assert 150 < orders.count(pair) < 250


def test_a_vote_on_nothing_and_a_linked_file_are_refused(heard, tmp_path):
    for item, order, choice in (
        ("nobody", ("mapped", "floor"), "A"),
        ("item-01", ("mapped", "best"), "A"),
        ("item-01", ("mapped", "floor"), "C"),
    ):
        with pytest.raises(DataError, match="there is no vote"):
            vote(heard, item, order, choice)
    (tmp_path / VOTES).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is a link"):
        vote(heard, "item-01", ("mapped", "floor"), "A")


@pytest.mark.parametrize(
    "whole", ["{", "[]", '{"files": []}', '{"files": [{"id": 1}]}', '{"files": [3]}', '{"state": "drawing"}']
)
def test_a_damaged_audition_says_what_to_do(tmp_path, whole):
    (tmp_path / "audition.json").write_text(whole)
    with pytest.raises(DataError, match="alignkit audition"):
        load_audition(tmp_path)


def test_a_damaged_line_and_votes_on_other_media_are_left_out(heard):
    vote(heard, "item-01", ("mapped", "floor"), "A")
    line = (heard.folder / VOTES).read_text()
    (heard.folder / VOTES).write_text('{"item": 1}\nnonsense\n' + line + line.replace('"r1"', '"r0"'))
    assert len(votes(heard)) == 1
