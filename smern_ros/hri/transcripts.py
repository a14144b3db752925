"""Words that another recogniser understood, to the utterances that we cut: it knows nothing of ours."""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from smern_ros.audio.segmenter import UtteranceState
from smern_ros.values import CLOCK_JUMP, SECOND, Transcript, is_english

MOST_TEXTS = 64
"""Of one utterance; a recogniser that cuts it finer is not believed."""
REMEMBERED = 16
"""Utterances that may get words; texts that may wait for their utterance."""
MARGIN = SECOND // 2
"""ns after an utterance's end within which words are stamped that belong to it. In less than that no recogniser has
understood what is being said."""
UNANNOUNCED = 3 * SECOND // 4
"""ns of silence after speech in which its end is announced, if it was an utterance."""


@dataclass(frozen=True)
class RecognizedText:
    """A text, as a recogniser gave it."""

    text: str
    stamp_ns: int
    confidence: float  # 0..1
    language: str      # ISO 639-1
    voice: str = ''    # whose; empty: anybody's


@dataclass
class _Utterance:
    start_ns: int
    end_ns: int
    ended: bool = False
    voice: str = ''    # whose sound it is; empty: anybody's
    said: list[RecognizedText] = field(default_factory=list)


class TranscriptAssigner:
    """Gives each text to the utterance that it must be of, by its voice and its stamp.

    Recognisers stamp a text anywhere from the beginning of the speech to the moment in which they publish it. So it is
    of the utterance in whose span its stamp lies; else of the oldest one without words that ended before, not too long
    ago; else of the newest such one, as its continuation. A text that comes before its utterance is known waits: while
    there has been speech since the last utterance that is known, it may be of that.
    """

    def __init__(self, wait: float) -> None:
        """:param wait: s after the end of an utterance in which words for it may be stamped."""
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
        """News of an utterance.

        :param voice: whose sound it is; empty: anybody's.
        :return: the words of those that have ended, and of which more is known than before.
        """
        if end_ns < self._newest_ns - CLOCK_JUMP:
            self.clear()
        self._newest_ns = max(self._newest_ns, end_ns)
        self._known_ns = max(self._known_ns, end_ns)
        utterance = self._utterances.setdefault(utterance_id, _Utterance(start_ns, end_ns))
        utterance.end_ns, utterance.ended, utterance.voice = end_ns, state == UtteranceState.ENDED, voice
        while len(self._utterances) > REMEMBERED:
            self._utterances.popitem(last=False)
        oldest_ns = end_ns - self._wait_ns - CLOCK_JUMP  # nobody will ever want what is older
        self._waiting = [waiting for waiting in self._waiting if waiting[0].stamp_ns > oldest_ns]
        return self._give(utterance_id)

    @property
    def now_ns(self) -> int:
        """Up to when the sound was heard; 0: not at all."""
        return self._now_ns

    def hear(self, stamp_ns: int, *, speaks: bool, voice: str = '') -> list[Transcript]:
        """Somebody speaks at that time, or nobody does.

        :return: as of `announce`.
        """
        if stamp_ns < self._now_ns - CLOCK_JUMP:  # the utterances will tell
            self._known_ns = self._spoken_ns = self._now_ns = 0
        self._now_ns = max(self._now_ns, stamp_ns)
        if speaks and stamp_ns > self._known_ns:
            if self._spoken_ns <= self._known_ns:
                self._since_ns = stamp_ns
            self._spoken_ns, self._voice = max(self._spoken_ns, stamp_ns), voice
        elif self._now_ns > self._spoken_ns + UNANNOUNCED:
            return self.give_up()
        return self._give()

    def give_up(self) -> list[Transcript]:
        """What was spoken since the last utterance was none: nothing waits for it. :return: as of `announce`."""
        self._known_ns = max(self._known_ns, self._spoken_ns)
        return self._give()

    def say(self, said: RecognizedText) -> list[Transcript]:
        """Something was understood. :return: as of `announce`."""
        self._waiting = [*self._waiting, (said, self._now_ns)][-REMEMBERED:]
        return self._give()

    def _give(self, *news: str) -> list[Transcript]:
        """Each text that waits to its utterance, if that is known."""
        waiting, self._waiting = self._waiting, []
        changed = dict.fromkeys(news)
        for said, came_ns in waiting:
            utterance_id = self._find(said, came_ns)
            if utterance_id is None:
                self._waiting.append((said, came_ns))
                continue
            utterance = self._utterances[utterance_id]
            utterance.said = [*utterance.said, said][-MOST_TEXTS:]
            changed[utterance_id] = None
        return [t for t in map(self._transcript, changed) if t is not None]

    def _find(self, said: RecognizedText, came_ns: int) -> str | None:
        begun = {
            i: u for i, u in self._utterances.items()
            if u.start_ns <= said.stamp_ns and (not u.voice or said.voice in ('', u.voice))
        }
        may_be_of_the_next = (
            self._spoken_ns > self._known_ns and said.stamp_ns > self._since_ns - MARGIN
            and (not self._voice or said.voice in ('', self._voice))
        )
        margin = 0 if may_be_of_the_next else MARGIN
        for utterance_id, utterance in reversed(begun.items()):
            if said.stamp_ns <= utterance.end_ns + margin:
                return utterance_id
        recent = {i: u for i, u in begun.items() if said.stamp_ns <= u.end_ns + self._wait_ns}
        wordless = next((i for i, u in recent.items() if not u.said), None)
        if may_be_of_the_next:
            # It came in the middle of speech: that of before, if that has no words yet or the new had hardly begun.
            is_of_before = wordless is not None or came_ns < self._since_ns + MARGIN
            if not is_of_before or self._spoken_ns <= came_ns + MARGIN:
                return None
        return wordless or next(reversed(recent), None)

    def _transcript(self, utterance_id: str) -> Transcript | None:
        utterance = self._utterances[utterance_id]
        if not (utterance.ended and utterance.said):
            return None
        languages = [said.language for said in utterance.said]
        return Transcript(
            utterance_id, utterance.start_ns, utterance.end_ns, ' '.join(said.text for said in utterance.said),
            confidence=min(said.confidence for said in utterance.said),
            # Of several languages the one whose words are not to be read as English.
            language=next((tag for tag in languages if not is_english(tag)), languages[-1]),
        )
