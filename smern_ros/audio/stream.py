"""From a microphone's chunks to utterances on the microphone's time line."""
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


REMEMBERED = 64  # spells that no sound has passed yet


class TimeIntervals:
    """From when to when it held, on the time line of the sound."""

    def __init__(self, tail: float) -> None:
        """:param tail: s for which it still holds after its end is told"""
        self.tail = tail  # may be changed at any time
        self._since: int | None = None
        self._past: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def set(self, stamp_ns: int, on: bool) -> None:
        """It begins or ends. Said again, it changes nothing."""
        if on and self._since is None:
            self._since = stamp_ns
        elif not on and self._since is not None:
            self._past.append((self._since, max(stamp_ns, self._since) + round(self.tail * SECOND)))
            self._since = None

    def overlaps(self, start_ns: int, end_ns: int) -> bool:
        """Whether it held in any of that span. Spans are asked for in their order."""
        while self._past and self._past[0][1] <= start_ns:
            self._past.popleft()
        now = self._since is not None and self._since < end_ns
        return now or any(begin < end_ns and start_ns < end for begin, end in self._past)

    def restart(self) -> None:
        """Time has jumped back: only what holds now still does."""
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
    """An utterance has perhaps ended, has ended, or goes on after all."""

    state: UtteranceState
    utterance: Utterance  # RESUMED: with the end that is void, without samples
    last_voiced_ns: int   # end of the last voiced frame


@dataclass(frozen=True)
class Discontinuity:
    """The stamps jumped: what was open has been ended, and the stream begins anew."""

    seconds: float  # of the jump; negative: backwards

    @property
    def kind(self) -> str:
        return 'gap' if self.seconds > 0 else 'backwards'


Event = Activity | Boundary | Discontinuity


class SpeechStream:
    """Finds utterances in a stream of sound.

    Time is counted in samples from the first chunk's stamp. Later stamps may differ from that count by `tolerance`;
    what builds up between utterances (a sound card's clock runs at its own pace) is followed there, and a larger
    difference is a discontinuity. The events depend on samples and stamps alone, never on when they arrive nor on how
    the stream is cut into chunks. Memory is bounded by the longest utterance.
    """

    def __init__(
        self, *, segmentation: Segmentation = Segmentation(), tolerance: float = 0.1, mute_tail: float = 0.2,
        own_detector: bool = True,
    ) -> None:
        """:param tolerance: s by which stamps may differ from the count of samples
        :param mute_tail: s after the robot's last sound, for loudspeaker and room to fall silent
        :param own_detector: False: voiced is what `tell` says
        """
        self.tolerance = tolerance  # may be changed at any time
        self._detector = VoiceDetector()
        self._segmenter = Segmenter(segmentation)
        self._mute = TimeIntervals(mute_tail)
        self._voiced = None if own_detector else TimeIntervals(0.0)
        self._resampler: Resampler | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next chunk begins another. The robot goes on speaking, if it does."""
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
        """Other settings from the next frame on, and from the robot's next words on."""
        self._segmenter.change(segmentation)
        self._mute.tail = mute_tail

    def mute(self, stamp_ns: int, on: bool) -> None:
        """The robot begins or ends to speak at that time."""
        self._mute.set(stamp_ns, on)

    def tell(self, stamp_ns: int, speaks: bool) -> None:
        """Somebody begins or ends to speak at that time, by whoever detects it in our place.

        :raises ValueError: if our own detector does.
        """
        if self._voiced is None:
            raise ValueError('this stream uses its own voice activity detector; create it with own_detector=False')
        self._voiced.set(stamp_ns, speaks)

    def push(self, samples: np.ndarray, sample_rate: int, stamp_ns: int) -> list[Event]:
        """Take the next chunk.

        :param samples: (N,) float32 in -1..1, mono
        :param sample_rate: Hz; may change from chunk to chunk
        :param stamp_ns: time of the first sample
        :return: what was found, in the order of time
        :raises ValueError: for a rate or stamp that cannot be, or samples of another shape; the stream is as before
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
        """The stream is over: end what is open, then forget the stream."""
        if self._resampler is None:
            return []
        events = self._feed(self._resampler.flush())
        if len(self._pending):
            events += self._take(np.pad(self._pending, (0, FRAME - len(self._pending))))
        was_speaking = self._segmenter.is_speaking
        events += [self._boundary(cut) for cut in self._segmenter.close()]
        if was_speaking:  # whoever listens must not believe for ever that somebody speaks
            end_ns = self._time(self._first_frame + len(self._frames))
            events.append(Activity(end_ns + FRAME_NS, 0.0, is_speaking=False, muted=False))
        self.reset()
        return events

    @property
    def in_utterance(self) -> bool:
        """An utterance is open: its end depends on sound still to come."""
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
"""Of this many frames in which nobody speaks, one is told: some ten a second still say how far the sound was heard."""


class ActivityDecimator:
    """Asked in the order of frames."""

    def __init__(self) -> None:
        self._told: Activity | None = None  # the last

    def should_publish(self, frame: Activity) -> bool:
        """All of speech, whatever differs from what was told before, and where the time jumped; of the rest some."""
        told = self._told
        if told is not None and not frame.is_speaking:
            same = (frame.is_speaking, frame.muted) == (told.is_speaking, told.muted)
            if same and 0 < frame.stamp_ns - told.stamp_ns < QUIET_PERIOD * FRAME_NS:
                return False
        self._told = frame
        return True
