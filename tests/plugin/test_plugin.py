# SPDX-License-Identifier: Apache-2.0
"""The fixtures as a user's project has them: each test is a run of pytest of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from after200.installation import pip_install
from after200.settings import PREFIX, Settings

from ..support import warm
from ..support.patience import PATIENCE_S

pytest_plugins = ["pytester"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "retry"
CORRECT = f"{PREFIX}CORRECT_EXCEPTIONS"

ASKS = """
    import gc
    import anthropic
    import pytest

    def ask(base_url, **options):
        client = anthropic.Anthropic(base_url=base_url, api_key="none", max_retries=0)
        message = {"role": "user", "content": "hi"}
        with client.messages.create(model="m", max_tokens=5, messages=[message], stream=True) as stream:
            for _ in stream:
                pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of its own, with no setting of ours in its environment."""
    monkeypatch.delenv(CORRECT, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return pytester


def run(project: pytest.Pytester, *tests: str) -> pytest.RunResult:
    """Runs pytest in a process that has imported the SDK and OpenTelemetry, and nothing of the package."""
    write(project, *tests)
    ended = warm.run(["-m", "pytest", "-p", "no:cacheprovider", "--strict-markers"], cwd=project.path)
    return pytest.RunResult(ended.returncode, ended.stdout.splitlines(), ended.stderr.splitlines(), 0.0)


def run_anew(project: pytest.Pytester, *tests: str) -> pytest.RunResult:
    """Runs pytest in a process that has imported nothing."""
    write(project, *tests)
    return project.runpytest_subprocess("-p", "no:cacheprovider", "--strict-markers", timeout=PATIENCE_S)


def write(project: pytest.Pytester, *tests: str) -> None:
    """Writes a file with these tests."""
    if tests:
        lines = [line.removeprefix("    ") for line in (ASKS + "".join(tests)).splitlines()]
        project.makepyfile("\n".join(lines))


@pytest.fixture
def example(project: pytest.Pytester) -> pytest.Pytester:
    """The project of `examples/retry`."""
    for file in EXAMPLE.glob("*.py"):
        shutil.copy(file, project.path)
    return project


def test_the_example_fails_as_the_sdk_raises_it(example: pytest.Pytester) -> None:
    ended = run(example)
    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["E *anthropic.APIStatusError: *overloaded_error*"])


def test_the_example_passes_with_corrected_exceptions(
    example: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CORRECT, "true")
    run(example).assert_outcomes(passed=1)


def test_calls_points_logs_and_spans_are_at_hand(project: pytest.Pytester) -> None:
    ended = run(
        project,
        """
    def test_it(claude_faults, after200_telemetry):
        with pytest.raises(anthropic.APIStatusError):
            ask(claude_faults.base_url("overloaded_error_mid_stream"))
        ask(claude_faults.base_url("end_without_message_stop"))
        overloaded, truncated = after200_telemetry.calls
        assert ("failed", "mid_stream", "overloaded", "overloaded_error", 529, 200, True, "Overloaded", "m") == (
            overloaded.outcome, overloaded.phase, overloaded.failure, overloaded.error_type, overloaded.status,
            overloaded.wire_status, overloaded.retryable, overloaded.message, overloaded.model,
        )
        assert ("truncated", "stream_truncated", None) == (truncated.outcome, truncated.error_type, truncated.status)
        assert overloaded.request_id == claude_faults.log[0].request_id
        assert overloaded.chunks > 0 and overloaded.attributes["gen_ai.operation.name"] == "chat"
        assert 2 == after200_telemetry.total("after200.calls")
        assert 1 == after200_telemetry.total("after200.calls", {"after200.outcome": "truncated"})
        assert 2 == after200_telemetry.total("gen_ai.client.operation.duration")
        [point] = after200_telemetry.points("after200.attempts")
        assert (2, None, "m") == (point.value, point.count, point.attributes["gen_ai.request.model"])
        assert [529, None] == [log.get("http.response.status_code") for log in after200_telemetry.logs]
        assert ["chat m", "chat m"] == [span.name for span in after200_telemetry.spans]

    def test_every_test_begins_anew(claude_faults, after200_telemetry):
        assert ((), [], 0) == (claude_faults.log, after200_telemetry.calls, after200_telemetry.total("after200.calls"))
        ask(claude_faults.base_url("completed"))
        assert 1 == after200_telemetry.total("after200.calls")

    def test_a_stream_that_is_dropped_is_a_call_that_has_ended(claude_faults, after200_telemetry):
        client = anthropic.Anthropic(api_key="none", base_url=claude_faults.base_url("completed"))
        stream = client.messages.create(
            model="m", max_tokens=64, messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        next(stream)
        del stream
        gc.collect()
        assert ["abandoned"] == [call.outcome for call in after200_telemetry.calls]

    def test_nothing_stays_on():
        from after200 import AnthropicInstrumentor
        assert not AnthropicInstrumentor().is_instrumented_by_opentelemetry
    """,
    )
    ended.assert_outcomes(passed=4)


def test_a_call_says_what_it_was_answered_what_it_used_how_long_it_took_and_each_attempt(
    project: pytest.Pytester,
) -> None:
    ended = run(
        project,
        """
    def retrying(base_url):
        client = anthropic.Anthropic(base_url=base_url, api_key="none", max_retries=2)
        message = {"role": "user", "content": "hi"}
        client.messages.create(model="m", max_tokens=5, messages=[message])

    def test_it(claude_faults, after200_telemetry):
        retrying(claude_faults.base_url("http_529_then_completed"))
        retrying(claude_faults.base_url("refusal_cyber"))
        ask(claude_faults.base_url("cached"))
        retried, refused, streamed = after200_telemetry.calls
        assert ("complete", None, (529, 200)) == (retried.answer, retried.refusal_category, retried.attempts)
        assert 0 < retried.retry_wait < retried.duration < 60
        assert ("refused", "cyber", (200,)) == (refused.answer, refused.refusal_category, refused.attempts)
        assert {token.type: token.number for token in claude_faults.log[-1].content.tokens} == streamed.tokens
        assert 0 < streamed.time_to_first_chunk <= streamed.time_to_first_text < streamed.duration
        assert (None, None) == (refused.retry_wait, refused.time_to_first_text)

    seen = []

    @pytest.mark.after200(on_call_end=seen.append)
    def test_a_function_of_ones_own_is_still_called(claude_faults, after200_telemetry):
        ask(claude_faults.base_url("completed"))
        assert ["completed"] == [call.verdict.outcome for call in seen]
        assert 0 < after200_telemetry.calls[0].duration
    """,
    )
    ended.assert_outcomes(passed=2)


def test_a_name_that_does_not_exist_is_refused_with_the_nearest(project: pytest.Pytester) -> None:
    ended = run(
        project,
        """
    def test_metric(after200_telemetry):
        assert after200_telemetry.total("after200.call") == 0

    def test_attribute(after200_telemetry):
        assert after200_telemetry.total("after200.calls", {"after200.outcom": "failed"}) == 0

    @pytest.mark.after200(metric_baggage="tenant.id")
    def test_that_exist(after200_telemetry):
        assert after200_telemetry.total("after200.calls", {"after200.outcome": "failed"}) == 0
        assert after200_telemetry.total("after200.calls", {"tenant.id": "acme"}) == 0
    """,
    )
    ended.assert_outcomes(failed=2, passed=1)
    ended.stdout.fnmatch_lines(
        [
            "E *ValueError: there is no metric 'after200.call'; did you mean after200.calls or *?",
            "E *ValueError: there is no attribute of after200.calls 'after200.outcom'; did you mean after200.outcome*?",
        ]
    )


def test_the_marker_gives_settings(project: pytest.Pytester) -> None:
    ended = run(
        project,
        """
    @pytest.mark.after200(spans="none")
    class TestMarked:
        @pytest.mark.after200(correct_exceptions=True)
        def test_it(self, claude_faults, after200_telemetry):
            with pytest.raises(anthropic.APIStatusError) as raised:
                ask(claude_faults.base_url("overloaded_error_mid_stream"))
            assert 529 == raised.value.status_code
            assert ([], 1) == (after200_telemetry.spans, after200_telemetry.total("after200.calls"))
    """,
    )
    ended.assert_outcomes(passed=1)


@pytest.mark.parametrize("wrong", ["correct_exception=True", "'own'"])
def test_a_wrong_marker_is_named_with_what_is_accepted(project: pytest.Pytester, wrong: str) -> None:
    ended = run(
        project,
        f"""
    @pytest.mark.after200({wrong})
    def test_it(after200_telemetry):
        pass
    """,
    )
    ended.assert_outcomes(errors=1)
    named = wrong.partition("=")[0]
    accepted = ", ".join(vars(Settings()))
    ended.stdout.fnmatch_lines([f"the marker after200 does not take {named}; keywords are {accepted}"])


def test_an_sdk_that_is_instrumented_already_is_an_error_that_says_so(project: pytest.Pytester) -> None:
    ended = run(
        project,
        """
    @pytest.fixture(autouse=True)
    def instrumented():
        from after200 import AnthropicInstrumentor
        AnthropicInstrumentor().instrument()

    def test_it(after200_telemetry):
        pass
    """,
    )
    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*cannot be used: the anthropic SDK is instrumented already*uninstrument() first"])


def test_without_opentelemetry_s_sdk_it_says_what_to_install(project: pytest.Pytester) -> None:
    project.makeconftest("import sys\nsys.modules['opentelemetry.sdk'] = None\n")
    ended = run_anew(project, "\n    def test_it(after200_telemetry):\n        pass\n")
    ended.assert_outcomes(errors=1)
    ended.stdout.re_match_lines([f"the fixture after200_telemetry needs .*: {re.escape(pip_install('pytest'))}$"])


def test_a_run_that_uses_neither_imports_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_it():
            ours = {name for name in sys.modules if name.partition(".")[0] == "after200"}
            assert ours == {"after200", "after200._version", "after200.testing", "after200.testing.pytest_plugin"}
            assert not {name.partition(".")[0] for name in sys.modules} & {"anthropic", "opentelemetry", "h11", "wrapt"}
        """
    )
    run_anew(project).assert_outcomes(passed=1)
