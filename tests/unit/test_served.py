"""Requests that never succeeded."""

import pytest

from bot.signals.lexicon import classify
from bot.signals.served import never_served, served

LINES = (
    '<*> - - [<*>] "POST /upload HTTP/1.1" 200 <*> "-" "curl/<*>"',
    '<*> - - [<*>] "POST /upload HTTP/1.1" 413 <*> "-" "okhttp/<*>"',
    '<*> - - [<*>] "GET /wp-login.php HTTP/1.1" 404 <*> "-" "scan"',
    '{"level":"info","method":"GET","path":"/orders","status":200}',
    '{"level":"info","method":"GET","path":"/orders","status":404}',
    '{"level":"info","method":"GET","path":"/old","status":404}',
)


@pytest.mark.parametrize(
    ("line", "status", "never"), [(1, "413", False), (2, "404", True), (4, "404", False), (5, "404", True)]
)
def test_what_was_served_once_can_have_been_broken(line, status, never):
    """Whoever asked, the same request succeeded at another time, or it never did."""
    ever = served(LINES, [classify(one) for one in LINES])
    assert never == never_served([LINES[line]], status, ever)
