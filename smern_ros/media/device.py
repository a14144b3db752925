# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads a camera or microphone; reports its loss and reopens it, without limit of time."""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from smern_ros.media.tracks import AudioBlock, VideoFrame

FIRST_RETRY, LONGEST_RETRY = 1.0, 10.0
"""s until a lost device is reopened; doubled after each failed attempt, up to the second."""


class Device(Protocol):
    """See `capture`. It is released at the end of its iteration."""

    def __iter__(self) -> Iterator[VideoFrame | AudioBlock]: ...

    def close(self) -> None:
        """End the iteration at the next item. Thread-safe."""
        ...


class KeptDevice:
    """Reads a device in its own thread until it is stopped.

    :param open_device: opens the device; first called by the constructor, which passes its exceptions on.
    :param read: yields the items of an open device; default: its iteration.
    :param take: called with each item, from that thread.
    :param on_error: called with each exception, from that thread.
    """

    def __init__(
        self,
        open_device: Callable[[], Device],
        *,
        read: Callable[[Any], Iterable] = iter,
        take: Callable[[Any], object],
        on_error: Callable[[Exception], object],
        name: str,
        first_retry: float = FIRST_RETRY,
    ) -> None:
        self._open, self._read, self._take, self._on_error = open_device, read, take, on_error
        self._first_retry = self._retry = first_retry
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # not held while opening or reading
        self._device: Device | None = None
        self._hold(open_device())
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> bool:
        """Release the device. Do not call from a callback.

        :return: whether it is released; a device that does not answer is released as soon as it does.
        """
        with self._lock:
            self._stopping.set()
            if self._device is not None:
                self._device.close()
        if not self._thread.ident:  # never started: its thread releases the device
            self._thread.start()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while self._device is not None or not self._stopping.is_set():
            try:
                if self._device is None:
                    self._hold(self._open())
                for piece in self._read(self._device):
                    self._take(piece)
                    self._retry = self._first_retry
            except Exception as error:  # reopen the device after any error
                if not self._stopping.is_set():
                    self._on_error(error)
            self._device = None
            if self._stopping.wait(self._retry):
                return
            self._retry = min(2 * self._retry, LONGEST_RETRY)

    def _hold(self, device: Device) -> None:
        with self._lock:
            self._device = device
            if self._stopping.is_set():
                device.close()
