"""The recorder: watches a cluster and keeps what it forgets, so that an investigation days later can still read it."""

from bot.recorder.recorder import CONNECTIONS, Recorder, RecorderPlan

__all__ = ["CONNECTIONS", "Recorder", "RecorderPlan"]
