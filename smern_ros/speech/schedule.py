# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Scheduling of recognition: which utterance is transcribed next, and whether its transcript is final.

Recognition starts at the tentative end of an utterance, so that the transcript is ready when it ends.
"""
from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from smern_ros.values import Transcript, Utterance


@dataclass(frozen=True)
class _Job:
    """An utterance to transcribe."""

    utterance: Utterance
    ended: bool                          # its end is final
    running: bool = False
    transcript: Transcript | None = None


class Schedule:
    """Pending utterances, the oldest first. Thread-safe."""

    def __init__(self, capacity: int) -> None:
        """:param capacity: utterances that may wait; beyond it tentative ones are dropped first."""
        self.capacity = capacity  # may be changed at any time
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()

    def tentative(self, utterance: Utterance) -> list[Utterance]:
        """Add a tentative end; replaces an earlier one.

        :return: ended utterances that were dropped.
        """
        with self._lock:
            self._jobs.pop(utterance.id, None)
            self._jobs[utterance.id] = _Job(utterance, ended=False)
            return self._shrink()

    def resumed(self, utterance_id: str) -> None:
        """Revoke the tentative end."""
        with self._lock:
            self._jobs.pop(utterance_id, None)

    def ended(self, utterance: Utterance) -> tuple[Transcript | None, list[Utterance]]:
        """Add a final end.

        :return: its transcript, if ready; and the ended utterances that were dropped.
        """
        with self._lock:
            job = self._jobs.get(utterance.id)
            if job is None or job.utterance.end_ns != utterance.end_ns:
                self._jobs.pop(utterance.id, None)
                self._jobs[utterance.id] = _Job(utterance, ended=True)
            elif job.transcript is not None:
                del self._jobs[utterance.id]
                return job.transcript, []
            else:
                self._jobs[utterance.id] = replace(job, ended=True)
            return None, self._shrink()

    def take(self) -> Utterance | None:
        """The next utterance to transcribe: the oldest ended one, else the newest tentative one."""
        with self._lock:
            waiting = [job for job in self._jobs.values() if not job.running and job.transcript is None]
            if not waiting:
                return None
            job = next((job for job in waiting if job.ended), waiting[-1])
            self._jobs[job.utterance.id] = replace(job, running=True)
            return job.utterance

    def finish(self, utterance: Utterance, transcript: Transcript | None) -> bool | None:
        """:param transcript: None if recognition failed.
        :return: whether the transcript is final; None if it is outdated.
        """
        with self._lock:
            job = self._jobs.get(utterance.id)
            if job is None or not job.running or job.utterance is not utterance:
                return None
            if transcript is None or job.ended:
                del self._jobs[utterance.id]
            else:
                self._jobs[utterance.id] = replace(job, running=False, transcript=transcript)
            return None if transcript is None else job.ended

    def waiting(self) -> int:
        """Number of utterances that wait."""
        with self._lock:
            return sum(not job.running and job.transcript is None for job in self._jobs.values())

    def clear(self) -> None:
        """Drop all utterances."""
        with self._lock:
            self._jobs.clear()

    def _shrink(self) -> list[Utterance]:
        dropped = []
        while len(idle := [job for job in self._jobs.values() if not job.running]) > self.capacity:
            job = next((job for job in idle if not job.ended), idle[0])
            del self._jobs[job.utterance.id]
            if job.ended:
                dropped.append(job.utterance)
        return dropped
