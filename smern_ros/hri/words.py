"""Words that another recogniser understood, to the utterances that we cut: it knows nothing of ours."""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from smern_ros.audio.segmenter import State
from smern_ros.values import CLOCK_JUMP, SECOND, Transcript

MOST_TEXTS = 64
"""Of one utterance; a recogniser that cuts it finer is not believed."""
REMEMBERED = 16
"""Utterances that may get words; texts that may wait for their utterance."""
MARGIN = SECOND // 2
"""ns after an utterance's end within which words are stamped that belong to it."""


@dataclass(frozen=True)
class Said:
    """A text, as a recogniser gave it."""

    text: str
    stamp_ns: int
    confidence: float  # 0..1
    language: str      # ISO 639-1


@dataclass
class _Utterance:
    start_ns: int
    end_ns: int
    ended: bool = False
    said: list[Said] = field(default_factory=list)


class SpokenWords:
    """Gives each text to the utterance that it must be of, by its stamp.

    Recognisers stamp a text anywhere from the beginning of the speech to the moment in which they publish it. So it is
    of the utterance in whose span its stamp lies; else of the oldest one without words that ended before, not too long
    ago; else of the newest such one, as its continuation. A text that comes before its utterance is known waits.
    """

    def __init__(self, wait: float) -> None:
        """:param wait: s after the end of an utterance in which words for it may be stamped."""
        self._wait_ns = round(wait * SECOND)
        self._utterances: OrderedDict[str, _Utterance] = OrderedDict()
        self._waiting: list[Said] = []
        self._newest_ns = 0

    def clear(self) -> None:
        self._utterances.clear()
        self._waiting.clear()
        self._newest_ns = 0

    def announce(self, utterance_id: str, start_ns: int, end_ns: int, state: State) -> Transcript | None:
        """News of an utterance.

        :return: its words, if it has ended and they are there.
        """
        if end_ns < self._newest_ns - CLOCK_JUMP:
            self.clear()
        self._newest_ns = max(self._newest_ns, end_ns)
        utterance = self._utterances.setdefault(utterance_id, _Utterance(start_ns, end_ns))
        utterance.end_ns, utterance.ended = end_ns, state == State.ENDED
        while len(self._utterances) > REMEMBERED:
            self._utterances.popitem(last=False)
        early, self._waiting = self._waiting, []
        for said in early:
            if said.stamp_ns > end_ns - self._wait_ns - CLOCK_JUMP:  # else nobody will ever want it
                self.say(said)
        return self._transcript(utterance_id)

    def say(self, said: Said) -> Transcript | None:
        """Something was understood.

        :return: all words of its utterance, if that has ended.
        """
        utterance_id = self._find(said.stamp_ns)
        if utterance_id is None:
            self._waiting = [*self._waiting, said][-REMEMBERED:]
            return None
        utterance = self._utterances[utterance_id]
        utterance.said = [*utterance.said, said][-MOST_TEXTS:]
        return self._transcript(utterance_id)

    def _find(self, stamp_ns: int) -> str | None:
        begun = {i: u for i, u in self._utterances.items() if u.start_ns <= stamp_ns}
        for utterance_id, utterance in reversed(begun.items()):
            if stamp_ns <= utterance.end_ns + MARGIN:
                return utterance_id
        recent = {i: u for i, u in begun.items() if stamp_ns <= u.end_ns + self._wait_ns}
        wordless = [i for i, u in recent.items() if not u.said]
        return next(iter(wordless), next(reversed(recent), None))

    def _transcript(self, utterance_id: str) -> Transcript | None:
        utterance = self._utterances[utterance_id]
        if not (utterance.ended and utterance.said):
            return None
        return Transcript(
            utterance_id, utterance.start_ns, utterance.end_ns, ' '.join(said.text for said in utterance.said),
            confidence=min(said.confidence for said in utterance.said), language=utterance.said[-1].language,
        )
