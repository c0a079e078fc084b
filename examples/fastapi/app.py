# SPDX-License-Identifier: Apache-2.0
"""A FastAPI service that says whose call each call to Claude is, by two entries of OpenTelemetry's baggage.

export OTEL_INSTRUMENTATION_AFTER200_METRIC_BAGGAGE=tenant.id,app.route
export OTEL_PROPAGATORS=tracecontext
opentelemetry-instrument uvicorn app:app
"""

import anthropic
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from opentelemetry import baggage, context


class Whose:
    """ASGI middleware: every call that is made for a request has the request's tenant in its baggage.

    This example believes a header. A service of yours takes the tenant from what it has authenticated.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        headers = dict(scope.get("headers", ()))
        tenant = headers.get(b"x-tenant", b"unknown").decode("latin-1")
        token = context.attach(baggage.set_baggage("tenant.id", tenant))
        try:
            await self.app(scope, receive, send)
        finally:
            context.detach(token)


class NamedRoute(APIRoute):
    """Adds the route as it is written (`/answer/{topic}`), not the path: there is no end of paths."""

    def get_route_handler(self):
        handler = super().get_route_handler()

        async def handle(request):
            context.attach(baggage.set_baggage("app.route", self.path))  # `Whose` detaches it with its own
            return await handler(request)

        return handle


app = FastAPI()
app.router.route_class = NamedRoute
app.add_middleware(Whose)
claude = anthropic.AsyncAnthropic(max_retries=0)


@app.get("/answer/{topic}")
async def answer(topic: str):
    async def words():
        question = {"role": "user", "content": f"What is {topic}?"}
        async with claude.messages.stream(model="claude-sonnet-5", max_tokens=256, messages=[question]) as stream:
            async for text in stream.text_stream:
                yield text

    return StreamingResponse(words(), media_type="text/plain")
