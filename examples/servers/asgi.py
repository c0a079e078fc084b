# SPDX-License-Identifier: Apache-2.0
"""An ASGI application, `app`, that asks Claude once per request. Each worker of uvicorn tells it of its start and
its end."""

import anthropic
import telemetry


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    async with anthropic.AsyncAnthropic(max_retries=0).messages.stream(
        model="claude-sonnet-5", max_tokens=256, messages=[{"role": "user", "content": "What is entropy?"}]
    ) as stream:
        text = await stream.get_final_text()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": text.encode()})


async def lifespan(receive, send):
    while True:
        event = await receive()
        if event["type"] == "lifespan.startup":
            telemetry.set_up()
        else:
            telemetry.shut_down()  # uvicorn ends its processes by a signal: no exit handler of Python runs
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
