# SPDX-License-Identifier: Apache-2.0
"""The providers are those that are global at `instrument()`, each time; no order of setting and resetting loses a call.

Each life is a line of steps. In all of them, each call must be counted by the provider that is global when it is made.
"""

from __future__ import annotations

import json

import pytest

from after200.faults import FaultServer

from .processes import Run

PROGRAM = """
    import json, os
    import anthropic
    from opentelemetry import metrics
    from opentelemetry.metrics import _internal
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.util._once import Once
    from after200 import AnthropicInstrumentor

    REQUEST = dict(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}], stream=True)
    client = anthropic.Anthropic(api_key="none", base_url=os.environ["URL"])

    def reset():
        # As the test utilities of OpenTelemetry do.
        _internal._METER_PROVIDER_SET_ONCE = Once()
        _internal._METER_PROVIDER = None
        _internal._PROXY_METER_PROVIDER = _internal._ProxyMeterProvider()

    def calls(reader):
        data = reader.get_metrics_data()
        return [] if data is None else [
            point.value if metric.name == "after200.calls" else point.count
            for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics
            if metric.name in ("after200.calls", "gen_ai.client.operation.duration")
            for point in metric.data.data_points
            if metric.name != "after200.calls" or point.value
        ]

    def live(steps):
        reset()
        readers, explicit = [], {}
        for step in steps:
            if step == "instrument":
                AnthropicInstrumentor().instrument(skip_dep_check=True, spans="none", **explicit)
            elif step == "uninstrument":
                AnthropicInstrumentor().uninstrument()
            elif step == "set":
                readers.append(InMemoryMetricReader())
                metrics.set_meter_provider(MeterProvider([readers[-1]], shutdown_on_exit=False))
            elif step == "name":
                explicit = {"meter_provider": metrics.get_meter_provider()}
            elif step == "reset":
                reset()
            else:
                list(client.messages.create(**REQUEST))
        if AnthropicInstrumentor().is_instrumented_by_opentelemetry:
            AnthropicInstrumentor().uninstrument()
        return [calls(reader) for reader in readers]

    for line in json.loads(os.environ["LIVES"]):
        print(json.dumps(live(line.split())))
"""

LIVES = {
    "set instrument call uninstrument": [[1, 1]],
    "instrument set call uninstrument instrument call": [[2, 2]],
    "set instrument call uninstrument instrument call": [[2, 2]],
    "set instrument call uninstrument reset set instrument call call": [[1, 1], [2, 2]],
    "instrument set call uninstrument reset set instrument call call": [[1, 1], [2, 2]],
    "set instrument call reset set uninstrument instrument call": [[1, 1], [1, 1]],
    "instrument set call reset set uninstrument instrument call": [[1, 1], [1, 1]],
    "instrument uninstrument reset instrument set call uninstrument instrument call": [[2, 2]],
    "instrument set call uninstrument name instrument call": [[2, 2]],
    "instrument set name call reset uninstrument set instrument call": [[2, 2], []],
}


def test_each_call_is_counted_once_by_the_provider_that_is_global_at_instrument(run: Run, server: FaultServer) -> None:
    lives = json.dumps(list(LIVES))
    found = map(json.loads, run(PROGRAM, URL=server.base_url("completed"), LIVES=lives).splitlines())
    assert LIVES == dict(zip(LIVES, found, strict=True))


def test_the_meter_of_a_provider_that_is_not_set_yet_knows_the_real_one_later() -> None:
    """What `Instruments.write_to` relies on, which OpenTelemetry's API does not promise."""
    metrics = pytest.importorskip("opentelemetry.metrics._internal")
    meter = metrics._ProxyMeterProvider().get_meter("a scope")
    assert meter._real_meter is None
