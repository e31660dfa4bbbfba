"""What a model may answer about a case: the truth as the report tells it, for tests to bend."""

import json

from bot.domain.report import to_json


def honest(report):
    """Tell a report's own cascade as a model would: steps with quotes, nothing else."""
    told = to_json(report)
    return {
        "verdict": told["verdict"],
        "summary": "A scheduled job starved its neighbours, and requests failed.",
        "steps": [
            {
                "id": step["id"],
                "kind": step["mechanism"],
                "entity": step["entity"],
                "first_at": step["first_at"],
                "count": step["count"],
                "quotes": [quote(told["evidence"][key]) for key in step["evidence"][:2]],
            }
            for step in told["cascade"]["steps"]
        ],
        "links": [],
        "ruled_out": [],
        "claims": [],
    }


def quote(cited):
    """Cite what a report cites."""
    return {"item": cited["locator"].split()[0], "quote": cited["quote"], "at": cited["at"]}


def said(document):
    """Write an answer as models do: in a fence, with a word before it."""
    return f"Here is what I found.\n```json\n{json.dumps(document)}\n```"


def all_right(request, measured="yes"):
    """Answer the control questions of a request, all in the same way."""
    ids = [line.split(":", 1)[0] for line in request.splitlines() if line.startswith("Q") and ":" in line]
    return json.dumps({"answers": [{"id": one, "answer": measured} for one in ids]})
