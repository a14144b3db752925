# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG texts that need nothing else. The same data give the same text."""
from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from cycler import cycler
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from smern_ros.spec import LABELS
from smern_ros.training.common.metrics import Bin

if TYPE_CHECKING:
    from smern_ros.training.iemocap.experiments.integrate import Summary

COLOURS = ('#0072b2', '#c8442c', '#009e73', '#a05a9a', '#8a6d00')
"""After Okabe and Ito: told apart with every kind of colour vision."""
_SOFT, _GRID = '#5d6670', '#e9e7e2'
_STYLE: Any = {
    'svg.hashsalt': 'smern_ros', 'svg.fonttype': 'none', 'font.family': 'sans-serif',
    'font.sans-serif': ['DejaVu Sans'], 'font.size': 9, 'text.color': _SOFT, 'axes.labelcolor': _SOFT,
    'xtick.color': _SOFT, 'ytick.color': _SOFT, 'axes.spines.left': False, 'axes.spines.right': False,
    'axes.spines.top': False, 'axes.spines.bottom': False, 'xtick.major.size': 0, 'ytick.major.size': 0,
    'axes.prop_cycle': cycler(color=COLOURS), 'legend.frameon': False, 'grid.color': _GRID,
    'axes.axisbelow': True, 'figure.constrained_layout.use': True,
}
_LEAST_RANGE = 5.0
"""Points of UAR that a plot shows at least: small differences must not look large."""


def confusion(title: str, counts: Sequence[Sequence[int]]) -> Markup:
    """Recall in percent: a row is the label, a column the prediction. :param counts: (labels, labels)."""
    shares = np.array(counts, float)
    shares /= shares.sum(axis=1, keepdims=True)
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(3.3, 3.1)
        edges = np.arange(len(LABELS) + 1) - 0.5
        axes.pcolormesh(edges, edges, shares, cmap=_colours(), vmin=0, vmax=1, edgecolor='white', linewidth=2)
        for i, row in enumerate(shares):
            for j, share in enumerate(row):
                colour = 'white' if share > 0.5 else 'black'
                axes.text(j, i, f'{100 * share:.1f}', ha='center', va='center', color=colour)
        axes.set_xticks(range(len(LABELS)), LABELS)
        axes.set_yticks(range(len(LABELS)), LABELS)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position('top')
        axes.set(xlabel='predicted', ylim=(len(LABELS) - 0.5, -0.5), aspect='equal')
        return _svg(figure, f'{title}: confusion matrix')


def curves(
    title: str, axis: str, of: Mapping[str, Sequence[tuple[float, Summary]]], *, even: bool = True
) -> Markup:
    """UAR in percent, a curve a name; bars are one standard deviation.

    :param of: by name the points, by rising place on the axis. An infinite place is called "all".
    :param even: places are evenly spaced in their order, for those that about double.
    """
    places = sorted({at for points in of.values() for at, _ in points})
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(6.7, 3.4)
        ends = []
        for i, (name, points) in enumerate(of.items()):
            x = [places.index(at) if even else at for at, _ in points]
            means = np.array([summary.mean for _, summary in points])
            low, high = np.array([_reach(summary) for _, summary in points]).T
            ends += [*low, *high]
            axes.errorbar(
                x, means, [means - low, high - means], label=name, marker='o', markersize=6, linewidth=2.2,
                elinewidth=1.2, linestyle=('-', '--')[i % 2], clip_on=False,
            )
        low, high = min(ends), max(max(ends), min(ends) + _LEAST_RANGE)
        axes.set_ylim(low - 0.04 * (high - low), high + 0.04 * (high - low))
        axes.set_xticks(range(len(places)) if even else places, [place(at) if even else f'{at:g}' for at in places])
        axes.set(xlabel=axis, ylabel='UAR, %')
        axes.grid(axis='y')
        figure.legend(loc='outside upper left', ncols=2)
        return _svg(figure, title)


def reliability(title: str, of: Mapping[str, Sequence[Bin]]) -> Markup:
    """Fraction right against confidence, a curve a name; circles are as large as their bins hold many predictions.

    On the diagonal a network is as often right as it says; below it, it is too sure.
    """
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(3.4, 3.6)
        axes.plot((0, 100), (0, 100), color=_SOFT, linestyle=':', linewidth=1)
        for name, bins in of.items():
            total = sum(b.count for b in bins)
            x, y = ([100 * getattr(b, part) for b in bins] for part in ('confidence', 'right'))
            (line,) = axes.plot(x, y, linewidth=1.6, label=name)
            sizes = [(3 + 22 * math.sqrt(b.count / total)) ** 2 for b in bins]
            axes.scatter(x, y, sizes, color=line.get_color(), alpha=0.6, linewidth=0, clip_on=False)
        axes.set(xlim=(0, 100), ylim=(0, 100), xlabel='confidence, %', ylabel='right, %', aspect='equal')
        axes.set_xticks(range(0, 101, 25))
        axes.set_yticks(range(0, 101, 25))
        axes.grid()
        figure.legend(loc='outside upper left', ncols=2)
        return _svg(figure, title)


def place(at: float) -> str:
    return 'all' if math.isinf(at) else f'{at:g}'


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """:param width: and height, in inches of 72 px."""
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots()


def _colours() -> matplotlib.colors.Colormap:
    return matplotlib.colors.LinearSegmentedColormap.from_list('recall', (_GRID, COLOURS[0]))


def _reach(summary: Summary) -> tuple[float, float]:
    """One deviation to both sides, as far as there can be percentages."""
    deviation = 0.0 if math.isnan(summary.std) else summary.std
    return max(summary.mean - deviation, 0.0), min(summary.mean + deviation, 100.0)


def _svg(figure: Figure, title: str) -> Markup:
    """Without date, versions, document type, or names that nothing refers to."""
    file = io.StringIO()
    figure.savefig(file, format='svg', metadata=dict.fromkeys(('Creator', 'Date', 'Format', 'Type')))
    svg = file.getvalue()
    svg = svg[svg.index('<svg'):]
    svg = re.sub(r'\s*<defs>\s*<style type="text/css">.*?</style>\s*</defs>', '', svg, flags=re.DOTALL)
    used = set(re.findall(r'#([\w-]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in used else '', svg)
    attributes = f'role="img" aria-label="{escape(title)}" stroke-linejoin="round" stroke-linecap="butt"'
    return Markup(svg.replace('<svg ', f'<svg {attributes} ', 1))
