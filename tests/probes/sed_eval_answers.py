"""Ask sed_eval for its answers on seeded events and print them as JSON; run where sed_eval is installed.

sed_eval 0.2.1 brings dcase_util and librosa along, which nothing else here needs, so its answers are kept in
``sed_eval_answers.json`` beside this file: ``python sed_eval_answers.py > sed_eval_answers.json``.
"""

import json
import sys
from importlib.metadata import version

import numpy as np

CLASSES = ["alarm", "blender", "cat", "dishes", "dog", "speech"]  # "dog" is never true, "dishes" never found
SECONDS = 10.0
SETTINGS = {"onset": 0.2, "offset": 0.2, "share": 0.2, "segment": 1.0}


def seeded_events(seed, clips=12):
    """Return true and found events as (clip, onset, offset, label); the found ones are shaken true ones."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for number in range(clips):
        clip = f"clip{number}.wav"
        for _ in range(rng.integers(0, 6)):
            onset = rng.uniform(0, 9)
            offset = min(onset + rng.exponential(1.5) + 0.05, SECONDS)
            label = str(rng.choice([name for name in CLASSES if name != "dog"]))
            truth.append((clip, round(onset, 4), round(offset, 4), label))
            for _ in range(rng.integers(0, 3)):
                times = sorted(np.clip(np.add([onset, offset], rng.normal(0, 0.15, 2)), 0, SECONDS))
                heard = label if rng.random() < 0.8 else str(rng.choice(CLASSES))
                if heard != "dishes":
                    found.append((clip, *(round(float(t), 4) for t in times), heard))
        if rng.random() < 0.3:
            found.append((clip, 2.05, 3.35, "dog"))
    return truth, found


def ask(truth, found):
    import sed_eval

    def as_list(events, clip):
        return [
            {"filename": c, "event_onset": on, "event_offset": off, "event_label": label}
            for c, on, off, label in events
            if c == clip
        ]

    handling = "zero_score"
    events = sed_eval.sound_event.EventBasedMetrics(
        CLASSES,
        t_collar=SETTINGS["onset"],
        percentage_of_length=SETTINGS["share"],
        empty_system_output_handling=handling,
    )
    segments = sed_eval.sound_event.SegmentBasedMetrics(CLASSES, time_resolution=SETTINGS["segment"])
    segments.empty_system_output_handling = handling
    for clip in sorted({event[0] for event in truth + found}):
        pair = as_list(truth, clip), as_list(found, clip)
        events.evaluate(*pair)
        segments.evaluate(*pair, evaluated_length_seconds=SECONDS)
    return {"event": answers_of(events), "segment": answers_of(segments)}


def answers_of(metrics):
    classwise = metrics.results_class_wise_metrics()
    f1 = {name: row["f_measure"]["f_measure"] for name, row in classwise.items()}
    return {
        "micro_f1": metrics.results_overall_metrics()["f_measure"]["f_measure"],
        "macro_f1": metrics.results_class_wise_average_metrics()["f_measure"]["f_measure"],
        "f1": {name: None if np.isnan(value) else value for name, value in f1.items()},
        "reference": {name: int(row["count"]["Nref"]) for name, row in classwise.items()},
        "detected": {name: int(row["count"]["Nsys"]) for name, row in classwise.items()},
    }


if __name__ == "__main__":
    cases = {}
    for seed in range(4):
        truth, found = seeded_events(seed)
        cases[seed] = {"truth": truth, "found": found, **ask(truth, found)}
    origin = {name: version(name) for name in ("sed_eval", "dcase_util", "numpy")}
    json.dump({"origin": origin, "settings": SETTINGS, "seconds": SECONDS, "cases": cases}, sys.stdout)
