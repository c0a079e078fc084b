# SPDX-License-Identifier: Apache-2.0
"""What was recorded and did not arrive where the exporter sends it: by who answered there, and how."""

from __future__ import annotations

from collections.abc import Iterator

from after200.cli.verify.diagnoses.findings import Finding, note
from after200.cli.verify.network import Reply
from after200.cli.verify.seen import ExporterSeen, Seen

LISTENING = (
    "Is the Collector (or backend) running, and is this its address from here? In a container, localhost is the "
    "container. OTLP over gRPC is port 4317, over HTTP 4318. To do without one for now: "
    "OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=console."
)
WORDS: dict[str, tuple[str, str, str]] = {
    "refused": ("exporter_unreachable", "nobody listens there (connection refused)", LISTENING),
    "unresolved": ("exporter_unreachable", "there is no host of that name", LISTENING),
    "silent": (
        "exporter_unreachable",
        "nobody answers there",
        "Does a firewall or network policy drop it? " + LISTENING,
    ),
    "closed": (
        "exporter_closed",
        "the connection is closed without a word",
        "Does that port want TLS (https:// in the endpoint)? Is there a proxy in between?",
    ),
    "other": ("wrong_path", "what answers there does not speak OTLP", "Is it the right port? " + LISTENING),
    "tls": (
        "exporter_tls",
        "the TLS handshake fails",
        "Does that port speak TLS (else: http:// in the endpoint)? For a certificate of your own: "
        "OTEL_EXPORTER_OTLP_CERTIFICATE.",
    ),
}
"""By the kind of reply: the code, what is the matter, and what to look at."""

GRPC_THERE = (
    "wrong_protocol",
    "a gRPC server answers there, and this exporter speaks HTTP",
    "Set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or send to the receiver's HTTP port (4318 in place of 4317).",
)
HTTP_THERE = (
    "wrong_protocol",
    "what answers there does not speak gRPC, as this exporter does",
    "Set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or send to the receiver's gRPC port (4317 in place of 4318).",
)
UNAUTHORIZED = (
    "exporter_unauthorized",
    "the receiver refuses the credentials",
    "Set OTEL_EXPORTER_OTLP_HEADERS to what the backend asks for, for example 'authorization=Bearer KEY'.",
)
WRONG_PATH = (
    "wrong_path",
    "what answers there takes no OTLP on this path",
    "Is it the right port? OTEL_EXPORTER_OTLP_ENDPOINT is the base, without /v1/...; "
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and ..._METRICS_ENDPOINT are the whole URL, with it.",
)
REFUSES = (
    "exporter_refused",
    "the receiver answers, and takes nothing",
    "Its own log says why: does its configuration have a pipeline for this signal?",
)


NOT_TAKEN = ("exporter_refused", "nothing was taken", "The exporter's own messages say why.")
KNOWN_WELL = ("exporter_unreachable", "wrong_protocol", "exporter_unauthorized")
"""Codes that say it all: the exporter's own words would only be longer."""


def no_exporter(seen: Seen) -> Iterator[Finding]:
    """Nothing is wrong with the set-up, but for one thing: nobody is told."""
    for signal in seen.required:
        if seen.facts and seen.facts["sdk_error"] is None and not seen.of(signal):
            yield Finding(
                f"no_{signal}_exporter",
                f"There is no exporter for {signal}: what is recorded goes nowhere.",
                f"Set OTEL_{signal.upper()}_EXPORTER=otlp"
                if seen.setup is None
                else f"Give the provider that {seen.setup} makes an exporter.",
            )


def failed_exporters(seen: Seen) -> Iterator[Finding]:
    """The exporters of which nothing was taken, those with the same fault in one finding."""
    alike: dict[tuple[str, str, str, bool], list[ExporterSeen]] = {}
    for exporter in seen.exporters:
        if exporter.failed:
            code, what, advice = words_for(exporter.reply, grpc=exporter.grpc)
            status = f" ({exporter.reply.status})" if exporter.reply is not None and exporter.reply.status else ""
            alike.setdefault((code, what + status, advice, exporter.signal in seen.required), []).append(exporter)
    for (code, what, advice, required), exporters in alike.items():
        places = " and ".join(f"{exporter.signal} go to {exporter.endpoint or exporter.kind}" for exporter in exporters)
        said = "" if code in KNOWN_WELL else _last_word(seen, exporters[0])
        yield Finding(code, f"{places}: {what}{said}.", advice, wrong=required)


def words_for(reply: Reply | None, *, grpc: bool) -> tuple[str, str, str]:
    """The code, what is the matter, and what to look at next."""
    if reply is None:
        return NOT_TAKEN
    if reply.kind in ("http1", "other") and grpc:
        return HTTP_THERE
    if reply.kind in WORDS:
        return WORDS[reply.kind]
    if reply.kind == "http2" and not grpc:
        return GRPC_THERE
    if reply.status in (401, 403):
        return UNAUTHORIZED
    if reply.status is not None and 400 <= reply.status < 500:
        return WRONG_PATH
    return REFUSES


def _last_word(seen: Seen, exporter: ExporterSeen) -> str:
    """The exporter's own complaint."""
    module = exporter.kind.rpartition(".")[0].split("._")[0]
    said = [line for line in seen.log if line.startswith(module) or (exporter.grpc and exporter.signal in line)]
    return f"; the exporter says {said[-1].partition(': ')[2][:200]!r}" if said else ""


def temporality(seen: Seen) -> Iterator[Finding]:
    """Prometheus only knows counters that count on."""
    for exporter in seen.of("metrics"):
        if exporter.temporality != "delta":
            continue
        variable = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
        what = f"Metrics are sent as deltas ({variable}={seen.environment.get(variable, 'set in code')})."
        if seen.prometheus_url is not None:
            yield Finding(
                "delta_temporality",
                what + " Prometheus takes cumulative counters only; the Collector and Prometheus drop deltas.",
                f"Set {variable}=cumulative, or put the Collector's deltatocumulative processor in between.",
            )
        else:
            yield note("delta_temporality", what, "Right for some backends, lost on the way to Prometheus.")


DIAGNOSES = (no_exporter, failed_exporters, temporality)
