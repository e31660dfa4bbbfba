"""What a report says where the symptom is not what was asked about: only what is so, and only what the question names here."""

from dataclasses import replace

import pytest
from test_advice import findings
from test_conclusion import chain_of
from test_symptom_choice import ALL, CART, CHECKOUT, DAY, KNOWN, LOOPS, PAID, REFUSED, SEARCH, chosen
from test_undecided import link

from bot.analyst.asked import absent_words, asked_words, instead_words, standing_words
from bot.analyst.findings import Answered
from bot.domain.signal import Topology
from bot.investigation.conclude import wish_of


def found(question, signals=ALL):
    """Give the findings of a question over these signals, as they are put together."""
    choice, wish = chosen(question, signals), wish_of(question, signals, DAY)
    answered = Answered(
        fit=choice.fit, words=wish.words, spans=wish.spans, beside=choice.beside, standing=choice.standing
    )
    return replace(
        findings(*signals), window=DAY, question=question, symptom=choice.symptom, answered=answered, links=()
    )


@pytest.mark.parametrize(
    ("question", "signals", "said"),
    [
        ("checkout 502 since 14:00", (PAID, KNOWN), ""),
        ("", (PAID, KNOWN), ""),
        ("is it the release of cart?", (PAID, KNOWN), ""),
        ("cart 502s", (PAID, KNOWN), " You asked about cart, which these failures do not name."),
        ("why the 5xx of cart?", (PAID, KNOWN), " You asked about cart, which these failures do not name."),
        (
            "cart 500s since 11:00",
            (REFUSED, KNOWN),
            " You asked about HTTP 500 of cart: of that nothing rises, and this is what is nearest to it. You asked about 11:00: nothing of it rose then.",
        ),
        ("checkout 502s at 03:00", (PAID,), " You asked about 03:00: nothing of it rose then."),
    ],
)
def test_what_is_unlike_the_question_is_said(question, signals, said):
    """The thing, the status and the time that were asked about, each where what was found is not of it."""
    assert asked_words(found(question, signals), None) == said


def test_another_trouble_is_told_beside_where_nothing_ties_it():
    """Search fails as well: told, but for where it stands on the cascade, or a supported tie leads to it."""
    case = found("checkout 502", (PAID, REFUSED))
    assert asked_words(case, None).startswith(" Beside it, and nothing ties them together: ")
    tie = replace(case, links=(link(PAID, REFUSED, status="supported"),))
    assert asked_words(tie, None) == ""
    loose = replace(case, links=(link(PAID, REFUSED, status="refuted"),))
    assert asked_words(loose, None) != ""
    assert asked_words(case, chain_of(KNOWN, PAID)) != ""
    at_search = replace(KNOWN, entity=SEARCH)
    assert asked_words(case, chain_of(at_search, PAID)) == ""


def test_what_is_not_there_is_said_to_be_so():
    """Nothing of cart rises: what does is named; in a calm window that goes for the cart as well, and not for a suspect."""
    case = found("why is cart failing?", (REFUSED, KNOWN))
    assert instead_words(case).startswith("You asked about cart: nothing of it rises above the everyday in these 1 d. ")
    assert instead_words(found("checkout 502", (PAID, KNOWN))) == ""
    calm = found("why is cart failing?", (KNOWN,))
    assert (instead_words(calm), absent_words(calm)) == ("", " That goes for cart as well, which you asked about.")
    assert absent_words(found("was it cart?", (KNOWN,))) == ""


def test_what_went_on_all_along_is_told_by_name():
    """A loop that was there before the window is told in a calm one, and in how many others it is so."""
    assert standing_words(found("", (KNOWN,))) == ""
    assert "all along, from before it began: ask about it by its name." in standing_words(found("", (LOOPS, KNOWN)))


@pytest.mark.parametrize(
    ("calls", "fit"), [(frozenset(), "absent"), (frozenset({(CART, SEARCH)}), "nearest")], ids=["apart", "it calls it"]
)
def test_what_a_named_thing_calls_may_be_how_it_fails(calls, fit):
    """Nothing of cart rises; what it calls fails, and that may be meant."""
    assert chosen("why is cart failing?", (REFUSED, KNOWN), Topology(calls=calls)).fit == fit


def test_what_shares_a_namespace_is_no_other_trouble():
    """Two services of one shop that fail are not told as two matters."""
    other = replace(REFUSED, mentions=(CART,))
    assert chosen("checkout 502", (PAID, other)).beside == ()
    assert chosen("checkout 502", (PAID, REFUSED)).beside == (REFUSED,)
    assert CHECKOUT.namespace == CART.namespace
