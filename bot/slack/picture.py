"""The timeline as a picture, drawn in a thread because drawing computes; none where this installation cannot draw."""

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable

from bot.domain.report import Report

log = logging.getLogger(__name__)

Picture = Callable[[Report], Awaitable[tuple[bytes, str] | None]]
"""Gives the PNG and its alt text, or None where there is nothing to draw or to draw with."""


async def no_picture(report: Report) -> tuple[bytes, str] | None:
    """Draw nothing."""
    del report
    return None


async def timeline_picture(report: Report) -> tuple[bytes, str] | None:
    """Draw the timeline."""
    if report.symptom is None:
        return None
    return await asyncio.to_thread(_draw, report)


def _draw(report: Report) -> tuple[bytes, str] | None:
    try:
        drawing = importlib.import_module("bot.charts.timeline_png")
    except ImportError:
        log.warning("no picture: the drawing library is not installed")
        return None
    return drawing.timeline_png(report), drawing.alt_text(report)
