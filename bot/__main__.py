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
    sys.exit(code)


if __name__ == "__main__":
    main()
