"""Which audio, words and movement belong to one utterance, and when enough of it is there to speak.

Evidence comes on several paths at different speeds. It is keyed by the utterance's id and end: the voice activity
detector may take an end back, and what was made for that end is then void. Times `now` are seconds on a steady clock;
everything else is on the input's time line, so what is told does not depend on when evidence arrived, only whether.
"""
from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from smern_ros.spec import AUDIO, MODALITIES, TEXT

Evidence = TypeVar('Evidence')
NEWS_WITHIN = 5.0
"""s in which the detector decides on an end that it announced; an utterance without news for longer has lost its
detector, or goes on, which voice activity tells."""


@dataclass(frozen=True)
class ReadyUtterance(Generic[Evidence]):
    """An utterance that should be told now, with the evidence there is."""

    utterance_id: str
    start_ns: int
    end_ns: int
    evidence: dict[str, Evidence]  # by modality; those that gave nothing or did not come are absent
    late: tuple[str, ...]          # modalities whose time passed
    is_final: bool


@dataclass
class _Pending(Generic[Evidence]):
    start_ns: int
    end_ns: int
    since: float
    void_ns: int = 0                # ends up to here were taken back
    ended_at: float | None = None
    first_evidence_at: float | None = None
    arrived: dict[str, Evidence | None] = field(default_factory=dict)
    provisional_told: bool = False

    def restart(self, end_ns: int) -> None:
        self.end_ns = end_ns
        self.arrived, self.first_evidence_at = {}, None
        self.ended_at, self.provisional_told = None, False


class Aligner(Generic[Evidence]):
    """Collects evidence by utterance.

    A provisional state is due once audio and skeleton are there, or the skeleton's time has passed. The final one is
    due once the utterance has ended and all that is expected is there, or the words' time has passed. Final states come
    in the order of their utterances: what is learnt of a person from one serves the next.
    """

    def __init__(
        self, *, expected: Sequence[str] = MODALITIES, skeleton_timeout: float = 0.3, text_timeout: float = 2.0,
        forget_after: float = 60.0, capacity: int = 16,
    ) -> None:
        """
        :param expected: modalities that are waited for; others are taken if they come in time.
        :param skeleton_timeout: s after the first evidence of an utterance.
        :param text_timeout: s after the decision that the utterance ended.
        :param forget_after: s without news of an utterance after which it is given up; more than the longest lasts.
        :param capacity: most utterances under way at once; beyond, the oldest is given up.
        """
        self.skeleton_timeout, self.text_timeout = skeleton_timeout, text_timeout  # may be changed at any time
        self._expected = {True: tuple(expected), False: tuple(m for m in expected if m != TEXT)}  # by: is it final?
        self._forget_after = forget_after
        self._capacity = capacity
        self._pending: OrderedDict[str, _Pending[Evidence]] = OrderedDict()
        self._told: OrderedDict[str, int] = OrderedDict()  # final end by id, so that late evidence is known as such
        self._asked_at = -math.inf
        self.given_up: list[str] = []
        """Ids of utterances dropped since this list was last cleared."""

    @property
    def busy(self) -> bool:
        """An utterance is under way: when `due` was last asked it had ended, or there had been news of it lately."""
        return any(p.ended_at is not None or self._asked_at < p.since + NEWS_WITHIN for p in self._pending.values())

    @property
    def pending(self) -> tuple[str, ...]:
        """Utterances of which something is known and no final state."""
        return tuple(self._pending)

    def announce(self, utterance_id: str, start_ns: int, end_ns: int, *, ended: bool, now: float) -> None:
        """The detector says that the utterance ends at end_ns: tentatively, or for good."""
        pending = self._at(utterance_id, start_ns, end_ns, now)
        if pending is not None and ended and pending.ended_at is None:
            pending.ended_at = now

    def resume(self, utterance_id: str, end_ns: int, *, now: float) -> None:
        """Speech goes on: what was made for this end or an earlier one is void."""
        pending = self._pending.get(utterance_id)
        if pending is not None:
            pending.void_ns = max(pending.void_ns, end_ns)
            pending.since = now
            if pending.end_ns <= end_ns:
                pending.restart(end_ns)

    def add(
        self, modality: str, utterance_id: str, start_ns: int, end_ns: int, evidence: Evidence | None, *, now: float
    ) -> bool:
        """Takes what one modality found; None: it looked and found nothing.

        :return: False if it came too late or for an end that was taken back.
        """
        pending = self._at(utterance_id, start_ns, end_ns, now)
        if pending is None:
            return False
        pending.arrived[modality] = evidence
        if pending.first_evidence_at is None:
            pending.first_evidence_at = now
        return True

    def due(self, now: float) -> list[ReadyUtterance[Evidence]]:
        """What should be told now, oldest utterance first; nothing is told twice."""
        self._asked_at = now
        ready = []
        held_up = False
        for utterance_id, pending in sorted(self._pending.items(), key=lambda item: item[1].start_ns):
            if not held_up and self._final_due(pending, now):
                ready.append(self._tell(utterance_id, pending, is_final=True))
                del self._pending[utterance_id]
                self._told[utterance_id] = pending.end_ns
                while len(self._told) > self._capacity:
                    self._told.popitem(last=False)
            elif self._provisional_due(pending, now):
                pending.provisional_told = True
                ready.append(self._tell(utterance_id, pending, is_final=False))
            elif now >= pending.since + self._forget_after:
                self._give_up(utterance_id)
            held_up = held_up or (pending.ended_at is not None and utterance_id in self._pending)
        return ready

    def next_deadline(self) -> float | None:
        """When `due` may have more to tell even if nothing arrives; later than it was last asked."""
        times = []
        for pending in self._pending.values():
            times.append(pending.since + self._forget_after)
            if pending.ended_at is not None:
                times.append(pending.ended_at + self.text_timeout)
            if pending.first_evidence_at is not None and not pending.provisional_told:
                times.append(pending.first_evidence_at + self.skeleton_timeout)
        return min((t for t in times if t > self._asked_at), default=None)

    def reset(self) -> None:
        """Forgets everything, as after a clock that jumped back."""
        self._pending.clear()
        self._told.clear()

    def _at(self, utterance_id: str, start_ns: int, end_ns: int, now: float) -> _Pending[Evidence] | None:
        """The utterance as it stands with this end, or None if this end is over."""
        if utterance_id in self._told:
            return None
        pending = self._pending.get(utterance_id)
        if pending is None:
            pending = self._pending[utterance_id] = _Pending(start_ns, end_ns, since=now)
            if len(self._pending) > self._capacity:
                self._give_up(next(iter(self._pending)))
        if end_ns <= pending.void_ns or end_ns < pending.end_ns:
            return None
        if end_ns > pending.end_ns:
            pending.restart(end_ns)
        pending.since = now
        return pending

    def _give_up(self, utterance_id: str) -> None:
        del self._pending[utterance_id]
        self.given_up.append(utterance_id)

    def _final_due(self, pending: _Pending[Evidence], now: float) -> bool:
        if pending.ended_at is None:
            return False
        return all(m in pending.arrived for m in self._expected[True]) or now >= pending.ended_at + self.text_timeout

    def _provisional_due(self, pending: _Pending[Evidence], now: float) -> bool:
        if pending.provisional_told or not any(e is not None for e in pending.arrived.values()):
            return False
        waited = pending.first_evidence_at is not None and now >= pending.first_evidence_at + self.skeleton_timeout
        return AUDIO in pending.arrived and (all(m in pending.arrived for m in self._expected[False]) or waited)

    def _tell(self, utterance_id: str, pending: _Pending[Evidence], *, is_final: bool) -> ReadyUtterance[Evidence]:
        evidence = {m: pending.arrived[m] for m in MODALITIES if pending.arrived.get(m) is not None}
        return ReadyUtterance(
            utterance_id, pending.start_ns, pending.end_ns, evidence,  # type: ignore[arg-type]
            late=tuple(m for m in self._expected[is_final] if m not in pending.arrived), is_final=is_final,
        )
