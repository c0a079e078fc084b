# SPDX-License-Identifier: Apache-2.0
"""The results as bars: the cost per event and per call, in percent above the bare SDK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLUMNS = {"per event": "per event of a stream of 2,000 deltas", "per call": "per call of 10 deltas"}


def draw(results: dict[str, Any], file: Path) -> None:
    """Writes the picture to `file`, in the format that its name ends with."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "after200"  # so that the same figures give the same file
    from matplotlib import pyplot

    names = [name for name in results["peak"] if not name.startswith("bare")][::-1]
    figure, axes = pyplot.subplots(1, len(COLUMNS), sharey=True, figsize=(11, 0.55 * len(names) + 1.2))
    for axis, (column, title) in zip(axes, COLUMNS.items(), strict=True):
        for offset, way, hatch in ((0.2, "sync", None), (-0.2, "async", "///")):
            percents = [(results[column][name][way]["median"] - 1) * 100 for name in names]
            colours = ["#2a9d8f" if name.startswith("after200") else "#9fa7b3" for name in names]
            places = [place + offset for place in range(len(names))]
            bars = axis.barh(places, percents, 0.38, color=colours, hatch=hatch, edgecolor="white", label=way)
            axis.bar_label(bars, fmt="%.1f %%", padding=3, fontsize=8)
        axis.set_title(f"+ % of CPU time, {title}", fontsize=10)
        axis.margins(x=0.15)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(names)), names, fontsize=9)
    axes[-1].legend(loc="lower right", frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
