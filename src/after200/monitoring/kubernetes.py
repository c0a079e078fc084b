# SPDX-License-Identifier: Apache-2.0
"""Dashboards, rules and the way of the telemetry as resources of a Kubernetes cluster.

A policy comes in, manifests go out, for `kubectl apply -k`. The kinds are those of the Prometheus Operator
(`PrometheusRule`, `ServiceMonitor`), of the OpenTelemetry Operator (`OpenTelemetryCollector`, `Instrumentation`), and
`ConfigMap`, in which the sidecar of Grafana's Helm chart looks for dashboards.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from after200.monitoring.alerts import alert_groups
from after200.monitoring.files import all_boards, to_json, to_yaml
from after200.monitoring.policy import Policy
from after200.monitoring.recording import recording_groups
from after200.monitoring.rendering import render_templates

NAMESPACE: Final = "observability"
"""The namespace, where none is named."""
NAME: Final = "after200"
LABELS: Final = {"app.kubernetes.io/part-of": NAME}
DASHBOARD_LABEL: Final = {"grafana_dashboard": "1"}
"""What the sidecar of Grafana's Helm chart looks for."""
FOLDER: Final = {"grafana_folder": NAME}
"""The annotation from which the sidecar takes the folder, where its setting `folderAnnotation` names it."""
STORES: Final = {"TEMPO_URL": "http://tempo:4318", "LOKI_URL": "http://loki-gateway/otlp"}
"""Where the Collector sends traces and log records: the services of Grafana's Helm charts for Tempo and Loki."""
SERVICE: Final = f"{NAME}-collector"
"""What the OpenTelemetry Operator calls the service of the Collector."""


def render(policy: Policy, namespace: str = NAMESPACE) -> dict[str, str]:
    """The manifests by their file names, `kustomization.yaml` among them, which lists the others."""
    manifests = {
        f"dashboard-{board.uid}.yaml": dashboard(board.uid, board.model(policy)) for board in all_boards(policy)
    }
    manifests |= {
        "rules.yaml": rules("rules", recording_groups(policy)),
        "alerts.yaml": rules("alerts", alert_groups(policy)),
        "collector.yaml": collector(render_templates(policy)),
        "servicemonitor.yaml": service_monitor(),
        "instrumentation.yaml": instrumentation(namespace),
    }
    return {
        "kustomization.yaml": to_yaml(
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "namespace": namespace,
                "resources": sorted(manifests),
            }
        ),
        **{name: to_yaml(manifest) for name, manifest in manifests.items()},
    }


def resource(api: str, kind: str, name: str, content: dict[str, Any], **more: dict[str, str]) -> dict[str, Any]:
    """A resource; `more` are labels and annotations, beside the label that all of them have."""
    metadata: dict[str, Any] = {"name": name, "labels": {**LABELS, **more.get("labels", {})}}
    if "annotations" in more:
        metadata["annotations"] = more["annotations"]
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **content}


def dashboard(uid: str, model: dict[str, Any]) -> dict[str, Any]:
    data = {"data": {f"{uid}.json": to_json(model) + "\n"}}
    return resource("v1", "ConfigMap", f"dashboard-{uid}", data, labels=DASHBOARD_LABEL, annotations=FOLDER)


def rules(part: str, groups: list[dict[str, Any]]) -> dict[str, Any]:
    return resource("monitoring.coreos.com/v1", "PrometheusRule", f"{NAME}-{part}", {"spec": {"groups": groups}})


def collector(stack: dict[str, str]) -> dict[str, Any]:
    """The Collector of the stack: its configuration, and its image, which has processors that the Operator's lacks."""
    # The Operator reads the ports of the Collector's service from the addresses, so that they must be plain.
    text = stack["stack/collector/collector.yaml"].replace("${env:COLLECTOR_HOST:-0.0.0.0}", "0.0.0.0")
    configuration = yaml.safe_load(text)
    image = yaml.safe_load(stack["stack/compose.yaml"])["services"]["collector"]["image"]
    environment = [{"name": name, "value": value} for name, value in STORES.items()]
    spec = {"mode": "deployment", "replicas": 1, "image": image, "env": environment, "config": configuration}
    return resource("opentelemetry.io/v1beta1", "OpenTelemetryCollector", NAME, {"spec": spec})


def service_monitor() -> dict[str, Any]:
    """Prometheus scrapes the Collector; `honorLabels`, because job and instance are those of the applications."""
    spec = {
        "selector": {
            "matchLabels": {
                "app.kubernetes.io/name": SERVICE,
                "operator.opentelemetry.io/collector-service-type": "base",
            }
        },
        "endpoints": [{"port": "prometheus", "honorLabels": True, "interval": "15s"}],
    }
    return resource("monitoring.coreos.com/v1", "ServiceMonitor", NAME, {"spec": spec})


def instrumentation(namespace: str) -> dict[str, Any]:
    """What the OpenTelemetry Operator sets in containers of pods that ask for the instrumentation of Python."""
    settings = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRIC_EXPORT_INTERVAL": "15000",
    }
    spec = {
        "exporter": {"endpoint": f"http://{SERVICE}.{namespace}.svc:4318"},
        "propagators": ["tracecontext", "baggage"],
        "python": {"env": [{"name": name, "value": value} for name, value in settings.items()]},
    }
    return resource("opentelemetry.io/v1alpha1", "Instrumentation", NAME, {"spec": spec})
