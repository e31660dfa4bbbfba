"""The outermost frame of the command line: every failure becomes one sentence and a documented exit code.

What a person may read is in the exception tree of ``bot.errors``. Anything else is a fault of this program: its traceback
goes to a file, for a screen full of frames helps nobody who is in the middle of an incident.
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence

import click

from bot.cli.application import Application
from bot.cli.commands import rootcause
from bot.cli.eval_commands import evaluate
from bot.errors import RootcauseError, UsageError

OK = 0
ERROR = 1
USAGE = 2

rootcause.add_command(evaluate)


def run(arguments: Sequence[str], application: Application | None = None) -> int:
    """Run one command and return its exit code; ``application`` stands in for the real one in tests."""
    arguments = list(arguments)
    _encode_leniently()
    try:
        code = rootcause.main(arguments, prog_name="rootcause", standalone_mode=False, obj=application)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _say("stopped; nothing was kept", ERROR)
    except BrokenPipeError:
        return _gone()
    except RootcauseError as error:
        _drop_what_cannot_be_written()
        return _say(str(error), USAGE if isinstance(error, UsageError) else ERROR)
    except Exception as error:  # the outermost frame
        if "--debug" in arguments:
            raise
        return _fault(error)
    return code if isinstance(code, int) else OK


def _say(sentence: str, code: int) -> int:
    click.echo(f"rootcause: {sentence}", err=True)
    return code


def _fault(error: Exception) -> int:
    told = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="rootcause-fault-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as log:
            log.write(told)
    except OSError:
        where = "the disk takes no log of it; run again with --debug to see it"
    else:
        where = f"the details are in {log.name}; please attach them to a bug report"
    return _say(f"this is a fault of the program, not of your export ({type(error).__name__}): {where}.", ERROR)


def _gone() -> int:
    # the reader (head, less) has closed: give the interpreter a place to flush to, or it complains at its end
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ERROR


def _drop_what_cannot_be_written() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _gone()


def _encode_leniently() -> None:
    # a terminal that is not UTF-8 gets a question mark instead of an exception
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
