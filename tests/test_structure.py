"""The shape of the code: what keeps every file small enough to hold in one's head, and the repository free of places."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = sorted(path for top in ("bot", "tests") for path in (ROOT / top).rglob("*.py"))
FILE_LINES = 400
FUNCTION_LINES = 60
TEXTS = [
    *CODE,
    *sorted(ROOT.glob("*.md")),
    *(
        ROOT / name
        for name in (
            "Makefile",
            "pyproject.toml",
            ".ci/run",
            ".ci/install",
            "requirements.lock",
            "requirements-dev.lock",
        )
    ),
]
OUTERMOST = {
    "bot/cli/frame.py": "of a command",
    "bot/investigation/watch.py": "of a prediction that is come back for",
    "bot/investigation/gather.py": "of a source's thread",
    "bot/investigation/workflow.py": "of an ask",
    "bot/investigation/workflow_process.py": "of a child process",
    "bot/models/bridge.py": "of a call's thread",
    "bot/investigation/outbox.py": "of a courtesy beside the answer",
    "bot/web/socket_watch.py": "of a watch",
}
"""The outermost frames, each with what it is one of."""
TOP_LEVEL = {
    *("pyproject.toml", "bot", "manifests", "tests", "fixtures", "Procfile", "README.md", "LICENSE", "Makefile"),
    *(
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "requirements.lock",
        "requirements-dev.lock",
    ),
    *(".gitignore", ".ci", ".git"),
}


def name(path):
    """Name a file as one reads it in the repository."""
    return path.relative_to(ROOT).as_posix()


def tree(path):
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path):
    """Give every function of a file with its length in lines, decorators and docstring left out."""
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield node.name, (node.end_lineno or 0) - body[0].lineno + 2


@pytest.mark.parametrize("path", CODE, ids=name)
def test_a_file_fits_a_head(path):
    """No file is longer than 400 lines."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES


@pytest.mark.parametrize("path", CODE, ids=name)
def test_a_function_fits_a_screen(path):
    """No function is longer than 60 lines."""
    assert [] == [(called, lines) for called, lines in functions(path) if lines > FUNCTION_LINES]


def test_only_settings_read_the_environment():
    """Everything else is told where it lives."""
    readers = [
        name(path)
        for path in sorted((ROOT / "bot").rglob("*.py"))
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "getenvb"})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {"environ", "getenv"} & {n.name for n in node.names}
        )
    ]
    assert {"bot/settings/environment.py"} >= set(readers)


def test_detectors_do_not_know_each_other():
    """A module of the digest that is named *_signals imports no other such module."""
    detectors = {path.stem for path in (ROOT / "bot" / "signals").rglob("*_signals.py")}
    known = [
        (name(path), each)
        for path in (ROOT / "bot" / "signals").rglob("*_signals.py")
        for node in ast.walk(tree(path))
        for each in _imported(node)
        if each in detectors - {path.stem}
    ]
    assert [] == known


def _imported(node):
    if isinstance(node, ast.ImportFrom):
        return [*(node.module or "").split("."), *(each.name for each in node.names)]
    if isinstance(node, ast.Import):
        return [part for each in node.names for part in each.name.split(".")]
    return []


def test_only_the_outermost_frames_catch_everything():
    """``except Exception`` stands at the edge; inside, only what tidies up and raises again."""
    catchers = {
        name(path)
        for path in (ROOT / "bot").rglob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node) and not _raises_again(node)
    }
    assert set(OUTERMOST) >= catchers


def _catches_everything(node):
    return node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})


def _raises_again(node):
    return isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "tests/bench/requirements.lock"])
def test_a_lock_names_no_registry_and_hashes_everything(lock):
    """Packages come from wherever the machine's pip gets them, and only as they were locked."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.search(r"https?://|file:|index-url|find-links", text) is None
    packages = re.findall(r"^[a-z0-9][^\n]*(?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)*", text, re.MULTILINE)
    assert packages
    assert [] == [each for each in packages if "--hash=" not in each]


def test_both_locks_agree():
    """What runs is what is tested."""

    def pins(lock):
        return set(re.findall(r"^([a-z0-9][^ ]+==[^ ]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))

    assert set() == pins("requirements.lock") - pins("requirements-dev.lock")


@pytest.mark.parametrize("path", [path for path in TEXTS if path.exists()], ids=name)
def test_no_file_speaks_of_a_machine(path):
    """No home folder, no scratch folder, no private host."""
    places = re.compile(r"/(?:home|root|Users|work|tmp|opt)/[A-Za-z]" + r"|[A-Z]:\\Users")
    found = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if places.search(line)]
    assert [] == found


def test_the_top_level_stays_as_it_is():
    """A new folder at the top is a decision, not an accident; caches do not count."""
    tracked = {
        path.name for path in ROOT.iterdir() if not path.name.startswith(".") and not path.name.endswith("egg-info")
    }
    assert set() == tracked - TOP_LEVEL - {"build", "dist"}
