"""The command ``rootcause``, also as ``python -m bot``."""

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        from bot.cli.frame import run  # noqa: PLC0415 - Ctrl-C during the first imports is no fault either

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("rootcause: stopped; nothing was kept\n")
        code = 1
    # CPython remembers an interrupt inside exec(), by which dataclasses are made, and would die of it at the end in
    # spite of the exit code; the next exec() forgets it (run_eval_code_obj in pythonrun.c)
    exec("")  # noqa: S102 - it runs nothing
    sys.exit(code)


if __name__ == "__main__":
    main()
