# SPDX-License-Identifier: Apache-2.0
"""The version matrix: every combination of SDK, Python, OpenTelemetry and wrapt that the tests are run on.

    python -m matrix                 all cells; `make matrix` is the same
    python -m matrix 0.27.0 newest   these cells
    python -m matrix --ci            those that every change has to pass
    python -m matrix --newest        the newest release of the SDK and a newer pre-release; `make newest`

In come the cells of `cells.py`; out goes a table.
With `--write` it goes to docs/matrix.json, docs/matrix.md and the README.
"""
