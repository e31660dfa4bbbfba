"""Finds the tested root cause of an incident in everything its window holds."""

__version__ = "0.1.0"
