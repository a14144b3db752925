"""Figures 4 and 5 of the paper: what was measured for them, and their drawings as inline SVG."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from smern_ros.spec import LABELS
from smern_ros.training.iemocap.experiments.integrate import Scores, Summary, TTest, compare, summarise
from smern_ros.training.iemocap.reproduce.tables import percent, written

STABLE_FROM = 0.4
"""The share of training data from which on the paper sees no more rise (section V-C)."""
_CELL, _SIDE, _TOP = 62.0, 74.0, 46.0
_WIDTH, _HEIGHT, _LEFT, _BELOW = 760.0, 340.0, 56.0, 46.0
"""px: of a confusion matrix's cell and labels, and of the plot, its axis labels included."""
_LEAST_RANGE = 5.0
"""Points of UAR that the plot shows at least, lest nothing look like something."""


@dataclass(frozen=True)
class Confusion:
    """A part of figure 4, over all experiments of one network."""

    part: str                        # '(a) gesture'
    network: str
    counts: tuple[tuple[int, ...], ...] | None  # rows: the label, columns: the prediction; None if there was no run

    @classmethod
    def of(cls, part: str, network: str, scores: Sequence[Scores]) -> Confusion:
        if not scores:
            return cls(part, network, None)
        total = np.sum([s.confusion for s in scores], axis=0)
        return cls(part, network, tuple(tuple(int(n) for n in row) for row in total))

    @property
    def shares(self) -> np.ndarray:
        """(4, 4) 0..1, of all that truly have the label; a row sums to 1."""
        counts = np.array(self.counts, float)
        return counts / counts.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class CurvePoint:
    """Of one share of training data in figure 5; UAR in percent."""

    fraction: float
    pretrained: Summary
    scratch: Summary
    gap: TTest     # pretrained less from scratch

    @classmethod
    def of(cls, fraction: float, pretrained: Sequence[Scores], scratch: Sequence[Scores]) -> CurvePoint:
        first, second = percent(pretrained, 'uar'), percent(scratch, 'uar')
        return cls(fraction, summarise(first), summarise(second), compare(first, second))


def findings(points: Sequence[CurvePoint]) -> tuple[str, ...]:
    """Ours beside each sentence of `published.FEW_DATA`; points by rising fraction, at least one."""
    first, last = points[0], points[-1]
    stable = next((p for p in points if p.fraction >= STABLE_FROM), None)
    if stable is None or stable is first or stable is last:
        rise = 'Cannot be told: it needs shares below, at and above 40 %.'
    else:
        rise = (f'Pretrained, UAR goes from {first.pretrained.mean:.1f} at {100 * first.fraction:.0f} % to '
                f'{stable.pretrained.mean:.1f} at {100 * stable.fraction:.0f} % and {last.pretrained.mean:.1f} at '
                f'{100 * last.fraction:.0f} %.')
    known = '' if math.isnan(first.gap.p) else f' (p = {first.gap.p:.2g})'
    gaps = f'It goes from {first.gap.difference:+.1f} points at {100 * first.fraction:.0f} % to ' \
           f'{last.gap.difference:+.1f} at {100 * last.fraction:.0f} %.'
    return (
        rise,
        f'At {100 * first.fraction:.0f} % the pretrained network differs by {first.gap.difference:+.1f} points of '
        f'UAR{known}.',
        gaps if len(points) > 1 else 'Cannot be told: it needs two shares or more.',
    )


def draw_confusion(confusion: Confusion) -> str:
    """Recall of each label in percent: a row is what is true, a column what was said.

    :raises ValueError: if there was no run.
    """
    if confusion.counts is None:
        raise ValueError(f'{confusion.part} has no counts to draw; say that it is missing')
    size = _CELL * len(LABELS)
    parts = [f'<svg class="figure" viewBox="0 0 {_SIDE + size + 2:.0f} {_TOP + size + 2:.0f}" role="img" '
             f'aria-label="{escape(confusion.part)}: confusion matrix">',
             f'<text class="axis" x="{_SIDE + size / 2}" y="14">said</text>']
    for i, label in enumerate(LABELS):
        middle = (i + 0.5) * _CELL
        parts.append(f'<text class="column" x="{_SIDE + middle}" y="{_TOP - 10}">{label}</text>'
                     f'<text class="row" x="{_SIDE - 8}" y="{_TOP + middle + 4}">{label}</text>')
    for i, row in enumerate(confusion.shares):
        for j, share in enumerate(row):
            x, y = _SIDE + j * _CELL, _TOP + i * _CELL
            title = f'{LABELS[i]} taken for {LABELS[j]}: {confusion.counts[i][j]}'
            strong = ' strong' if share > 0.5 else ''
            parts.append(
                f'<g><title>{title}</title><rect class="cell" x="{x + 1}" y="{y + 1}" width="{_CELL - 2}" '
                f'height="{_CELL - 2}"/><rect class="share" x="{x + 1}" y="{y + 1}" width="{_CELL - 2}" '
                f'height="{_CELL - 2}" fill-opacity="{share:.3f}"/><text class="value{strong}" '
                f'x="{x + _CELL / 2}" y="{y + _CELL / 2 + 5}">{100 * share:.1f}</text></g>'
            )
    return ''.join([*parts, '</svg>'])


def draw_few_data(points: Sequence[CurvePoint]) -> str:
    """Figure 5: UAR against the share of training data, a curve each; bars are one standard deviation."""
    return _Plot(points).draw()


class _Plot:
    def __init__(self, points: Sequence[CurvePoint]) -> None:
        self._points = points
        ends = [end for p in points for s in (p.pretrained, p.scratch) for end in _reach(s)]
        low, high = min(ends), max(max(ends), min(ends) + _LEAST_RANGE)
        self._step = next(step for step in (1, 2, 5, 10, 20) if (high - low) / step <= 6)
        self._low = self._step * math.floor(low / self._step)
        self._high = max(self._step * math.ceil(high / self._step), self._low + self._step)
        self._last = max(p.fraction for p in points)

    def draw(self) -> str:
        return ''.join([
            f'<svg class="figure plot" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" '
            'aria-label="UAR against the share of training data">',
            *self._axes(), self._curve('scratch'), self._curve('pretrained'), '</svg>',
        ])

    def _axes(self) -> list[str]:
        right, bottom = _WIDTH - 16, _HEIGHT - _BELOW
        parts = []
        for value in range(self._low, self._high + 1, self._step):
            y = self._y(value)
            parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>'
                         f'<text class="row" x="{_LEFT - 8}" y="{y + 4:.1f}">{value}</text>')
        parts += [
            f'<text class="column" x="{self._x(p.fraction):.1f}" y="{bottom + 18}">{100 * p.fraction:.0f}</text>'
            for p in self._points
        ]
        return [
            *parts,
            f'<text class="axis" x="{(_LEFT + right) / 2}" y="{_HEIGHT - 6}">'
            "share of two new speakers' utterances that is trained on, %</text>",
            f'<text class="axis start" x="{_LEFT - 40}" y="14">UAR, %</text>',
        ]

    def _curve(self, name: str) -> str:
        at = [(self._x(p.fraction), getattr(p, name)) for p in self._points]
        line = 'L'.join(f'{x:.1f} {self._y(s.mean):.1f}' for x, s in at)
        bars = ''.join('M{:.1f} {:.1f}V{:.1f}'.format(x, *map(self._y, _reach(s))) for x, s in at)
        dots = ''.join(
            f'<g><title>{written(s.mean, s.std)} at {100 * p.fraction:.0f} %</title>'
            f'<circle cx="{x:.1f}" cy="{self._y(s.mean):.1f}" r="4.5"/></g>'
            for p, (x, s) in zip(self._points, at, strict=True)
        )
        return f'<g class="curve {name}"><path class="bars" d="{bars}"/><path class="line" d="M{line}"/>{dots}</g>'

    def _x(self, fraction: float) -> float:
        return _LEFT + 20 + fraction / self._last * (_WIDTH - _LEFT - 56)

    def _y(self, value: float) -> float:
        top, bottom = 26.0, _HEIGHT - _BELOW
        return bottom - (value - self._low) / (self._high - self._low) * (bottom - top)


def _reach(summary: Summary) -> tuple[float, float]:
    """One deviation to both sides, as far as there can be percentages."""
    deviation = 0.0 if math.isnan(summary.std) else summary.std
    return max(summary.mean - deviation, 0.0), min(summary.mean + deviation, 100.0)
