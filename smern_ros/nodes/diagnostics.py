"""What a node tells of its health: rates, latency, drops, errors."""
from __future__ import annotations

import threading
import time
from collections import Counter, deque

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

ERROR_SHOWN_FOR = 10.0
"""Seconds after an error during which the node's level is WARN."""


class Health:
    """Counts of one node since the last report. Safe to feed from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since = time.monotonic()
        self._received: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._latencies: deque[float] = deque(maxlen=1000)
        self._totals: Counter[str] = Counter()
        self._facts: dict[str, str] = {}
        self._last_error = ''
        self._last_error_at = -float('inf')

    def received(self, topic: str) -> None:
        with self._lock:
            self._received[topic] += 1

    def sent(self, topic: str) -> None:
        with self._lock:
            self._sent[topic] += 1

    def took(self, seconds: float) -> None:
        """From the evidence to its result."""
        with self._lock:
            self._latencies.append(seconds)

    def dropped(self, count: int = 1) -> None:
        with self._lock:
            self._totals['dropped'] += count

    def failed(self, message: str) -> None:
        with self._lock:
            self._totals['errors'] += 1
            self._last_error, self._last_error_at = message, time.monotonic()

    def fact(self, key: str, value: object) -> None:
        """Something to be shown as it is, such as the model's id or a queue's length."""
        with self._lock:
            self._facts[key] = str(value)

    def report(self, name: str, active: bool) -> DiagnosticStatus:
        """What happened since the last report; counts start again."""
        with self._lock:
            return self._report(name, active)

    def _report(self, name: str, active: bool) -> DiagnosticStatus:
        now = time.monotonic()
        elapsed, self._since = max(now - self._since, 1e-6), now
        values = {f'in {topic} [Hz]': f'{n / elapsed:.1f}' for topic, n in sorted(self._received.items())}
        values |= {f'out {topic} [Hz]': f'{n / elapsed:.1f}' for topic, n in sorted(self._sent.items())}
        if self._latencies:
            latencies = sorted(self._latencies)
            values['latency median [ms]'] = f'{1e3 * latencies[len(latencies) // 2]:.1f}'
            values['latency max [ms]'] = f'{1e3 * latencies[-1]:.1f}'
        values |= {'dropped': str(self._totals['dropped']), 'errors': str(self._totals['errors'])}
        values |= self._facts
        values['last error'] = self._last_error
        for counter in (self._received, self._sent):
            counter.update({topic: -n for topic, n in counter.items()})  # a silent topic is shown with rate 0
        self._latencies.clear()

        troubled = now - self._last_error_at < ERROR_SHOWN_FOR
        return DiagnosticStatus(
            level=DiagnosticStatus.WARN if troubled else DiagnosticStatus.OK,
            name=f'smern_ros: {name}',
            message=self._last_error if troubled else ('active' if active else 'not active'),
            hardware_id='smern_ros',
            values=[KeyValue(key=k, value=v) for k, v in values.items()],
        )


def array(stamp, status: DiagnosticStatus) -> DiagnosticArray:
    message = DiagnosticArray(status=[status])
    message.header.stamp = stamp
    return message
