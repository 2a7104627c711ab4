"""What handlers work with."""

from __future__ import annotations

import attrs

from rtstream_async.local.chaos import Chaos
from rtstream_async.local.collections import Collections
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.hub import Hub
from rtstream_async.local.outbound import Outbound
from rtstream_async.local.pipelines.alerts import Alerts
from rtstream_async.local.pipelines.attaching import Pipelines
from rtstream_async.local.pipelines.capture_export import CaptureExporter
from rtstream_async.local.pipelines.captures import Captures
from rtstream_async.local.pipelines.capturing import Capturing
from rtstream_async.local.pipelines.director import Director
from rtstream_async.local.pipelines.export import Exporter
from rtstream_async.local.pipelines.jobs import Jobs
from rtstream_async.local.pipelines.publisher import Publisher
from rtstream_async.local.pipelines.spoken import Transcriber
from rtstream_async.local.search.search import Search
from rtstream_async.local.settings import Settings
from rtstream_async.local.store.worker import Worker
from rtstream_async.local.tokens import Tokens
from rtstream_async.supervisor import Supervisor

__all__ = ["Services"]


@attrs.frozen(kw_only=True)
class Services:
    """The parts of one running server."""

    settings: Settings
    store: Worker
    hub: Hub
    tokens: Tokens
    engines: Engines
    publisher: Publisher
    search: Search
    outbound: Outbound  #: for webhooks
    supervisor: Supervisor  #: owns what handlers leave running in the background
    director: Director
    alerts: Alerts
    pipelines: Pipelines
    collections: Collections
    captures: Captures
    capturing: Capturing
    capture_exporter: CaptureExporter
    jobs: Jobs
    exporter: Exporter
    transcriber: Transcriber
    chaos: Chaos
