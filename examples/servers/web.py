# SPDX-License-Identifier: Apache-2.0
"""A WSGI application, `app`, that asks Claude once per request."""

import anthropic


def app(environ, start_response):
    with anthropic.Anthropic(max_retries=0).messages.stream(
        model="claude-sonnet-5", max_tokens=256, messages=[{"role": "user", "content": "What is entropy?"}]
    ) as stream:
        text = stream.get_final_text()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
