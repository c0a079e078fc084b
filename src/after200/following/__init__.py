# SPDX-License-Identifier: Apache-2.0
"""How one call is followed from its first request to its one end, whichever door it came through.

The hooks hand a call in, with its response and its body; `call` says what the bytes mean; an observer is told the end.
Nothing here knows the SDK.
"""
