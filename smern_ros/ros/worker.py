# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A thread of its own for inference, so that the executor's thread is never blocked."""
from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class Worker:
    """Runs jobs one after the other, in the order of their coming.

    A full queue drops its oldest job, unless the job was submitted with `wait`, which holds up the caller instead.
    """

    def __init__(self, name: str, *, capacity: int, on_error: Callable[[Exception], None]) -> None:
        self.capacity = capacity  # may be changed at any time
        self._on_error = on_error
        self._jobs: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._closed = self._running = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], None], *, wait: bool = False) -> int:
        """:return: how many older jobs were dropped for it."""
        dropped = 0
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._closed or len(self._jobs) < self.capacity)
            while len(self._jobs) >= self.capacity and not self._closed:
                self._jobs.popleft()
                dropped += 1
            if not self._closed:
                self._jobs.append(job)
            self._changed.notify_all()
        return dropped

    @property
    def idle(self) -> bool:
        """No job waits or runs. Holds until the next is submitted."""
        with self._changed:
            return not (self._jobs or self._running)

    @property
    def queued(self) -> int:
        return len(self._jobs)

    def close(self, timeout: float = 2.0) -> bool:
        """Forgets what is queued and waits for the running job, at most `timeout` seconds.

        :return: False if that job still runs: what it uses must not be freed.
        """
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._jobs)
                if self._closed:
                    return
                job, self._running = self._jobs.popleft(), True
                self._changed.notify_all()
            try:
                job()
            except Exception as error:  # one bad message must not end the thread
                self._on_error(error)
            finally:
                self._running = False
