# SPDX-License-Identifier: Apache-2.0
"""Tools that run at the provider, inside the answer: each once with a result and once with an error.

The call completes with `end_turn` either way. Shapes: `anthropic.types` and `anthropic.types.beta` of the SDK 2.14.
"""

from __future__ import annotations

from typing import NamedTuple

from ..blocks import Block, Json, mcp_tool, server_tool
from ..replies import Iteration, Reply, Usage
from ..scenarios import MID_STREAM, Scenario, answered, scenario
from ..steps import End, Error
from .http_errors import http_error

TITLE = "Tools that run at the provider"


class _Tool(NamedTuple):
    """A tool: the name in its call, the arguments, the type of its result without `_tool_result`, both results."""

    call: str
    arguments: Json
    kind: str
    result: object
    error_code: str

    def used(self) -> tuple[Block, Block]:
        return server_tool(self.call, self.arguments, f"{self.kind}_tool_result", self.result)

    def failed(self, error_code: str = "") -> tuple[Block, Block]:
        error = {"type": f"{self.kind}_tool_result_error", "error_code": error_code or self.error_code}
        return server_tool(self.call, self.arguments, f"{self.kind}_tool_result", error)


_PAGE = {"type": "web_search_result", "url": "https://example.com/", "title": "Example", "encrypted_content": "ZW4="}
_SOURCE = {"type": "text", "media_type": "text/plain", "data": "Sunny."}
_FETCHED = {
    "type": "web_fetch_result",
    "url": "https://example.com/",
    "content": {"type": "document", "source": _SOURCE},
    "retrieved_at": "2026-01-01T00:00:00Z",
}
_RAN = {"stdout": "2\n", "stderr": "", "return_code": 0, "content": []}
_FOUND = {"type": "tool_search_tool_search_result", "tool_references": [{"type": "tool_reference", "tool_name": "map"}]}
_ADVICE = {"type": "advisor_result", "text": "Measure first.", "stop_reason": "end_turn"}
_CREATED = {"type": "text_editor_code_execution_create_result", "is_file_update": False}

TOOLS = {
    tool.kind: tool
    for tool in (
        _Tool("web_search", {"query": "weather in Paris"}, "web_search", [_PAGE], "too_many_requests"),
        _Tool("web_fetch", {"url": "https://example.com/"}, "web_fetch", _FETCHED, "url_not_accessible"),
        _Tool(
            "code_execution",
            {"code": "print(1 + 1)"},
            "code_execution",
            {"type": "code_execution_result", **_RAN},
            "unavailable",
        ),
        _Tool(
            "bash_code_execution",
            {"command": "expr 1 + 1"},
            "bash_code_execution",
            {"type": "bash_code_execution_result", **_RAN},
            "execution_time_exceeded",
        ),
        _Tool(
            "text_editor_code_execution",
            {"command": "create", "path": "a.txt", "file_text": "a"},
            "text_editor_code_execution",
            _CREATED,
            "file_not_found",
        ),
        _Tool("tool_search_tool_regex", {"pattern": "map"}, "tool_search", _FOUND, "invalid_tool_input"),
        _Tool("advisor", {}, "advisor", _ADVICE, "overloaded"),
    )
}
_SEARCH, _FETCH = TOOLS["web_search"], TOOLS["web_fetch"]
_ADVISED = Usage(input=412, output=89, iterations=(Iteration("advisor_message", 823, 531, model="claude-advisor-1"),))
_MCP = ("find_book", {"title": "Emma"})
_OVERLOADED = http_error(529, "overloaded_error", "Overloaded")


def _pair(tool: _Tool) -> tuple[Scenario, Scenario]:
    usage = _ADVISED if tool.kind == "advisor" else Usage()
    return (
        answered(tool.kind, f"a call of {tool.call} inside the answer", Reply(before=tool.used(), usage=usage)),
        answered(
            f"{tool.kind}_failed",
            f"a call of {tool.call} inside the answer fails: {tool.error_code}",
            Reply(before=tool.failed()),
        ),
    )


SCENARIOS: tuple[Scenario, ...] = (
    *(entry for tool in TOOLS.values() for entry in _pair(tool)),
    answered("mcp", "a call of an MCP tool inside the answer", Reply(before=mcp_tool(*_MCP, "Found.", is_error=False))),
    answered(
        "mcp_failed",
        "a call of an MCP tool inside the answer fails: is_error",
        Reply(before=mcp_tool(*_MCP, "No such book.", is_error=True)),
    ),
    answered(
        "server_tools_mixed",
        "web_search fails twice with one code and once with another, works once; web_fetch works",
        Reply(
            before=(
                *_SEARCH.failed("max_uses_exceeded"),
                *_SEARCH.failed("unavailable"),
                *_SEARCH.failed("max_uses_exceeded"),
                *_SEARCH.used(),
                *_FETCH.used(),
            )
        ),
    ),
    answered(
        "server_tool_new_error",
        "a call of web_search inside the answer fails with a code that no SDK knows",
        Reply(before=_SEARCH.failed("moon_phase")),
    ),
    scenario(
        "web_search_failed_then_overloaded",
        "web_search fails inside the answer, then overloaded_error after some content",
        (*MID_STREAM, Error("overloaded_error", "Overloaded"), End()),
        (_OVERLOADED,),
        reply=Reply(before=_SEARCH.failed()),
    ),
)
