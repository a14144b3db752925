"""Which utterance is transcribed next, and what becomes of its transcript: the hang-over's bookkeeping, without ROS.

An utterance is begun when silence begins (tentative), so that its words are there when its end is certain (ended).
All is keyed by id, so that nothing depends on clocks.
"""
from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from smern_ros.values import Transcript, Utterance


@dataclass(frozen=True)
class Job:
    """An utterance that somebody is to transcribe."""

    utterance: Utterance
    ended: bool                          # its end is certain
    running: bool = False
    transcript: Transcript | None = None


class Schedule:
    """The utterances at hand, the eldest first. Methods may be called from any thread."""

    def __init__(self, capacity: int) -> None:
        """:param capacity: utterances that may wait; beyond it tentative ones go first."""
        self.capacity = capacity  # may be changed at any time
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def tentative(self, utterance: Utterance) -> list[Utterance]:
        """It may have ended; what was begun for an earlier end of it is void.

        :return: ended utterances that had to be given up.
        """
        with self._lock:
            self._jobs.pop(utterance.id, None)
            self._jobs[utterance.id] = Job(utterance, ended=False)
            return self._shrink()

    def resumed(self, utterance_id: str) -> None:
        """It goes on; what was begun for it is void."""
        with self._lock:
            self._jobs.pop(utterance_id, None)

    def ended(self, utterance: Utterance) -> tuple[Transcript | None, list[Utterance]]:
        """It has ended.

        :return: its transcript, if that is ready; and the ended utterances that had to be given up.
        """
        with self._lock:
            job = self._jobs.get(utterance.id)
            if job is None or job.utterance.end_ns != utterance.end_ns:
                self._jobs.pop(utterance.id, None)
                self._jobs[utterance.id] = Job(utterance, ended=True)
            elif job.transcript is not None:
                del self._jobs[utterance.id]
                return job.transcript, []
            else:
                self._jobs[utterance.id] = replace(job, ended=True)
            return None, self._shrink()

    def take(self) -> Utterance | None:
        """The next to transcribe: the eldest that has ended, else the newest that may have."""
        with self._lock:
            waiting = [job for job in self._jobs.values() if not job.running and job.transcript is None]
            if not waiting:
                return None
            job = next((job for job in waiting if job.ended), waiting[-1])
            self._jobs[job.utterance.id] = replace(job, running=True)
            return job.utterance

    def finish(self, utterance: Utterance, transcript: Transcript | None) -> bool | None:
        """Its transcript is there, or None if none could be made.

        :return: whether the transcript is final; None if nobody wants it any more.
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
        """How many are still to be begun."""
        with self._lock:
            return sum(not job.running and job.transcript is None for job in self._jobs.values())

    def clear(self) -> None:
        """Forgets everything."""
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
