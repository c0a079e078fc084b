# SPDX-License-Identifier: Apache-2.0
"""The version matrix: every combination of SDK, Python, OpenTelemetry and wrapt that the tests are run on.

    python -m matrix                 all cells
    python -m matrix 0.27.0 newest   these cells
    python -m matrix --ci            those that every change has to pass

In come the cells of `cells.py`; out goes a table, and with `--write` docs/matrix.json and docs/matrix.md.
"""
