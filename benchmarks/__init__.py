# SPDX-License-Identifier: Apache-2.0
"""What instrumenting the SDK costs: after200 and its neighbours against the bare SDK, interleaved in one process.

`python -m benchmarks` measures everything and writes `docs/cost.md`; `python -m benchmarks --help` says how to do less.
"""
