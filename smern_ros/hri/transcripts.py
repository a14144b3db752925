# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Assigns the texts of an external speech recogniser, which knows no utterances, to our utterances."""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from smern_ros.audio.segmenter import UtteranceState
from smern_ros.values import CLOCK_JUMP, SECOND, Transcript, is_english

MAX_TEXTS = 64
"""Texts of one utterance; older ones are dropped."""
REMEMBERED = 16
"""Utterances, and waiting texts, that are kept."""
MARGIN = SECOND // 2
"""ns after an utterance's end in which a text still belongs to it: no recogniser is faster."""
ANNOUNCE_TIMEOUT = 3 * SECOND // 4
"""ns of silence after speech within which its utterance is announced, if it is one."""


@dataclass(frozen=True)
class RecognizedText:
    """A text of a recogniser."""

    text: str
    stamp_ns: int
    confidence: float  # 0..1
    language: str      # ISO 639-1
    voice: str = ''    # id of the voice; empty: unknown


@dataclass
class _Utterance:
    start_ns: int
    end_ns: int
    ended: bool = False
    voice: str = ''    # id of the voice; empty: unknown
    texts: list[RecognizedText] = field(default_factory=list)


class TranscriptAssigner:
    """Assigns each text to an utterance, by its voice and its stamp.

    Recognisers stamp a text between the start of the speech and its publication. So it belongs to the utterance whose
    span contains its stamp; else to the oldest one without text that ended before, within `wait`; else to the newest
    such one, as its continuation. A text waits while there is speech after the last known utterance, which may become
    the utterance of the text.
    """

    def __init__(self, wait: float) -> None:
        """:param wait: s after the end of an utterance in which its text may be stamped."""
        self._wait_ns = round(wait * SECOND)
        self.clear()

    def clear(self) -> None:
        self._utterances: OrderedDict[str, _Utterance] = OrderedDict()
        self._waiting: list[tuple[RecognizedText, int]] = []  # each with the time of the sound when it came
        self._newest_ns = 0    # end of an utterance
        self._now_ns = 0       # of the sound
        self._known_ns = 0     # up to where it is known which speech was an utterance
        self._since_ns = 0     # speech after that: from when to when, and whose
        self._spoken_ns = 0
        self._voice = ''

    def announce(
        self, utterance_id: str, start_ns: int, end_ns: int, state: UtteranceState, voice: str = ''
    ) -> list[Transcript]:
        """Takes a state of an utterance.

        :param voice: id of its voice; empty: unknown.
        :return: the transcripts of ended utterances that changed.
        """
        if end_ns < self._newest_ns - CLOCK_JUMP:
            self.clear()
        self._newest_ns = max(self._newest_ns, end_ns)
        self._known_ns = max(self._known_ns, end_ns)
        utterance = self._utterances.setdefault(utterance_id, _Utterance(start_ns, end_ns))
        utterance.end_ns, utterance.ended, utterance.voice = end_ns, state == UtteranceState.ENDED, voice
        while len(self._utterances) > REMEMBERED:
            self._utterances.popitem(last=False)
        oldest_ns = end_ns - self._wait_ns - CLOCK_JUMP  # too old for any utterance
        self._waiting = [waiting for waiting in self._waiting if waiting[0].stamp_ns > oldest_ns]
        return self._assign(utterance_id)

    @property
    def now_ns(self) -> int:
        """Stamp of the newest voice activity; 0: none yet."""
        return self._now_ns

    def update_activity(self, stamp_ns: int, *, speaks: bool, voice: str = '') -> list[Transcript]:
        """Takes the voice activity at that time.

        :return: as of `announce`.
        """
        if stamp_ns < self._now_ns - CLOCK_JUMP:  # `announce` clears the rest
            self._known_ns = self._spoken_ns = self._now_ns = 0
        self._now_ns = max(self._now_ns, stamp_ns)
        if speaks and stamp_ns > self._known_ns:
            if self._spoken_ns <= self._known_ns:
                self._since_ns = stamp_ns
            self._spoken_ns, self._voice = max(self._spoken_ns, stamp_ns), voice
        elif self._now_ns > self._spoken_ns + ANNOUNCE_TIMEOUT:
            return self.expire_pending()
        return self._assign()

    def expire_pending(self) -> list[Transcript]:
        """The speech after the last utterance became none: stops waiting for it. :return: as of `announce`."""
        self._known_ns = max(self._known_ns, self._spoken_ns)
        return self._assign()

    def add(self, text: RecognizedText) -> list[Transcript]:
        """Takes a text. :return: as of `announce`."""
        self._waiting = [*self._waiting, (text, self._now_ns)][-REMEMBERED:]
        return self._assign()

    def _assign(self, *news: str) -> list[Transcript]:
        """Assigns the waiting texts whose utterance is known."""
        waiting, self._waiting = self._waiting, []
        changed = dict.fromkeys(news)
        for text, received_ns in waiting:
            utterance_id = self._find_utterance(text, received_ns)
            if utterance_id is None:
                self._waiting.append((text, received_ns))
                continue
            utterance = self._utterances[utterance_id]
            utterance.texts = [*utterance.texts, text][-MAX_TEXTS:]
            changed[utterance_id] = None
        return [t for t in map(self._transcript, changed) if t is not None]

    def _find_utterance(self, text: RecognizedText, received_ns: int) -> str | None:
        begun = {
            i: u for i, u in self._utterances.items()
            if u.start_ns <= text.stamp_ns and (not u.voice or text.voice in ('', u.voice))
        }
        may_be_of_the_next = (
            self._spoken_ns > self._known_ns and text.stamp_ns > self._since_ns - MARGIN
            and (not self._voice or text.voice in ('', self._voice))
        )
        margin = 0 if may_be_of_the_next else MARGIN
        for utterance_id, utterance in reversed(begun.items()):
            if text.stamp_ns <= utterance.end_ns + margin:
                return utterance_id
        recent = {i: u for i, u in begun.items() if text.stamp_ns <= u.end_ns + self._wait_ns}
        wordless = next((i for i, u in recent.items() if not u.texts), None)
        if may_be_of_the_next:
            # It came in the middle of speech: that of before, if that has no words yet or the new had hardly begun.
            is_of_before = wordless is not None or received_ns < self._since_ns + MARGIN
            if not is_of_before or self._spoken_ns <= received_ns + MARGIN:
                return None
        return wordless or next(reversed(recent), None)

    def _transcript(self, utterance_id: str) -> Transcript | None:
        utterance = self._utterances[utterance_id]
        if not (utterance.ended and utterance.texts):
            return None
        languages = [text.language for text in utterance.texts]
        return Transcript(
            utterance_id, utterance.start_ns, utterance.end_ns, ' '.join(text.text for text in utterance.texts),
            confidence=min(text.confidence for text in utterance.texts),
            # Of several languages the one whose words are not to be read as English.
            language=next((tag for tag in languages if not is_english(tag)), languages[-1]),
        )
