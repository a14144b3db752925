# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a node tells of its health: rates, latency, drops, queue, errors, model."""
from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

ACTIVE = 'active'
"""The lifecycle's name of the state in which a node processes."""
HARDWARE_ID = 'smern_ros'
"""Tells our nodes from others on the topic."""
AHEAD = 0.1
"""Seconds by which a stamp may be of the future: simulated time comes in steps."""
BEHIND = 10.0
"""Seconds by which a stamp may be of the past; longer than anything waits on its way."""
STEADY, STEADY_FOR = 0.25, 5.0
"""Seconds by which the age of a stream may vary, for so many seconds, if its clock is another: the age of a recording
that is played faster or slower than its time grows or shrinks."""
ERROR_SHOWN_FOR = 10.0
"""Seconds after an error during which the node's level is WARN."""


class Health:
    """Counts of one node since the last report. Safe to feed from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since = time.monotonic()
        self._received: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._listeners: dict[str, Callable[[], int]] = {}
        self._ages: dict[str, float] = {}  # s, of the newest stamp since the last report
        self._steady: dict[str, tuple[float, float]] = {}  # since when a stream's age is about so many s
        self._warnings: dict[str, str] = {}
        self._latencies: deque[float] = deque(maxlen=1000)
        self._dropped = self._errors = 0
        self._queues: list[Callable[[], int]] = []
        self._info: dict[str, str] = {'model': 'none'}
        self._last_error = ''
        self._reported_warnings: list[str] = []
        self._last_error_at = -float('inf')

    def track_subscription(self, topic: str) -> None:
        """Its rate is told from now on, 0 while nothing comes."""
        with self._lock:
            self._received[topic] += 0

    def received(self, topic: str) -> None:
        with self._lock:
            self._received[topic] += 1

    def record_stamp_age(self, topic: str, seconds: float) -> None:
        """By this computer's clock: below 0, the stamp is of the future."""
        with self._lock:
            self._ages[topic] = min(seconds, self._ages.get(topic, seconds))

    def track_publisher(self, topic: str, listeners: Callable[[], int]) -> None:
        """Its rate is told from now on, 0 while nothing is sent, and how many are there to hear it."""
        with self._lock:
            self._sent[topic] += 0
            self._listeners[topic] = listeners

    def sent(self, topic: str) -> None:
        with self._lock:
            self._sent[topic] += 1

    def record_latency(self, seconds: float) -> None:
        """From the coming of a message to what became of it, the time in queues with it."""
        with self._lock:
            self._latencies.append(seconds)

    def dropped(self, count: int = 1) -> None:
        """Messages that came and were given up because there was no time for them."""
        with self._lock:
            self._dropped += count

    def failed(self, message: str) -> None:
        with self._lock:
            self._errors += 1
            self._last_error, self._last_error_at = message, time.monotonic()

    def warn(self, subject: str, text: str) -> None:
        """Something that is no error of one moment, such as silence where there should be none: while the node is
        active the level is WARN until nothing is said of the subject any more.

        :param text: with what to do; empty: it is over.
        """
        with self._lock:
            if text:
                self._warnings[subject] = text
            else:
                self._warnings.pop(subject, None)

    def watch(self, queue: Callable[[], int]) -> Callable[[], None]:
        """How many wait there is told from now on. :return: a function that ends it."""
        with self._lock:
            self._queues.append(queue)
        return lambda: self._queues.remove(queue)

    def unconfigured(self) -> None:
        """The node no longer has topics or a model; what it has counted stays."""
        with self._lock:
            self._received.clear()
            self._sent.clear()
            self._listeners.clear()
            self._warnings.clear()
            self._info = {'model': 'none'}

    def set_info(self, key: str, value: object) -> None:
        """Something to be shown as it is, such as the model's id."""
        with self._lock:
            self._info[key] = str(value)

    @property
    def warnings(self) -> list[str]:
        """What the last report warned of."""
        return self._reported_warnings

    def report(self, name: str, state: str, *, failed: bool = False) -> DiagnosticStatus:
        """What happened since the last report; counts start again.

        :param state: of the lifecycle.
        :param failed: the last transition failed: the node cannot do what it was told to.
        """
        with self._lock:
            return self._report(name, state, failed)

    def _report(self, name: str, state: str, failed: bool) -> DiagnosticStatus:
        now = time.monotonic()
        elapsed, self._since = max(now - self._since, 1e-6), now
        values = {f'in {topic} [Hz]': f'{n / elapsed:.1f}' for topic, n in sorted(self._received.items())}
        values |= {f'out {topic} [Hz]': f'{n / elapsed:.1f}' for topic, n in sorted(self._sent.items())}
        values |= {f'listeners of {topic}': str(count()) for topic, count in sorted(self._listeners.items())}
        values |= {f'least age {topic} [s]': f'{age:.3f}' for topic, age in sorted(self._ages.items())}
        active_warnings = self._warnings.values() if state == ACTIVE else ()
        warnings = self._reported_warnings = [*self._clock_warnings(now), *active_warnings]
        self._ages.clear()
        latencies = sorted(self._latencies)
        values |= {
            'latency median [ms]': f'{1e3 * latencies[len(latencies) // 2]:.1f}' if latencies else '',
            'latency max [ms]': f'{1e3 * latencies[-1]:.1f}' if latencies else '',
            'dropped': str(self._dropped),
            'queue': str(sum(waiting() for waiting in self._queues)),
            'errors': str(self._errors),
            'last error': self._last_error,
            'state': state,
            **self._info,
        }
        for counter in (self._received, self._sent):
            counter.update({topic: -n for topic, n in counter.items()})  # a silent topic is shown with rate 0
        self._latencies.clear()

        recent_error = now - self._last_error_at < ERROR_SHOWN_FOR
        level = DiagnosticStatus.WARN if recent_error or warnings else DiagnosticStatus.OK
        return DiagnosticStatus(
            level=DiagnosticStatus.ERROR if failed else level,
            name=f'smern_ros: {name}',
            message='; '.join([self._last_error] * (failed or recent_error) + warnings) or state,
            hardware_id=HARDWARE_ID,
            values=[KeyValue(key=k, value=v) for k, v in values.items()],
        )


    def _clock_warnings(self, now: float) -> Iterator[str]:
        self._steady = {topic: steady for topic, steady in self._steady.items() if topic in self._ages}
        for topic, age in sorted(self._ages.items()):
            since, first = self._steady.get(topic, (now, age))
            if abs(age - first) > STEADY:
                since, first = now, age
            self._steady[topic] = since, first
            if now - since < STEADY_FOR:
                continue
            if age < -AHEAD:
                yield (f'{topic} is stamped {-age:.1f} s ahead of the local clock; synchronise the clocks of the '
                       'computers')
            elif age > BEHIND:
                yield (f'{topic} is stamped {age:.1f} s behind the local clock; let its driver use the system clock, '
                       'or use_sim_time for recordings')


def is_active(status: DiagnosticStatus) -> bool:
    """Whether a node of ours says that it processes, in trouble or not."""
    return status.hardware_id == HARDWARE_ID and KeyValue(key='state', value=ACTIVE) in status.values


def array(stamp, status: DiagnosticStatus) -> DiagnosticArray:
    message = DiagnosticArray(status=[status])
    message.header.stamp = stamp
    return message
