"""Holds what the program prints against the JSON contract, and against what a schema cannot say."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

SCHEMA = json.loads((Path(__file__).parents[1] / "report.schema.json").read_text("utf-8"))


def broken_rules(document, part):
    """Give every rule of the contract that a ``report`` or an ``answer`` breaks, in words."""
    schema = {"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]}
    checker = Draft202012Validator(schema, format_checker=FormatChecker())
    broken = [f"{each.json_path}: {each.message[:200]}" for each in checker.iter_errors(document)]
    return broken + (_loose_ends(document) if part == "report" and not broken else [])


def _loose_ends(report):
    """Find citations of nothing, links out of order, a root that is not the first step, episodes that do not add up."""
    cited = [
        key
        for part in ("contributing", "ruled_out", "control_questions", "claims")
        for each in report[part]
        for key in each["evidence"]
    ] + [key for step in report["cascade"]["steps"] for key in step["evidence"]]
    broken = [f"{key} is cited and not there" for key in cited if key not in report["evidence"]]
    order = {step["id"]: at for at, step in enumerate(report["cascade"]["steps"])}
    broken += [
        f"{link['cause']} does not come before {link['effect']}"
        for link in report["cascade"]["links"]
        if not order.get(link["cause"], len(order)) < order.get(link["effect"], -1)
    ]
    if report["root_cause"] and report["root_cause"]["entity"] != report["cascade"]["steps"][0]["entity"]:
        broken.append("the root cause is not the first step")
    if report["symptom"]:
        told = [each["explained"] for each in report["symptom"]["episodes"]]
        if (told.count(True), told.count(False)) != (report["symptom"]["explained"], report["symptom"]["unexplained"]):
            broken.append("the explained and unexplained episodes do not add up")
    return broken
