"""What the tests against real servers share: a home that bots have used, and databases."""

from durable_home import prepared
from live.postgres import databases

__all__ = ["databases", "prepared"]
