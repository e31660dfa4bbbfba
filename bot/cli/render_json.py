"""The JSON face: the documented contract, for programs.

Printed in plain ASCII: what an incident's logs contain cannot reach a terminal as a control sequence, and no encoding of
standard output can garble it. Numbers JSON has no word for (NaN, infinities) become null.
"""

import json
import math
from typing import Any

from bot.domain.report import Answer, Report, to_json


def render_json(document: Report | Answer) -> str:
    """Print a report or an answer as its JSON document, with a line end."""
    return as_json(to_json(document))


def as_json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Print any plain value as indented ASCII JSON, with a line end."""
    return json.dumps(_finite(value), indent=2, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return value
