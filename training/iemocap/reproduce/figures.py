# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Figures 4 and 5 of the paper: what was measured for them, and their plots."""
from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from smern_ros.training.common import plots
from smern_ros.training.iemocap.experiments.integrate import Scores, Summary, TTest, compare, summarise
from smern_ros.training.iemocap.reproduce.tables import percent

STABLE_FROM = 0.4
"""The share of training data from which on the paper sees no more rise (section V-C)."""


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


def draw_confusion(confusion: Confusion) -> Markup:
    """Recall of each label in percent, as inline SVG.

    :raises ValueError: if there was no run.
    """
    if confusion.counts is None:
        raise ValueError(f'{confusion.part} has no counts to draw; say that it is missing')
    return _inline(plots.confusion(confusion.part, confusion.counts), 'figure')


def draw_few_data(points: Sequence[CurvePoint]) -> Markup:
    """Figure 5 as inline SVG: UAR against the share of training data, a curve each; bars are one standard deviation."""
    names = {'pretrained on the other speakers': 'pretrained', 'from scratch': 'scratch'}
    of = {name: [(100 * point.fraction, getattr(point, part)) for point in points] for name, part in names.items()}
    axis = "share of two new speakers' utterances that is trained on, %"
    return _inline(plots.curves('UAR against the share of training data', axis, of, even=False), 'figure plot')


def _inline(svg: Markup, css_class: str) -> Markup:
    return Markup(re.sub(r' xmlns(:\w+)?="[^"]*"', '', svg).replace('<svg ', f'<svg class="{css_class}" ', 1))
