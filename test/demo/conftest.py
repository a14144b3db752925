# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A small recording, made by hand: three seconds of silence, an utterance with all modalities, one without words."""
import pytest

from smern_ros.demo.recording import ActivityRecord, DrawnSkeleton, Picture, Recording, StateRecord
from smern_ros.spec import LABELS
from smern_ros.values import SECOND, Transcript, Word

ORIGIN = 1_700_000_000 * SECOND


def at(seconds: float) -> int:
    return ORIGIN + round(seconds * SECOND)


def state(start: float, end: float, *, utterance: str = 'u1', final: bool = True, probabilities=(0.1, 0.6, 0.1, 0.2),
          modalities=('audio', 'text', 'skeleton'), weights=None, latency: float = 0.051) -> StateRecord:
    weights = weights or (1 / len(modalities),) * len(modalities)
    return StateRecord(
        stamp_ns=at(end), start_ns=at(start), end_ns=at(end), person_id='p1', utterance_id=utterance, is_final=final,
        labels=LABELS, probabilities=probabilities, label=LABELS[probabilities.index(max(probabilities))],
        confidence=max(probabilities), modalities=modalities, weights=weights, ages=(0.0,) * len(modalities),
        alone=((0.25, 0.25, 0.25, 0.25),) * len(modalities), latency=latency, model='open-v3',
    )


def transcript(utterance: str, start: float, *words: str) -> Transcript:
    spoken = tuple(Word(w, at(start + i * 0.4), at(start + i * 0.4 + 0.3), 0.9) for i, w in enumerate(words))
    return Transcript(utterance, at(start), at(start + 0.4 * len(words)), ' '.join(words), spoken)


@pytest.fixture
def recording() -> Recording:
    made = Recording(frames=300, frames_with_body=270, utterances=2)
    made.add_stamp(at(0))
    made.add_stamp(at(12.5))
    made.add(state(0.5, 2.5, utterance='', final=False, modalities=('skeleton',), probabilities=(0.3, 0.2, 0.1, 0.4)))
    made.add(state(3.0, 5.0, final=False, modalities=('audio', 'skeleton'), probabilities=(0.2, 0.3, 0.3, 0.2)))
    made.add(state(3.0, 5.0, weights=(0.5, 0.37, 0.13)))
    made.add(state(8.0, 10.0, utterance='u2', modalities=('audio', 'skeleton'), probabilities=(0.7, 0.1, 0.1, 0.1)))
    made.transcripts['u1'] = transcript('u1', 3.0, 'he', 'was', 'not', 'ill')
    for i in range(390):
        seconds = 0.032 * (i + 1)
        made.activity.offer(ActivityRecord(at(seconds), 0.95 if 3 < seconds < 5 or 8 < seconds < 10 else 0.03, False))
    points = tuple((0.3 + 0.04 * i, 0.5) if i != 6 else None for i in range(10))
    for i in range(12):
        made.pictures.offer(Picture(at(i), 640, 360, b'\xff\xd8jpeg', (DrawnSkeleton('p1', points),) if i else ()))
    return made
