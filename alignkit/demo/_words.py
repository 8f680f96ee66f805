"""What the page calls things: methods, measures and the rows of the picture grid, each with a remark."""

METHODS = {
    "procrustes": "Procrustes",
    "ridge": "ridge",
    "cca": "CCA",
    "whitened_rotation": "whitened rotation",
}
MEASURES = {
    "centroid_distance": ("centroid distance", "0: the clouds share a centre"),
    "mean_paired_cosine": ("mean paired cosine", "1: every row lies on its partner"),
    "relative_modality_gap": ("relative modality gap", "0: partners meet; 0.5: as far apart as strangers"),
    "same_modality_share": ("same-modality neighbours", "share of the 10 nearest; 0.5: mixed"),
    "linear_separability": ("linear separability", "0.5: no plane tells the sides apart"),
}
VARIANTS = {
    "truth": ("the truth", "both cameras"),
    "seen": ("camera A alone", "tinted: not seen"),
    "mapped": ("mapped and drawn", "A’s row → map → decoder"),
    "ceiling": ("ceiling", "B’s own row → decoder"),
    "mapped, nearest": ("nearest real digit", "found, not drawn"),
    "mean": ("mean", "the same for every digit"),
    "another digit": ("control", "another digit’s row, mapped"),
}
FLOORS = {"unaligned": "no map", "chance": "a shuffled gallery"}
DIRECTIONS = {"forward": "A finds B", "backward": "B finds A"}
CAMERAS = ("camera A", "camera B")
LEVEL = "value, 95 % interval"
