"""Intervals, tests and power, from resampling whose streams are bit-reproducible."""
