# SPDX-License-Identifier: Apache-2.0
"""A FastAPI application, `app`, that asks Claude once per request."""

from contextlib import asynccontextmanager

import anthropic
import telemetry
from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    telemetry.set_up()
    yield
    telemetry.shut_down()


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def ask():
    async with anthropic.AsyncAnthropic(max_retries=0).messages.stream(
        model="claude-sonnet-5", max_tokens=256, messages=[{"role": "user", "content": "What is entropy?"}]
    ) as stream:
        return await stream.get_final_text()
