"""The report's drawings, each an SVG file that needs nothing else."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from smern_ros.training.common.metrics import Bin
from smern_ros.training.iemocap.experiments.integrate import Summary
from smern_ros.training.iemocap.reproduce.figures import Confusion, draw_confusion
from smern_ros.training.iemocap.reproduce.tables import written

HUES = ('#0072b2', '#c8442c', '#009e73', '#a05a9a', '#8a6d00')
"""After Okabe and Ito: told apart with every kind of colour vision."""
_STYLE = """<style>
svg { background: #fff; font-family: system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
text { font-size: 12.5px; fill: #5d6670; }
.axis, .column, .value { text-anchor: middle; } .row { text-anchor: end; } .start { text-anchor: start; }
.value { font-size: 14px; fill: #1d2126; } .strong { fill: #fff; font-weight: 600; }
.cell { fill: #e9e7e2; } .share { fill: #0072b2; } .grid { stroke: #e9e7e2; fill: none; }
</style>"""
_WIDTH, _HEIGHT, _LEFT, _TOP, _BELOW = 640.0, 320.0, 52.0, 40.0, 46.0
"""px: of a plot, with its axes' labels and its legend."""
_LEAST_RANGE = 5.0
"""Points of UAR that a plot shows at least, lest nothing look like something."""


def confusion(name: str, counts: tuple[tuple[int, ...], ...]) -> str:
    """Recall in percent: a row is what is true, a column what was said."""
    svg = draw_confusion(Confusion(name, name, counts))
    _, _, width, height = svg.partition('viewBox="')[2].partition('"')[0].split()
    start, _, rest = svg.partition('>')
    size = f' xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    return f'{start}{size}>{_STYLE}{rest}\n'


def curves(title: str, axis: str, of: Mapping[str, Sequence[tuple[float, Summary]]]) -> str:
    """UAR in percent, a curve a name; bars are one standard deviation over the seeds.

    Places on the axis are evenly spaced in their order, for seconds and counts are chosen so that they about double.
    An infinite place is called "all".
    """
    places = sorted({at for points in of.values() for at, _ in points})
    ends = [end for points in of.values() for _, s in points for end in _reach(s)]
    low, high = min(ends), max(max(ends), min(ends) + _LEAST_RANGE)
    step = next(step for step in (1, 2, 5, 10, 20, 50) if (high - low) / step <= 6)
    low, high = step * math.floor(low / step), step * math.ceil(high / step)
    right, bottom = _WIDTH - 20, _HEIGHT - _BELOW

    def x(at: float) -> float:
        return _LEFT + 24 + places.index(at) / max(len(places) - 1, 1) * (right - _LEFT - 48)

    def y(uar: float) -> float:
        return bottom - (uar - low) / (high - low) * (bottom - _TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" '
        f'viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{escape(title)}">', _STYLE,
        f'<text class="start" x="4" y="{_TOP - 12}">UAR, %</text>',
        f'<text class="axis" x="{(_LEFT + right) / 2}" y="{_HEIGHT - 6}">{escape(axis)}</text>',
    ]
    for value in range(low, high + 1, step):
        parts.append(f'<path class="grid" d="M{_LEFT} {y(value):.1f}H{right}"/>'
                     f'<text class="row" x="{_LEFT - 8}" y="{y(value) + 4:.1f}">{value}</text>')
    parts += [f'<text class="column" x="{x(at):.1f}" y="{bottom + 18}">{place(at)}</text>' for at in places]
    for i, (name, points) in enumerate(of.items()):
        hue, left = HUES[i % len(HUES)], _LEFT + 24 + 290 * (i % 2)
        row = 14 + 16 * (i // 2)
        line = 'L'.join(f'{x(at):.1f} {y(s.mean):.1f}' for at, s in points)
        bars = ''.join(f'M{x(at):.1f} {y(a):.1f}V{y(b):.1f}' for at, s in points for a, b in (_reach(s),))
        dots = ''.join(f'<circle fill="{hue}" cx="{x(at):.1f}" cy="{y(s.mean):.1f}" r="4"><title>'
                       f'{written(s.mean, s.std)} at {place(at)}</title></circle>' for at, s in points)
        parts.append(f'<g stroke="{hue}" fill="none"><path stroke-width="2.5" d="M{line}"/>'
                     f'<path opacity="0.6" d="{bars}"/></g>{dots}'
                     f'<circle fill="{hue}" cx="{left}" cy="{row - 4}" r="5"/>'
                     f'<text class="start" x="{left + 10}" y="{row}">{escape(name)}</text>')
    return ''.join([*parts, '</svg>\n'])


def reliability(title: str, of: Mapping[str, Sequence[Bin]]) -> str:
    """Fraction right against confidence, a curve a name; circles are as large as their bins hold many predictions.

    On the diagonal a network is as often right as it says; below it, it is too sure.
    """
    side = _HEIGHT - _TOP - _BELOW
    right, bottom = _LEFT + side, _HEIGHT - _BELOW

    def x(confidence: float) -> float:
        return _LEFT + confidence * side

    def y(fraction: float) -> float:
        return bottom - fraction * side

    width = right + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{_HEIGHT:.0f}" '
        f'viewBox="0 0 {width:.0f} {_HEIGHT:.0f}" role="img" aria-label="{escape(title)}">', _STYLE,
        f'<text class="axis" x="{(_LEFT + right) / 2}" y="{_HEIGHT - 6}">confidence, %</text>',
        f'<text class="start" x="4" y="{_TOP - 6}">right, %</text>',
    ]
    for percent in range(0, 101, 25):
        at = percent / 100
        parts.append(f'<path class="grid" d="M{_LEFT} {y(at):.1f}H{right}M{x(at):.1f} {_TOP}V{bottom}"/>'
                     f'<text class="row" x="{_LEFT - 8}" y="{y(at) + 4:.1f}">{percent}</text>'
                     f'<text class="column" x="{x(at):.1f}" y="{bottom + 18}">{percent}</text>')
    parts.append(f'<path stroke="#5d6670" stroke-dasharray="4 4" d="M{_LEFT} {bottom}L{right} {_TOP}"/>')
    for i, (name, bins) in enumerate(of.items()):
        hue, total = HUES[i % len(HUES)], sum(b.count for b in bins)
        line = 'L'.join(f'{x(b.confidence):.1f} {y(b.right):.1f}' for b in bins)
        dots = ''.join(f'<circle fill="{hue}" fill-opacity="0.6" cx="{x(b.confidence):.1f}" cy="{y(b.right):.1f}" '
                       f'r="{2 + 16 * math.sqrt(b.count / total):.1f}"><title>{b.count} predictions: confidence '
                       f'{100 * b.confidence:.0f}, right {100 * b.right:.0f} %</title></circle>' for b in bins)
        parts.append(f'<path stroke="{hue}" stroke-width="2" fill="none" d="M{line}"/>{dots}'
                     f'<circle fill="{hue}" cx="{_LEFT + 24 + 120 * i}" cy="10" r="5"/>'
                     f'<text class="start" x="{_LEFT + 34 + 120 * i}" y="14">{escape(name)}</text>')
    return ''.join([*parts, '</svg>\n'])


def place(at: float) -> str:
    return 'all' if math.isinf(at) else f'{at:g}'


def _reach(summary: Summary) -> tuple[float, float]:
    deviation = 0.0 if math.isnan(summary.std) else summary.std
    return max(summary.mean - deviation, 0.0), min(summary.mean + deviation, 100.0)
