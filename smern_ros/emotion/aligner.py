# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Collects audio, text and skeleton evidence by utterance and decides when a state is ready to be published.

Evidence is keyed by the utterance's id and end: when the voice activity detector revokes an end, evidence for that end
is dropped. `now` is in seconds of a steady clock; all other times are stamps. So the content of a state depends on
which evidence arrived, not on when.
"""
from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from smern_ros.spec import AUDIO, MODALITIES, TEXT

Evidence = TypeVar('Evidence')
DECISION_TIMEOUT = 5.0
"""s within which the detector ends or resumes a tentative utterance; after that it does not count as `busy`."""


@dataclass(frozen=True)
class ReadyUtterance(Generic[Evidence]):
    """An utterance whose state should be published now."""

    utterance_id: str
    start_ns: int
    end_ns: int
    evidence: dict[str, Evidence]  # by modality; without those that are missing or empty
    late: tuple[str, ...]          # expected modalities that timed out
    is_final: bool


@dataclass
class _Pending(Generic[Evidence]):
    start_ns: int
    end_ns: int
    updated_at: float
    revoked_ns: int = 0             # ends up to here were revoked
    ended_at: float | None = None
    first_evidence_at: float | None = None
    evidence: dict[str, Evidence | None] = field(default_factory=dict)
    provisional_done: bool = False

    def restart(self, end_ns: int) -> None:
        self.end_ns = end_ns
        self.evidence, self.first_evidence_at = {}, None
        self.ended_at, self.provisional_done = None, False


class Aligner(Generic[Evidence]):
    """Collects evidence by utterance. Not thread-safe.

    A provisional state is ready once audio and skeleton arrived, or the skeleton timed out. The final one is ready once
    the utterance ended and all expected evidence arrived, or the text timed out. Final states come in the order of
    their utterances, because each updates the statistics of a person that the next one uses.
    """

    def __init__(
        self, *, expected: Sequence[str] = MODALITIES, skeleton_timeout: float = 0.3, text_timeout: float = 2.0,
        expire_after: float = 60.0, capacity: int = 16,
    ) -> None:
        """
        :param expected: modalities that are waited for; others are used if they are in time.
        :param skeleton_timeout: s after the first evidence of an utterance.
        :param text_timeout: s after the utterance ended.
        :param expire_after: s without an update after which an utterance is dropped; longer than the longest utterance.
        :param capacity: most utterances pending at once; beyond, the oldest is dropped.
        """
        self.skeleton_timeout, self.text_timeout = skeleton_timeout, text_timeout  # may be changed at any time
        self._expected_final = tuple(expected)
        self._expected_provisional = tuple(m for m in expected if m != TEXT)
        self._expire_after = expire_after
        self._capacity = capacity
        self._pending: OrderedDict[str, _Pending[Evidence]] = OrderedDict()
        self._finished: OrderedDict[str, None] = OrderedDict()  # ids with a final state; their late evidence is refused
        self._checked_at = -math.inf
        self.expired: list[str] = []
        """Ids of the utterances dropped since this list was last cleared."""

    @property
    def busy(self) -> bool:
        """Whether at the last call of `ready` an utterance had ended without a final state, or was updated lately."""
        return any(
            p.ended_at is not None or self._checked_at < p.updated_at + DECISION_TIMEOUT
            for p in self._pending.values()
        )

    @property
    def pending(self) -> tuple[str, ...]:
        """Ids of the utterances without a final state."""
        return tuple(self._pending)

    def announce(self, utterance_id: str, start_ns: int, end_ns: int, *, ended: bool, now: float) -> None:
        """:param ended: False: the end is tentative."""
        pending = self._update(utterance_id, start_ns, end_ns, now)
        if pending is not None and ended and pending.ended_at is None:
            pending.ended_at = now

    def resume(self, utterance_id: str, end_ns: int, *, now: float) -> None:
        """Revokes a tentative end: evidence for it or an earlier one is dropped."""
        pending = self._pending.get(utterance_id)
        if pending is not None:
            pending.revoked_ns = max(pending.revoked_ns, end_ns)
            pending.updated_at = now
            if pending.end_ns <= end_ns:
                pending.restart(end_ns)

    def add(
        self, modality: str, utterance_id: str, start_ns: int, end_ns: int, evidence: Evidence | None, *, now: float
    ) -> bool:
        """
        :param evidence: None: the modality has nothing usable, and is not waited for.
        :return: False if it is too late or for a revoked end.
        """
        pending = self._update(utterance_id, start_ns, end_ns, now)
        if pending is None:
            return False
        pending.evidence[modality] = evidence
        if pending.first_evidence_at is None:
            pending.first_evidence_at = now
        return True

    def ready(self, now: float) -> list[ReadyUtterance[Evidence]]:
        """:return: what should be published now, oldest utterance first; each is returned once."""
        self._checked_at = now
        ready = []
        blocked = False  # an earlier utterance ended and has no final state yet
        for utterance_id, pending in sorted(self._pending.items(), key=lambda item: item[1].start_ns):
            if not blocked and self._final_ready(pending, now):
                ready.append(self._to_ready(utterance_id, pending, is_final=True))
                del self._pending[utterance_id]
                self._finished[utterance_id] = None
                while len(self._finished) > self._capacity:
                    self._finished.popitem(last=False)
            elif self._provisional_ready(pending, now):
                pending.provisional_done = True
                ready.append(self._to_ready(utterance_id, pending, is_final=False))
            elif now >= pending.updated_at + self._expire_after:
                self._expire(utterance_id)
            blocked = blocked or (pending.ended_at is not None and utterance_id in self._pending)
        return ready

    def next_deadline(self) -> float | None:
        """When to call `ready` again even if nothing arrives; later than its last call."""
        times = []
        for pending in self._pending.values():
            times.append(pending.updated_at + self._expire_after)
            if pending.ended_at is not None:
                times.append(pending.ended_at + self.text_timeout)
            if pending.first_evidence_at is not None and not pending.provisional_done:
                times.append(pending.first_evidence_at + self.skeleton_timeout)
        return min((t for t in times if t > self._checked_at), default=None)

    def reset(self) -> None:
        """Drops everything, as after a clock that jumped back."""
        self._pending.clear()
        self._finished.clear()

    def _update(self, utterance_id: str, start_ns: int, end_ns: int, now: float) -> _Pending[Evidence] | None:
        """:return: the utterance with this end; None if the end is outdated or the utterance has a final state."""
        if utterance_id in self._finished:
            return None
        pending = self._pending.get(utterance_id)
        if pending is None:
            pending = self._pending[utterance_id] = _Pending(start_ns, end_ns, updated_at=now)
            if len(self._pending) > self._capacity:
                self._expire(next(iter(self._pending)))
        if end_ns <= pending.revoked_ns or end_ns < pending.end_ns:
            return None
        if end_ns > pending.end_ns:
            pending.restart(end_ns)
        pending.updated_at = now
        return pending

    def _expire(self, utterance_id: str) -> None:
        del self._pending[utterance_id]
        self.expired.append(utterance_id)

    def _final_ready(self, pending: _Pending[Evidence], now: float) -> bool:
        if pending.ended_at is None:
            return False
        return all(m in pending.evidence for m in self._expected_final) or now >= pending.ended_at + self.text_timeout

    def _provisional_ready(self, pending: _Pending[Evidence], now: float) -> bool:
        if pending.provisional_done or not any(e is not None for e in pending.evidence.values()):
            return False
        waited = pending.first_evidence_at is not None and now >= pending.first_evidence_at + self.skeleton_timeout
        return AUDIO in pending.evidence and (all(m in pending.evidence for m in self._expected_provisional) or waited)

    def _to_ready(self, utterance_id: str, pending: _Pending[Evidence], *, is_final: bool) -> ReadyUtterance[Evidence]:
        expected = self._expected_final if is_final else self._expected_provisional
        return ReadyUtterance(
            utterance_id, pending.start_ns, pending.end_ns,
            evidence={m: e for m in MODALITIES if (e := pending.evidence.get(m)) is not None},
            late=tuple(m for m in expected if m not in pending.evidence), is_final=is_final,
        )
