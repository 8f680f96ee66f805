"""Exact retrieval evaluation: ranks as intervals, metrics with chance level and interval."""
