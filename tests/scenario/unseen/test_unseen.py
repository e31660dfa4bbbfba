"""Incidents made by hand in the words of real software, which no part of the engine was written against.

Naming the wrong cause is the worst that can happen, naming one where there is none comes next; saying "inconclusive"
is allowed where an incident is marked as hard.
"""

import incidents_agents
import incidents_applications
import incidents_brokers
import incidents_callers
import incidents_calm
import incidents_control
import incidents_dependencies
import incidents_examined
import incidents_examined_calm
import incidents_examined_late
import incidents_examined_more
import incidents_growth
import incidents_last
import incidents_mechanisms
import incidents_more
import incidents_network
import incidents_none
import incidents_quorums
import incidents_replicas
import incidents_resources
import incidents_rollouts
import incidents_scaling
import incidents_schedules
import incidents_second_apps
import incidents_second_calm
import incidents_second_cluster
import incidents_second_data
import incidents_second_more
import incidents_second_near
import incidents_storage
import incidents_stores
import incidents_undecidable
import pytest
from incident_kit import Unseen

from bot.app import analyze
from bot.casefile.home import CaseHome
from bot.domain.choice import AnalystChoice
from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.report import Report

ALL = (
    *incidents_agents.INCIDENTS,
    *incidents_rollouts.INCIDENTS,
    *incidents_resources.INCIDENTS,
    *incidents_dependencies.INCIDENTS,
    *incidents_mechanisms.INCIDENTS,
    *incidents_network.INCIDENTS,
    *incidents_storage.INCIDENTS,
    *incidents_scaling.INCIDENTS,
    *incidents_schedules.INCIDENTS,
    *incidents_control.INCIDENTS,
    *incidents_more.INCIDENTS,
    *incidents_last.INCIDENTS,
    *incidents_applications.INCIDENTS,
    *incidents_callers.INCIDENTS,
    *incidents_calm.INCIDENTS,
    *incidents_stores.INCIDENTS,
    *incidents_brokers.INCIDENTS,
    *incidents_replicas.INCIDENTS,
    *incidents_quorums.INCIDENTS,
    *incidents_none.INCIDENTS,
    *incidents_undecidable.INCIDENTS,
    *incidents_examined.INCIDENTS,
    *incidents_examined_more.INCIDENTS,
    *incidents_examined_late.INCIDENTS,
    *incidents_examined_calm.INCIDENTS,
    *incidents_growth.INCIDENTS,
    *incidents_second_data.INCIDENTS,
    *incidents_second_cluster.INCIDENTS,
    *incidents_second_apps.INCIDENTS,
    *incidents_second_calm.INCIDENTS,
    *incidents_second_more.INCIDENTS,
    *incidents_second_near.INCIDENTS,
)
WITH_CAUSE = tuple(incident for incident in ALL if incident.roots)
WITHOUT = tuple(incident for incident in ALL if not incident.roots)


def named(entity: Entity) -> str:
    return f"{entity.kind}/{entity.namespace or ''}/{entity.name}"


def marked(incidents: tuple[Unseen, ...], *, judged: bool = True) -> list:
    """Give the incidents as parameters; where they are ``judged``, those amiss are expected to fail."""
    amiss = pytest.mark.xfail(reason="named wrongly so far", strict=True)
    return [
        pytest.param(
            i, id=i.name, marks=[*([pytest.mark.full] if i.full else []), *([amiss] if i.amiss and judged else [])]
        )
        for i in incidents
    ]


@pytest.fixture(scope="module")
def investigated(tmp_path_factory):
    """Give a function that builds and investigates an incident once, with a home of its own."""
    root = tmp_path_factory.mktemp("unseen")
    reports: dict[str, Report] = {}

    def investigate(incident: Unseen) -> Report:
        if incident.name not in reports:
            folder = incident.build(root / incident.name)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("ROOTCAUSE_HOME", str(root / "home"))
                reports[incident.name] = analyze(
                    str(folder),
                    question=incident.question,
                    window=None,
                    progress=lambda *_: None,
                    choice=AnalystChoice(offline=True),
                )
        return reports[incident.name]

    investigate.home = root / "home"
    return investigate


@pytest.mark.parametrize("incident", marked(WITH_CAUSE))
def test_the_cause_is_named_or_nothing_is(investigated, incident):
    """The root is one of the right ones; only of hard incidents may nothing, or less than the origin, be said."""
    report = investigated(incident)
    if report.root_cause is None:
        assert incident.hard, report.summary
        assert "inconclusive" == report.verdict
        return
    allowed = incident.roots | incident.shallow if incident.hard else incident.roots
    assert named(report.root_cause.entity) in allowed, report.summary


@pytest.mark.parametrize("incident", marked(WITHOUT))
def test_no_cause_is_invented(investigated, incident):
    """Where nothing happened, or nothing can be known, no cause is named and the verdict is an honest one."""
    report = investigated(incident)
    assert report.root_cause is None, report.summary
    assert report.verdict in incident.verdicts, report.summary


@pytest.mark.parametrize("incident", marked(ALL, judged=False))
def test_quotes_are_verbatim(investigated, incident):
    """Every quote of the report stands in the stored bytes of the item that it cites."""
    report = investigated(incident)
    with CaseHome(investigated.home).open(report.case) as case:
        for one in report.evidence.values():
            item = case.item(ItemId(one.locator.split()[0]))
            assert item is not None
            assert one.quote in item.text or one.quote.encode() in item.raw


def test_the_link_tells_which_pods_failed(investigated):
    """Two new pods fail and four old ones beside them do not: that stands in the test of the link from the rollout."""
    report = investigated(next(incident for incident in ALL if "half-rolled" == incident.name))
    assert "2 of 2 new pods failed, 0 of 4 others" in report.cascade.links[0].test


def test_an_open_report_says_what_was_growing(investigated):
    """Hours of lag before the first failure prove nothing, and are what whoever is on call wants to hear of."""
    report = investigated(next(incident for incident in ALL if "hot-partition" == incident.name))
    assert report.root_cause is None
    assert "kafka_consumergroup_lag[scans] of Namespace parcel rose from Thu 19 Mar 06:2" in report.summary
    assert "nothing shows that it leads to this" in report.summary
