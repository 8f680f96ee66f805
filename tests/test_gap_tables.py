from alignkit.gap_tables import place, text
from alignkit.reports import Report, Score

ABOVE = Score(0.9, 0.8, 1.0, 400, chance=0.1, chance_low=0.05, chance_high=0.2)
CURVE = {"items": [25, 50, 100, 200], "value": [0.95, 0.94, 0.92, 0.91]}


def report(**curves):
    scores = {"centroid_distance": ABOVE, "mmd": Score(0.1, 0.0, 0.2, 400)}
    return Report("gap", {"measures": scores}, {"curve": {"measures": curves}} if curves else {})


def test_a_value_stands_beside_its_null_band_and_on_which_side_it_lies():
    lines = text(report()).splitlines()
    assert lines[1].split()[-5:] == ["null", "0.1000", "[0.0500,", "0.2000]", "above"]
    assert lines[2].split() == ["mmd", "0.1000", "[0.0000,", "0.2000]", "n=400"]


def test_what_fewer_rows_say_stands_at_the_end():
    assert text(report(centroid_distance=CURVE)).splitlines()[1].endswith("above  at 100: 0.9200")


def test_below_and_within_are_said_as_well():
    band = {"chance": 0.1, "chance_low": 0.05, "chance_high": 0.2}
    assert [place(Score(value, **band)) for value in (0.01, 0.1, 0.3)] == ["below", "within", "above"]
    assert place(Score(0.1)) == ""
