"""Probes: what frozen embeddings know, asked by class texts, by classifiers and frame by frame."""
