"""Adapters that fill a case; none knows another."""
