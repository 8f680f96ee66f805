"""Exact ranks of known positives, from one blocked product."""
