# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Audio chunks to voice activity and utterances."""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from smern_ros.audio.pcm import require_rate
from smern_ros.audio.resampler import Resampler
from smern_ros.audio.segmenter import Cut, Segmentation, Segmenter, UtteranceState
from smern_ros.audio.vad import FRAME, SAMPLE_RATE, VoiceDetector
from smern_ros.values import SECOND, Utterance

FRAME_NS = FRAME * SECOND // SAMPLE_RATE
SAMPLE_NS = SECOND // SAMPLE_RATE


REMEMBERED = 64  # intervals


class TimeIntervals:
    """Intervals of a flag that is set and reset by stamps, such as the robot's speech."""

    def __init__(self, tail: float) -> None:
        """:param tail: s by which each interval is extended"""
        self.tail = tail  # may be changed at any time
        self._since: int | None = None
        self._past: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def set(self, stamp_ns: int, on: bool) -> None:
        """Set or reset the flag. Repeated values are ignored."""
        if on and self._since is None:
            self._since = stamp_ns
        elif not on and self._since is not None:
            self._past.append((self._since, max(stamp_ns, self._since) + round(self.tail * SECOND)))
            self._since = None

    def overlaps(self, start_ns: int, end_ns: int) -> bool:
        """Whether the flag is set at any time of the span. Spans must be queried in order."""
        while self._past and self._past[0][1] <= start_ns:
            self._past.popleft()
        now = self._since is not None and self._since < end_ns
        return now or any(begin < end_ns and start_ns < end for begin, end in self._past)

    def restart(self) -> None:
        """After the clock jumped back: keeps only the current value."""
        self._past.clear()
        if self._since is not None:
            self._since = 0


@dataclass(frozen=True)
class Activity:
    """One frame of the voice activity detector."""

    stamp_ns: int       # end of the frame
    probability: float  # 0..1, of speech
    is_speaking: bool
    muted: bool


@dataclass(frozen=True, eq=False)
class Boundary:
    """A change of an utterance's state: tentative end, end, or resumed."""

    state: UtteranceState
    utterance: Utterance  # RESUMED: with the revoked end, without samples
    last_voiced_ns: int   # end of the last voiced frame


@dataclass(frozen=True)
class Discontinuity:
    """A jump of the stamps; it ends an open utterance and restarts the stream."""

    seconds: float  # of the jump; negative: backwards

    @property
    def kind(self) -> str:
        return 'gap' if self.seconds > 0 else 'backwards'


Event = Activity | Boundary | Discontinuity


class SpeechStream:
    """Segments a stream of audio into utterances.

    Time is counted in samples from the first chunk's stamp. Drift of the stamps up to `tolerance` is corrected between
    utterances; a larger difference is a discontinuity. Events depend only on samples and stamps, not on arrival times
    or chunk sizes.

    >>> stream = SpeechStream()
    >>> for samples, stamp_ns in chunks:  # (N,) float32 at 16 kHz
    ...     for event in stream.push(samples, 16000, stamp_ns):
    ...         if isinstance(event, Boundary) and event.state == UtteranceState.ENDED:
    ...             print(event.utterance.id, len(event.utterance.samples))
    """

    def __init__(
        self, *, segmentation: Segmentation = Segmentation(), tolerance: float = 0.1, mute_tail: float = 0.2,
        own_detector: bool = True,
    ) -> None:
        """:param tolerance: s by which stamps may differ from the count of samples
        :param mute_tail: s for which audio stays muted after the robot stops speaking
        :param own_detector: False: voice activity is set by `tell`
        """
        self.tolerance = tolerance  # may be changed at any time
        self._detector = VoiceDetector()
        self._segmenter = Segmenter(segmentation)
        self._mute = TimeIntervals(mute_tail)
        self._voiced = None if own_detector else TimeIntervals(0.0)
        self._resampler: Resampler | None = None
        self.reset()

    def reset(self) -> None:
        """Restart the stream with the next chunk. `mute` stays in effect."""
        self._detector.reset()
        self._segmenter.reset()
        self._resampler = None
        self._rate = 0                              # Hz, of the input
        self._anchor_ns = 0                         # time of the first sample
        self._run_start_ns = 0                      # since when the input has this rate
        self._run_samples = 0                       # input samples since then
        self._expected_ns: int | None = None        # stamp that the next chunk should have
        self._pending = np.zeros(0, np.float32)     # resampled, not yet a frame
        self._received = 0                          # resampled samples
        self._frames: deque[np.ndarray] = deque()   # those that may become part of an utterance
        self._first_frame = 0                       # number of the oldest of them

    def change(self, segmentation: Segmentation, mute_tail: float) -> None:
        """Change settings, from the next frame on."""
        self._segmenter.change(segmentation)
        self._mute.tail = mute_tail

    def mute(self, stamp_ns: int, on: bool) -> None:
        """Mute (the robot starts speaking) or unmute at that stamp."""
        self._mute.set(stamp_ns, on)

    def tell(self, stamp_ns: int, speaks: bool) -> None:
        """Set the voice activity of an external detector at that stamp.

        :raises ValueError: with `own_detector`.
        """
        if self._voiced is None:
            raise ValueError('this stream uses its own voice activity detector; create it with own_detector=False')
        self._voiced.set(stamp_ns, speaks)

    def push(self, samples: np.ndarray, sample_rate: int, stamp_ns: int) -> list[Event]:
        """Take the next chunk.

        :param samples: (N,) float32 in -1..1, mono
        :param sample_rate: Hz; may change from chunk to chunk
        :param stamp_ns: time of the first sample
        :return: events in the order of time
        :raises ValueError: for an invalid rate, stamp or shape; the stream is unchanged
        """
        require_rate(sample_rate)
        if stamp_ns < 0:
            raise ValueError(f'stamp is {stamp_ns} ns; it must not be negative')
        if samples.ndim != 1:
            raise ValueError(f'samples have shape {samples.shape}; expected mono (N,)')
        events = self._follow(stamp_ns)
        if self._resampler is None:
            self._resampler = Resampler(sample_rate, SAMPLE_RATE)
        elif sample_rate != self._rate:
            events += self._feed(self._resampler.flush())
            self._resampler = Resampler(sample_rate, SAMPLE_RATE)
        if sample_rate != self._rate:
            self._rate, self._run_samples = sample_rate, 0
            self._run_start_ns = self._anchor_ns + self._received * SAMPLE_NS
        self._run_samples += len(samples)
        self._expected_ns = self._run_start_ns + self._run_samples * SECOND // sample_rate
        return events + self._feed(self._resampler.push(samples))

    def flush(self) -> list[Event]:
        """End the open utterance and restart the stream."""
        if self._resampler is None:
            return []
        events = self._feed(self._resampler.flush())
        if len(self._pending):
            events += self._take(np.pad(self._pending, (0, FRAME - len(self._pending))))
        was_speaking = self._segmenter.is_speaking
        events += [self._boundary(cut) for cut in self._segmenter.close()]
        if was_speaking:  # subscribers must see the end of speech
            end_ns = self._time(self._first_frame + len(self._frames))
            events.append(Activity(end_ns + FRAME_NS, 0.0, is_speaking=False, muted=False))
        self.reset()
        return events

    @property
    def in_utterance(self) -> bool:
        """Whether an utterance is open."""
        return self._segmenter.in_utterance

    def _follow(self, stamp_ns: int) -> list[Event]:
        """Compare a chunk's stamp with the count of samples."""
        if self._expected_ns is None:
            self._anchor_ns = stamp_ns
            return []
        ahead_ns = stamp_ns - self._expected_ns
        if abs(ahead_ns) > self.tolerance * SECOND:
            events = self.flush()
            if ahead_ns < 0:
                self._mute.restart()
                if self._voiced is not None:
                    self._voiced.restart()
            self._anchor_ns = stamp_ns
            return [*events, Discontinuity(ahead_ns / SECOND)]
        if abs(ahead_ns) > self.tolerance * SECOND / 2 and not self.in_utterance:
            self._anchor_ns += ahead_ns
            self._run_start_ns += ahead_ns
            self._expected_ns += ahead_ns
        return []

    def _feed(self, samples: np.ndarray) -> list[Event]:
        """Take samples at the detector's rate."""
        self._received += len(samples)
        self._pending = np.concatenate([self._pending, samples])
        whole = len(self._pending) // FRAME * FRAME
        frames, self._pending = self._pending[:whole].reshape(-1, FRAME), self._pending[whole:].copy()
        return [event for frame in frames for event in self._take(frame)]

    def _take(self, frame: np.ndarray) -> list[Event]:
        start_ns = self._time(self._first_frame + len(self._frames))
        end_ns = start_ns + FRAME_NS
        self._frames.append(frame)
        muted = self._mute.overlaps(start_ns, end_ns)
        if self._voiced is None:
            probability = self._detector.probability(frame)
        else:
            probability = float(self._voiced.overlaps(start_ns, end_ns))
        cuts = self._segmenter.push(probability, muted=muted)
        events: list[Event] = [Activity(end_ns, probability, self._segmenter.is_speaking, muted)]
        events += map(self._boundary, cuts)
        while self._frames and self._first_frame < self._segmenter.oldest_needed:
            self._frames.popleft()
            self._first_frame += 1
        return events

    def _boundary(self, cut: Cut) -> Boundary:
        start_ns = self._time(cut.start)
        end = min(cut.end * FRAME, self._received)  # the last frame of a stream may be filled up with silence
        samples = np.zeros(0, np.float32)
        if cut.state != UtteranceState.RESUMED:
            first, last = cut.start - self._first_frame, cut.end - self._first_frame
            samples = np.concatenate([self._frames[i] for i in range(first, last)])[: end - cut.start * FRAME]
        seconds, rest_ns = divmod(start_ns, SECOND)
        utterance = Utterance(
            id=f'u{seconds}.{rest_ns // 1_000_000:03d}',
            start_ns=start_ns,
            end_ns=self._anchor_ns + end * SAMPLE_NS,
            samples=samples,
        )
        return Boundary(cut.state, utterance, min(self._time(cut.voiced_end), utterance.end_ns))

    def _time(self, frame: int) -> int:
        return self._anchor_ns + frame * FRAME_NS


QUIET_PERIOD = 3
"""Of this many frames without speech one is published, some ten a second."""


class ActivityDecimator:
    """Reduces the rate of voice activity messages without speech."""

    def __init__(self) -> None:
        self._told: Activity | None = None  # the last

    def should_publish(self, frame: Activity) -> bool:
        """True for frames with speech, changes and time jumps, and every third other frame. Call it in order."""
        told = self._told
        if told is not None and not frame.is_speaking:
            same = (frame.is_speaking, frame.muted) == (told.is_speaking, told.muted)
            if same and 0 < frame.stamp_ns - told.stamp_ns < QUIET_PERIOD * FRAME_NS:
                return False
        self._told = frame
        return True
