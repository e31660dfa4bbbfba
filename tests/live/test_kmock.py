"""The cluster's reader and its recorder against somebody else's idea of the Kubernetes API: kmock, from PyPI.

It keeps objects, lists them and streams their changes. It knows no versions, pages, selectors, rights or logs, and fails when it
is asked for namespaces: so a namespace is named here, and what it cannot do is left to our own stand-in.
"""

import asyncio
import logging
import warnings

import aiohttp
import kmock
import pytest
from kube_api import written_kubeconfig
from kube_recording import recording, until
from kubernetes_situations import NOW, WINDOW, event, pod
from loopback import Loopback
from unit.export_sink import RecordingSink
from unit.test_recorder import all_time, event as recent_event, read as archived

from bot.cluster.access import ClusterAccess
from bot.sources.kubernetes import KubernetesSource

PLURALS = {"Pod": "/api/v1/namespaces/web/pods", "Event": "/api/v1/namespaces/web/events"}


class KMock(Loopback):
    """Its emulator in a thread of its own."""

    async def serve(self):
        """Answer until it is over."""
        emulator = kmock.KubernetesEmulator()
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            emulator.resources.load_bundled()
        async with kmock.Server(emulator) as server:
            self.ready_at(server.port)
            await self.over.wait()

    def put(self, *items):
        """Create objects, as a client does."""
        asyncio.run(self._put(items))

    async def _put(self, items):
        async with aiohttp.ClientSession(f"http://127.0.0.1:{self.port}") as session:
            for item in items:
                async with session.post(PLURALS[item["kind"]], json=item) as answer:
                    assert answer.status == 200

    def kubeconfig(self, folder):
        """Write a kubeconfig that leads here."""
        return written_kubeconfig(folder, f"http://127.0.0.1:{self.port}")


@pytest.fixture
def api():
    """An emulated cluster with a pod and an event."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # it reports what it does not know as its own faults
    with KMock() as running:
        running.put(pod("a"), event(1))
        yield running


def test_objects_and_events_are_read(api, tmp_path):
    """What was created there by its own means is read here, under the names of both."""
    access, sink = ClusterAccess(kubeconfig=api.kubeconfig(tmp_path)), RecordingSink()
    source = KubernetesSource(access=access, window=WINDOW, namespaces=("web",), clock=lambda: NOW)
    source.gather(sink, lambda *_: None)
    assert [("Pod", "a")] == [(each.entity.kind, each.entity.name) for each in sink.objects]
    assert ["m1"] == [each.message for each in sink.events]


def test_changes_are_recorded(api, tmp_path):
    """What is created while the recorder watches is in its archive."""
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 2)
        api.put(recent_event(7))
        until(lambda: "m7" in {each.message for each in archived(tmp_path, all_time()).events})
    assert ["a"] == [each.entity.name for each in archived(tmp_path, all_time()).objects]
