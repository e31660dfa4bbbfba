"""The incident simulator and its scenarios."""
