"""VEGAS, five classes: how often a picture made for a sound is recognised as the sound's class."""

from alignkit.retrieval.protocols._card import Card, Figure, Side
from alignkit.retrieval.protocols._classes import ZeroShot


class Vegas5(ZeroShot):
    """Made pictures, embedded by CLIP, look for the text of the class of the sound they were made from."""

    card = Card(
        name="vegas-5",
        task="zero-shot",
        data="VEGAS, five of its ten classes: pictures made from its sounds",
        queries=Side("made pictures", None, ("label",)),
        gallery=Side("class texts", 5),
        relevance="the text of the class of the sound that a picture was made from",
        positives=(1, 1),
        metrics=("hit@1", "mrr"),
        headline=("forward hit@1",),
        called={"hit@1": "R@1"},
        paper="Zhou et al. (2018), Visual to sound, for the data; Sound2Scene and WavBriVL for the measure",
        source="R@1 in Sound2Scene and WavBriVL: CLIP's zero-shot class of a made picture is the sound's",
        published=(Figure("WavBriVL, R@1", 0.8131, "WavBriVL's table, quoted at second hand"),),
        notes=(
            "which five classes, how many sounds a class and which prompts: unverified here",
            "the judge must not be the model that chose or guided the pictures",
        ),
    )
