# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Segmentation into utterances from the speech probability of each frame."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from smern_ros.audio import vad

FRAME_SECONDS = vad.FRAME / vad.SAMPLE_RATE


class UtteranceState(IntEnum):
    """State of an utterance. The numbers are those of the Utterance message."""

    TENTATIVE = 0  # silence; speech may resume
    ENDED = 1      # final end
    RESUMED = 2    # speech resumed; the tentative end is revoked


@dataclass(frozen=True)
class Segmentation:
    """Settings of the segmentation. Times in seconds, rounded to frames of 32 ms."""

    threshold: float = 0.5          # probability from which a frame is voiced
    release: float = 0.35           # probability from which a frame after a voiced one still is
    pre_roll: float = 0.2           # of sound before the first voiced frame
    tentative_silence: float = 0.128
    end_silence: float = 0.448
    margin: float = 0.128           # of sound after the last voiced frame; not more than tentative_silence
    min_speech_duration: float = 0.25          # voiced frames together; less is no utterance
    max_utterance_duration: float = 15.0           # an utterance is cut there

    def __post_init__(self) -> None:
        if not 0 < self.release <= self.threshold < 1:
            raise ValueError(f'expected 0 < release <= threshold < 1; got {self.release} and {self.threshold}')
        if not self.margin <= self.tentative_silence < self.end_silence < self.max_utterance_duration:
            raise ValueError(
                'expected margin <= tentative_silence < end_silence < max_utterance_duration; got '
                f'{self.margin}, {self.tentative_silence}, {self.end_silence}, {self.max_utterance_duration} s'
            )
        if not self.min_speech_duration < self.max_utterance_duration:
            raise ValueError(
                f'expected min_speech_duration < max_utterance_duration; got {self.min_speech_duration} and '
                f'{self.max_utterance_duration} s'
            )


@dataclass(frozen=True)
class Cut:
    """A boundary in frames since the start of the stream; `end` and `voiced_end` are the first frame after."""

    state: UtteranceState
    start: int
    end: int
    voiced_end: int


@dataclass
class _Open:
    """The open utterance."""

    start: int
    voiced_end: int
    voiced: int = 0             # frames
    announced: bool = False     # its tentative end was announced and not revoked


class Segmenter:
    """Groups voiced frames into utterances.

    >>> segmenter = Segmenter(Segmentation())
    >>> for probability in probabilities:  # one a frame of 32 ms
    ...     for cut in segmenter.push(probability):
    ...         print(cut.state.name, cut.start, cut.end)
    """

    def __init__(self, settings: Segmentation) -> None:
        self._set(settings)
        self.reset()

    def _set(self, settings: Segmentation) -> None:
        self._settings = settings
        self._pre_roll, self._tentative, self._ending, self._margin, self._shortest = (
            round(seconds / FRAME_SECONDS)
            for seconds in (
                settings.pre_roll,
                settings.tentative_silence,
                settings.end_silence,
                settings.margin,
                settings.min_speech_duration,
            )
        )
        self._longest = int(settings.max_utterance_duration / FRAME_SECONDS)

    def reset(self) -> None:
        """Restart at frame 0 without an open utterance."""
        self._open: _Open | None = None
        self._frame = 0           # frames seen
        self._earliest = 0        # no utterance may begin before
        self.is_speaking = False  # the newest frame is voiced

    def change(self, settings: Segmentation) -> None:
        """Change settings from the next frame on. No utterance starts before `oldest_needed`."""
        earliest = self.oldest_needed
        self._set(settings)
        self._earliest = max(self._earliest, earliest)

    @property
    def oldest_needed(self) -> int:
        """The first frame whose samples may still become part of an utterance."""
        if self._open is not None:
            return self._open.start
        return max(self._earliest, self._frame - self._pre_roll)

    @property
    def in_utterance(self) -> bool:
        return self._open is not None

    def push(self, probability: float, *, muted: bool = False) -> list[Cut]:
        """Add the next frame.

        :param muted: ends an open utterance before this frame, and starts none
        """
        if muted:
            self.is_speaking = False
            cuts = self.close()
            self._frame += 1
            self._earliest = self._frame
            return cuts
        settings = self._settings
        self.is_speaking = probability >= (settings.release if self.is_speaking else settings.threshold)
        self._frame += 1
        return list(self._voiced() if self.is_speaking else self._silent())

    def close(self) -> list[Cut]:
        """End the open utterance at the last frame."""
        return list(self._end(min(self._open.voiced_end + self._margin, self._frame))) if self._open else []

    def _voiced(self) -> Iterator[Cut]:
        if self._open is None:
            start = max(self._earliest, self._frame - 1 - self._pre_roll)
            self._open = _Open(start=start, voiced_end=self._frame)
        utterance = self._open
        if utterance.announced:
            utterance.announced = False
            yield self._cut(UtteranceState.RESUMED, utterance.voiced_end + self._margin)
        utterance.voiced += 1
        utterance.voiced_end = self._frame
        if self._too_long():
            yield from self._end(self._frame)
            self._open = _Open(start=self._frame, voiced_end=self._frame)

    def _silent(self) -> Iterator[Cut]:
        utterance = self._open
        if utterance is None:
            return
        silence = self._frame - utterance.voiced_end
        if silence >= self._ending or self._too_long():
            yield from self._end(min(utterance.voiced_end + self._margin, self._frame))
        elif silence == self._tentative and utterance.voiced >= self._shortest:
            utterance.announced = True
            yield self._cut(UtteranceState.TENTATIVE, utterance.voiced_end + self._margin)

    def _too_long(self) -> bool:
        return self._open is not None and self._frame - self._open.start >= self._longest

    def _end(self, end: int) -> Iterator[Cut]:
        utterance = self._open
        if utterance is not None and utterance.voiced >= self._shortest:
            if not utterance.announced:
                yield self._cut(UtteranceState.TENTATIVE, end)
            yield self._cut(UtteranceState.ENDED, end)
            self._earliest = end
        self._open = None

    def _cut(self, state: UtteranceState, end: int) -> Cut:
        assert self._open is not None
        return Cut(state, self._open.start, end, self._open.voiced_end)
