# SPDX-License-Identifier: Apache-2.0
"""`after200 dashboards --format kubernetes` and `grafana-catalogue`: what a cluster and an import would say of them.

The manifests are checked against the schemas that the operators and Kubernetes publish, the folder with the real
kustomize, the rules with the real promtool; each check finds a breakage that is planted.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from after200.monitoring.__main__ import main

from ..support.monitoring.programs import CACHE, DASHBOARDS, program, run
from ..support.monitoring.queries import panels_of
from ..support.not_run import SERVERS

pytest.importorskip("grafana_foundation_sdk", reason="no release of grafana-foundation-sdk supports this Python")

Manifest = dict[str, Any]
CRDS = {
    "PrometheusRule": "monitoring.coreos.com_prometheusrules.yaml",
    "ServiceMonitor": "monitoring.coreos.com_servicemonitors.yaml",
    "Instrumentation": "opentelemetry.io_instrumentations.yaml",
    "OpenTelemetryCollector": "opentelemetry.io_opentelemetrycollectors.yaml",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("kubernetes")
    assert main(["--format", "kubernetes", "--namespace", "watching", "--output", str(written)]) == 0
    return written


@pytest.fixture(scope="module")
def manifests(folder: Path) -> dict[str, Manifest]:
    """The manifests by their file names."""
    found = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))}
    assert len(found) == 12
    return found


def of_kind(manifests: dict[str, Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests.values() if manifest["kind"] == kind]


# --- schemas ---------------------------------------------------------------------------------------------------------


def complaints(manifest: Manifest) -> list[str]:
    """What the published schema of a manifest's kind finds wrong with it."""
    validator = jsonschema.Draft202012Validator(strict(schema_of(manifest["kind"], manifest["apiVersion"])))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


def schema_of(kind: str, api: str) -> Any:
    schemas = CACHE / "operators"
    if not (schemas / "version").exists():
        pytest.skip(f"operators is not installed: {SERVERS}")
    if kind == "ConfigMap":
        definitions = json.loads((schemas / "swagger.json").read_text(encoding="utf-8"))["definitions"]
        schema = definitions["io.k8s.api.core.v1.ConfigMap"]
        metadata = definitions["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]
        labels = {name: metadata["properties"][name] for name in ("name", "labels", "annotations")}
        return {**schema, "properties": {**schema["properties"], "metadata": {"type": "object", "properties": labels}}}
    crd = yaml.safe_load((schemas / CRDS[kind]).read_text(encoding="utf-8"))
    (version,) = [one for one in crd["spec"]["versions"] if f"{crd['spec']['group']}/{one['name']}" == api]
    return version["schema"]["openAPIV3Schema"]


def strict(schema: Any) -> Any:
    """The schema for a validator of JSON Schema: a field that it does not know is an error, as with `kubectl apply`."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    found = {name: strict(value) for name, value in schema.items() if not name.startswith("x-kubernetes")}
    if isinstance(schema.get("description"), str):
        found.pop("format", None)  # names of Go's types, of which JSON Schema knows none
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and schema["properties"] and not open_ended:
        found["additionalProperties"] = False
    return found


def test_every_manifest_is_what_its_schema_describes(manifests: dict[str, Manifest]) -> None:
    kinds = {manifest["kind"] for manifest in manifests.values()} - {"Kustomization"}
    assert {"ConfigMap", *CRDS} == kinds
    checked = {name: one for name, one in manifests.items() if one["kind"] != "Kustomization"}
    assert {} == {name: found for name, manifest in checked.items() if (found := complaints(manifest))}


def unknown_field(manifest: Manifest) -> None:
    manifest.get("spec", manifest)["endpont"] = {}


def number_for_a_text(manifest: Manifest) -> None:
    if manifest["kind"] == "ConfigMap":
        manifest["data"] = dict.fromkeys(manifest["data"], 1)
    elif manifest["kind"] == "PrometheusRule":
        manifest["spec"]["groups"][0]["rules"][0]["record"] = 1
    elif manifest["kind"] == "ServiceMonitor":
        manifest["spec"]["endpoints"][0]["port"] = 1
    elif manifest["kind"] == "Instrumentation":
        manifest["spec"]["exporter"]["endpoint"] = 1
    else:
        manifest["spec"]["image"] = 1


@pytest.mark.parametrize("breakage", [unknown_field, number_for_a_text])
@pytest.mark.parametrize("kind", ["ConfigMap", *CRDS])
def test_a_breakage_of_a_manifest_is_found(
    kind: str, breakage: Callable[[Manifest], None], manifests: dict[str, Manifest]
) -> None:
    broken = copy.deepcopy(of_kind(manifests, kind)[-1])
    assert [] == complaints(broken)
    breakage(broken)
    assert [] != complaints(broken)


# --- what they hold --------------------------------------------------------------------------------------------------


def test_the_rules_are_those_that_prometheus_loads(manifests: dict[str, Manifest], tmp_path: Path) -> None:
    for part in ("rules", "alerts"):
        groups = {"groups": manifests[f"{part}.yaml"]["spec"]["groups"]}
        committed = DASHBOARDS / "prometheus" / f"after200.{part}.yml"
        assert yaml.safe_load(committed.read_text(encoding="utf-8")) == groups
        unwrapped = tmp_path / f"{part}.yml"
        unwrapped.write_text(yaml.safe_dump(groups), encoding="utf-8")
        finished = run(program("promtool"), "check", "rules", unwrapped)
        assert finished.returncode == 0, finished.stdout


def test_promtool_finds_a_broken_rule_in_a_manifest(manifests: dict[str, Manifest], tmp_path: Path) -> None:
    groups = copy.deepcopy(manifests["alerts.yaml"]["spec"]["groups"])
    groups[0]["rules"][0]["expr"] += " and ("
    unwrapped = tmp_path / "alerts.yml"
    unwrapped.write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    assert run(program("promtool"), "check", "rules", unwrapped).returncode != 0


def test_the_dashboards_are_where_the_sidecar_looks_for_them(manifests: dict[str, Manifest]) -> None:
    boards = {path.name: json.loads(path.read_text("utf-8")) for path in (DASHBOARDS / "grafana").glob("*.json")}
    found = {}
    for manifest in of_kind(manifests, "ConfigMap"):
        assert manifest["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert len(json.dumps(manifest)) < 1_000_000  # what a cluster stores of one
        found |= {name: json.loads(text) for name, text in manifest["data"].items()}
    assert boards == found


def test_the_collector_is_the_one_of_the_stack(manifests: dict[str, Manifest], tmp_path: Path) -> None:
    configuration = manifests["collector.yaml"]["spec"]["config"]
    text = (DASHBOARDS / "stack/collector/collector.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text.replace("${env:COLLECTOR_HOST:-0.0.0.0}", "0.0.0.0")) == configuration
    asked = set(re.findall(r"\$\{env:(\w+)", json.dumps(configuration)))
    assert asked == {variable["name"] for variable in manifests["collector.yaml"]["spec"]["env"]}
    file = tmp_path / "collector.yaml"
    file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    finished = run(program("otelcol"), "validate", f"--config={file}")
    assert finished.returncode == 0, finished.stdout


def test_applications_send_to_the_service_that_the_monitor_selects(manifests: dict[str, Manifest]) -> None:
    name = manifests["collector.yaml"]["metadata"]["name"]
    endpoint = manifests["instrumentation.yaml"]["spec"]["exporter"]["endpoint"]
    assert f"http://{name}-collector.watching.svc:4318" == endpoint
    selected = manifests["servicemonitor.yaml"]["spec"]["selector"]["matchLabels"]
    assert selected["app.kubernetes.io/name"] == f"{name}-collector"
    assert manifests["servicemonitor.yaml"]["spec"]["endpoints"][0]["honorLabels"]


# --- kustomize -------------------------------------------------------------------------------------------------------


def test_kustomize_builds_the_folder(folder: Path, manifests: dict[str, Manifest]) -> None:
    finished = run(program("kustomize"), "build", folder)
    assert finished.returncode == 0, finished.stdout
    built = list(yaml.safe_load_all(finished.stdout))
    assert len(manifests) - 1 == len(built)
    assert {"watching"} == {manifest["metadata"]["namespace"] for manifest in built}


@pytest.mark.parametrize(("old", "new"), [("- alerts.yaml", "- alarms.yaml"), ("resources:", "resurces:")])
def test_kustomize_finds_a_breakage(folder: Path, old: str, new: str, tmp_path: Path) -> None:
    for path in folder.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.name == "kustomization.yaml":
            assert old in text
            text = text.replace(old, new)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    assert run(program("kustomize"), "build", tmp_path).returncode != 0


def test_a_namespace_that_none_can_have_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--format", "kubernetes", "--namespace", "My Space", "--output", str(tmp_path)]) == 2
    assert "'My Space' is no namespace of Kubernetes" in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


# --- Grafana's catalogue ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    written = tmp_path_factory.mktemp("catalogue")
    assert main(["--format", "grafana-catalogue", "--output", str(written)]) == 0
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(written.glob("*.json"))]


def lacking(board: Manifest) -> Iterator[str]:
    """What an import would not ask for, or not look for, and the dashboard needs."""
    inputs = {one["name"]: one["pluginId"] for one in board["__inputs"]}
    required = {(one["type"], one["id"]) for one in board["__requires"]}
    for variable in board["templating"]["list"]:
        if variable["type"] == "datasource":
            name = variable["current"]["value"].removeprefix("${").removesuffix("}")
            if inputs.get(name) != variable["query"]:
                yield f"input {variable['query']}"
            if ("datasource", variable["query"]) not in required:
                yield f"requires {variable['query']}"
    for kind in sorted({panel["type"] for panel in panels_of(board)}):
        if ("panel", kind) not in required:
            yield f"requires {kind}"


def test_an_import_asks_for_every_data_source_and_names_every_plugin(exported: list[Manifest]) -> None:
    assert len(exported) == len(list((DASHBOARDS / "grafana").glob("*.json")))
    assert [] == [found for board in exported for found in lacking(board)]
    for board in exported:
        assert board["id"] is None
        assert {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "11.0.0"} in board["__requires"]


@pytest.mark.parametrize(
    ("part", "place", "missing"), [("__inputs", 0, "input prometheus"), ("__requires", -1, "requires timeseries")]
)
def test_what_an_export_lacks_is_found(part: str, place: int, missing: str, exported: list[Manifest]) -> None:
    broken = copy.deepcopy(exported[0])
    del broken[part][place]
    assert [missing] == list(lacking(broken))
