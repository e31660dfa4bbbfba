"""The page of measured figures: a row each, whatever another does, and which are missed."""

from bench.figures import Figure, guarded, page


def figure(name, kept):
    """Give a figure."""
    return Figure(name=name, shown="1 s", limit="≤ 2 s", kept=kept)


def test_a_part_that_fails_is_a_missed_row_and_stops_none():
    """What it measured before stands, its failure is told, and the parts after it are measured."""

    def broken():
        yield figure("first", True)
        raise ValueError("no such column")

    said = []
    parts = [*guarded("broken", broken), *guarded("whole", lambda: [figure("last", None), figure("slow", False)])]
    missed = page(parts, said.append)
    assert ["broken", "slow"] == [one.name for one in missed]
    assert ["ok", "MISSED", "?", "MISSED"] == [line.split()[0] for line in said[:4]]
    assert "failed: ValueError: no such column" in said[1]
    assert "".join(said[4:]).strip() == "1 figures keep their limit, 2 do not: broken, slow"


def test_nothing_missed_is_said_too():
    """The list of what is missed is the exit code's reason."""
    said = []
    assert [] == page([figure("one", True)], said.append)
    assert "".join(said[1:]).strip() == "1 figures keep their limit, 0 do not"
