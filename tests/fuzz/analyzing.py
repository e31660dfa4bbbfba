"""Runs the whole command on one export, and prints the peak of this process in megabytes, the exit code and the report."""

import contextlib
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from peak import peak_mb

from bot.cli.frame import run

if __name__ == "__main__":
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["analyze", sys.argv[1], "--quiet", "--format", "json"])
    report = json.loads(out.getvalue() or "null")
    print(json.dumps({"peak": peak_mb(), "code": code, "report": report, "said": err.getvalue()}))  # noqa: T201 - its output
