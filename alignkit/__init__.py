"""Align, measure and listen to embedding spaces."""
