# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Charts of the report as inline SVG: frames with skeletons, and the time line. The style sheet has the colours."""
from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import TypeVar

from markupsafe import Markup

from smern_ros.demo.recording import Kind, Picture, Recording, StateRecord
from smern_ros.spec import BONES, LABELS

WIDTH, GUTTER, MARGIN = 1120.0, 92.0, 16.0
"""px: width of the time line, of its labels on the left, and of its right margin."""
MAX_WIDTH = 8000.0
_VOICE_HEIGHT, _WORD_HEIGHT, _WORD_ROWS = 30.0, 17.0, 3
_ROW_HEIGHT, _ROW_GAP = 54.0, 18.0
_LETTER = 6.3
"""px; mean width of a letter of the words."""
_MAX_MARKS = 400
"""Most utterances drawn; more would overlap."""
T = TypeVar('T')


def picture(shown: Picture, caption: str) -> Markup:
    """A frame with the skeletons."""
    size = f'viewBox="0 0 {shown.width} {shown.height}"'
    stroke = shown.width / 130
    parts = [
        f'<svg class="picture" {size} role="img" aria-label="{escape(caption)}">',
        f'<image width="{shown.width}" height="{shown.height}" href="data:image/jpeg;base64,'
        f'{base64.b64encode(shown.jpeg).decode()}"/>',
    ]
    for body in shown.bodies or ():
        points = [None if p is None else (p[0] * shown.width, p[1] * shown.height) for p in body.points]
        bones = [(points[a], points[b]) for a, b in BONES]
        path = ''.join(f'M{_xy(a)}L{_xy(b)}' for a, b in bones if a is not None and b is not None)
        dots = ''.join(f'M{_xy(p)}h0' for p in points if p is not None)
        parts += [
            f'<path class="bone-edge" d="{path}" stroke-width="{2 * stroke:.1f}"/>',
            f'<path class="bone" d="{path}" stroke-width="{stroke:.1f}"/>',
            f'<path class="joint" d="{dots}" stroke-width="{2.6 * stroke:.1f}"/>',
        ]
    return Markup(''.join([*parts, '</svg>']))


def timeline(recording: Recording) -> Markup:
    """Voice, words and the probability of each emotion over time."""
    return Markup(_Timeline(recording).draw())


def sampled(things: Sequence[T], limit: int) -> list[T]:
    """At most `limit` items, evenly spread, with the first and the last."""
    if len(things) <= limit:
        return list(things)
    return [things[round(i * (len(things) - 1) / (limit - 1))] for i in range(limit)]


class _Timeline:
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._duration = max(recording.duration, 1.0)
        # 20 px per second, within bounds.
        self._width = min(max(WIDTH, 20 * self._duration), MAX_WIDTH)
        self._finals = sampled(recording.finals, _MAX_MARKS)
        self._words_top = _VOICE_HEIGHT + 10
        self._rows_top = self._words_top + _WORD_ROWS * _WORD_HEIGHT + 18
        self._bottom = self._rows_top + len(LABELS) * (_ROW_HEIGHT + _ROW_GAP)

    def draw(self) -> str:
        return ''.join([
            f'<svg class="timeline" viewBox="0 0 {self._width:.0f} {self._bottom + 22:.0f}" '
            f'style="min-width:{max(self._width * 0.72, 760):.0f}px" role="img" '
            'aria-label="Voice, words and the probability of each emotion over time">',
            *self._axis(), *self._voice(), *self._words(),
            *(part for row in range(len(LABELS)) for part in self._emotion(row)),
            '</svg>',
        ])

    def _x(self, stamp_ns: int) -> float:
        share = min(max(self._recording.seconds(stamp_ns) / self._duration, 0.0), 1.0)
        return GUTTER + share * (self._width - GUTTER - MARGIN)

    def _axis(self) -> Iterable[str]:
        per_second = (self._width - GUTTER - MARGIN) / self._duration
        step = next((s for s in (1, 2, 5, 10, 30, 60, 300, 600, 1800) if s * per_second >= 48), 3600)
        for second in range(0, int(self._duration) + 1, step):
            x = GUTTER + second * per_second
            yield f'<path class="grid" d="M{x:.1f} 0V{self._bottom - _ROW_GAP + 4:.1f}"/>'
            yield f'<text class="tick" x="{x:.1f}" y="{self._bottom + 12:.1f}">{_clock(second, step)}</text>'

    def _voice(self) -> Iterable[str]:
        frames = sampled(list(self._recording.activity), 2000)
        yield f'<text class="lane" x="0" y="{_VOICE_HEIGHT - 8:.0f}">voice</text>'
        if frames:
            points = ''.join(f'L{self._x(f.stamp_ns):.1f} {_VOICE_HEIGHT * (1 - f.probability):.1f}' for f in frames)
            start, end = self._x(frames[0].stamp_ns), self._x(frames[-1].stamp_ns)
            yield f'<path class="voice" d="M{start:.1f} {_VOICE_HEIGHT}{points}L{end:.1f} {_VOICE_HEIGHT}Z"/>'
        for state in self._finals:
            left, right = self._x(state.start_ns), self._x(state.end_ns)
            yield (f'<path class="span" d="M{left:.1f} {_VOICE_HEIGHT + 4}H{right:.1f}"/>')

    def _words(self) -> Iterable[str]:
        """Words at their times, in the first row with space; without any, a word is not drawn."""
        yield f'<text class="lane" x="0" y="{self._words_top + 13:.0f}">words</text>'
        free = [GUTTER] * _WORD_ROWS
        words = [w for t in self._recording.transcripts.values() for w in t.words]
        for word in sorted(words, key=lambda w: w.start_ns):
            x, text = self._x(word.start_ns), word.text.strip()[:24]
            row = next((r for r, end in enumerate(free) if end <= x), None)
            if row is None:
                continue
            free[row] = x + _LETTER * len(text) + 5
            y = self._words_top + 13 + row * _WORD_HEIGHT
            tooltip = f'{self._recording.seconds(word.start_ns):.2f} s, probability {percent(word.probability)}'
            yield f'<text class="word" x="{x:.1f}" y="{y:.1f}">{escape(text)}<title>{tooltip}</title></text>'

    def _emotion(self, row: int) -> Iterable[str]:
        label = LABELS[row]
        base = self._rows_top + row * (_ROW_HEIGHT + _ROW_GAP) + _ROW_HEIGHT

        def y(state: StateRecord) -> float:
            return base - _probability(state, label) * _ROW_HEIGHT

        yield f'<g class="{label}">'
        yield f'<text class="lane emotion" x="0" y="{base - _ROW_HEIGHT / 2 + 4:.1f}">{label}</text>'
        for share in (0, 0.5, 1):
            at = base - share * _ROW_HEIGHT
            yield f'<path class="grid" d="M{GUTTER} {at:.1f}H{self._width - MARGIN:.1f}"/>'
            if share:
                yield f'<text class="percent" x="{GUTTER - 5}" y="{at + 3:.1f}">{percent(share)}</text>'
        for state in self._finals:
            yield self._final(state, label, base, y(state))
        for state in sampled(self._recording.of_kind(Kind.PROVISIONAL), _MAX_MARKS):
            left, right = self._x(state.start_ns), self._x(state.end_ns)
            yield (f'<path class="provisional" d="M{left:.1f} {y(state):.1f}H{right - 4:.1f}"/>'
                   f'<circle class="provisional" cx="{right:.1f}" cy="{y(state):.1f}" r="4">'
                   f'<title>{self._tooltip(state, label)}</title></circle>')
        gestures = sampled(self._recording.of_kind(Kind.GESTURE), 1500)
        dots = ''.join(f'M{self._x(s.end_ns):.1f} {y(s):.1f}h0' for s in gestures)
        yield f'<path class="gesture" d="{dots}"/></g>'

    def _final(self, state: StateRecord, label: str, base: float, top: float) -> str:
        left, right = self._x(state.start_ns), self._x(state.end_ns)
        strongest = ' strongest' if state.label == label else ''
        parts = [
            f'<rect class="final{strongest}" x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 1):.1f}" '
            f'height="{max(base - top, 0.5):.1f}"><title>{self._tooltip(state, label)}</title></rect>'
        ]
        if right - left > 34:
            # Above the row, where no curve crosses the text.
            parts.append(f'<text class="value{strongest}" x="{left + 2:.1f}" y="{base - _ROW_HEIGHT - 3:.1f}">'
                         f'{percent(_probability(state, label))}</text>')
        return ''.join(parts)

    def _tooltip(self, state: StateRecord, label: str) -> str:
        return (f'{state.kind.value}, {self._recording.seconds(state.start_ns):.1f} to '
                f'{self._recording.seconds(state.end_ns):.1f} s: {label} {percent(_probability(state, label))} '
                f'({escape(", ".join(state.modalities))})')


def percent(share: float) -> str:
    return f'{100 * share:.0f} %'


def _probability(state: StateRecord, label: str) -> float:
    return state.probabilities[state.labels.index(label)] if label in state.labels else 0.0


def _clock(second: int, step: int) -> str:
    return f'{second // 60}:{second % 60:02d}' if step >= 30 else f'{second} s'


def _xy(point: tuple[float, float]) -> str:
    return f'{point[0]:.1f} {point[1]:.1f}'
