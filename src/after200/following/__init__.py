# SPDX-License-Identifier: Apache-2.0
"""How one call is followed from its first request to its one end, whichever door it came through.

Nothing here knows the SDK. A door (`hooks/sdk`, for example) hands a call in and reports what happens to it; `call`
says what the bytes mean; the observer (`call/observer.py`) is given the record at the end.

    end_dropped()                                   # dropped: first end what the application dropped
    running = RunningCall(call)                     # running: the call, from the facts of its request
    begin(running, observer)                        # beginning: its span and its metrics begin
    with make_current(running) or NOTHING:          # current: what is sent here is sent for this call
        running.attempts.begin(model)               # attempts: one HTTP request is sent; then one of
        running.attempts.answer(529)                #   it was answered with an error, and may be sent again
        running.attempts.lose("connection_error")   #   it was not answered
        answer(running, response)                   # answers: it was answered with a success; status and headers
    end_failed_request(running, raised, response)   # answers: the request raised, so there is no body

Then there is a body, and one of these follows it to its end:

    follow_body(running, response)                  # bodies: the body of a response of httpx reads itself along
    follow(response, running)                       # responses: a response that is freed drops its call; and
    feed = make_feed(running, headers)              # feeds: what reads the bytes of the body
    feed.feed(chunk)                                #   a piece of it
    deliver(running, "stop")                        # reading: its end, or another sign of one; a table decides

What is known to be the end needs no table: `running.end(Ending("read"))`. A call ends once; every later end is ignored.
All of these may be called from anywhere: none raises, but for `RunningCall` and `make_feed`, which a door calls within
a function of its own that is `guarded`.
"""
