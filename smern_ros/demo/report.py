# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Renders a recording as a self-contained HTML page."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from smern_ros.demo import charts
from smern_ros.demo.charts import percent, sampled
from smern_ros.demo.recording import Kind, Picture, Recording, StateRecord
from smern_ros.spec import MODALITIES
from smern_ros.utils import pages

PICTURES = 10
CARDS = 40
"""Most utterances shown in detail, evenly spread over the recording."""
_LETTER = 0.033
"""Width of a letter as a share of a stacked bar."""


@dataclass(frozen=True)
class Facts:
    """Texts of the page besides the recording. The template escapes them."""

    media: str                                     # what was played
    notice: str                                    # shown at the top
    command: str
    failure: str = ''                              # why the demo failed
    machine: str = ''
    more: tuple[tuple[str, str], ...] = ()         # rows of the last section


def render(recording: Recording, facts: Facts) -> str:
    """The whole page."""
    finals = sorted(recording.finals, key=lambda s: s.start_ns)
    models = sorted({s.model for s in (*recording.finals, *recording.states)})
    return pages.render(
        Path(__file__).with_name('report.html'),
        program='smern_ros demo', title=f'Emotional states in {facts.media}', recording=recording,
        failure=facts.failure, notice=facts.notice, machine=facts.machine,
        facts=[('Model', ', '.join(models) or 'no state was received'), *facts.more, ('Command', facts.command)],
        gestures=len(recording.of_kind(Kind.GESTURE)),
        seen=recording.frames_with_body / recording.frames if recording.frames else 0.0,
        skipped=recording.images - recording.frames,
        pictures=_pictures(recording),
        timeline=charts.timeline(recording),
        utterances=sampled(list(enumerate(finals, start=1)), CARDS),
        provisional={s.utterance_id: s for s in recording.of_kind(Kind.PROVISIONAL)},
        latency=[(kind.value, of) for kind in Kind if (of := [s.latency for s in recording.of_kind(kind)])],
        count=_count, draw_picture=charts.picture, max=max, median_and_p95=median_and_p95, percent=percent,
        zip=partial(zip, strict=True), LETTER=_LETTER, MODALITIES=MODALITIES,
    )


def median_and_p95(values: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile by nearest rank, of at least one value."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2], ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)]


def _pictures(recording: Recording) -> list[tuple[Picture, str, str, StateRecord | None]]:
    """Some pictures, each with time, people and valid state."""
    processed = [p for p in recording.pictures if p.bodies is not None]
    return [
        (picture, f'{recording.seconds(picture.stamp_ns):.1f} s', _people(picture),
         _valid_at(recording, picture.stamp_ns))
        for picture in sampled(processed or list(recording.pictures), PICTURES)
    ]


def _people(picture: Picture) -> str:
    if picture.bodies is None:
        return 'not processed'
    return _count(len(picture.bodies), 'person', 'people') if picture.bodies else 'nobody found'


def _valid_at(recording: Recording, stamp_ns: int) -> StateRecord | None:
    """The newest state whose evidence ended, or whose utterance had begun, at that stamp."""
    candidates = [s for s in (*recording.finals, *recording.of_kind(Kind.GESTURE))
               if (s.start_ns if s.kind is Kind.FINAL else s.end_ns) <= stamp_ns]
    return max(candidates, key=lambda s: s.end_ns, default=None)


def _count(number: int, one: str, more: str = '') -> str:
    return f'{number} {one if number == 1 else more or one + "s"}'
