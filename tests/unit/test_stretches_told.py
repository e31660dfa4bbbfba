"""What is said of causes that last: how long each took, and how often one passed without the symptom."""

from engine_parts import signal

from bot.analyst.controls import stretches_met
from bot.analyst.steps import summary_of
from bot.domain.entity import Entity
from bot.domain.signal import Kind

API = Entity(kind="Deployment", name="api", namespace="shop")
EDGE = Entity(kind="Deployment", name="edge", namespace="shop")
HOUR_S = 3600.0


def throttled(*hours):
    """Give throttling that began every day at six, for so many hours."""
    return signal(
        Kind.CPU_THROTTLING,
        API,
        [6 + 24 * day for day in range(len(hours))],
        length_s=[HOUR_S * each for each in hours],
    )


def test_one_length_is_said_where_it_is_usual():
    """A single odd one among many does not count."""
    assert summary_of(throttled(15, 15, 15, 16, 15, 1)).endswith("6 times, 15 h each")


def test_a_range_is_said_where_no_length_is_usual():
    """The middle of ten minutes and sixteen hours is nobody's length."""
    assert summary_of(throttled(16, 0.2, 10, 0.5)).endswith("4 times, 12 min to 16 h each")


def test_a_stretch_without_an_episode_is_counted_and_a_fragment_is_not():
    """Of four days of throttling three had an episode; ten minutes of it at dawn are no fifth day."""
    felt = signal(Kind.TIMEOUT, EDGE, [9, 33, 57], length_s=10 * HOUR_S)
    assert (3, 4, 1.6 * HOUR_S) == stretches_met(throttled(16, 16, 15, 16, 0.2), felt)
    assert (3, 3, None) == stretches_met(throttled(16, 16, 15), felt)
