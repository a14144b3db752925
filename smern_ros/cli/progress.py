# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Progress of long commands, on stderr."""
from __future__ import annotations

import math
import os
import sys
from typing import Any, Protocol


class StatusLine:
    """A status line that is rewritten on a terminal; without one, a new line each time."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self.terminal:
            width = os.get_terminal_size(sys.stderr.fileno()).columns or 80  # 0 on some terminals
            print(f'\r\033[K{text[: width - 1]}', end='', file=sys.stderr, flush=True)
        else:
            self.say(text)

    def say(self, text: str) -> None:
        """Print a permanent line."""
        self.end()
        print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the status line."""
        if self.terminal:
            print('\r\033[K', end='', file=sys.stderr, flush=True)


class ProgressReport(Protocol):
    """Progress after a run of a plan."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def seconds_left(self) -> float: ...  # nan: unknown
    @property
    def last(self) -> Any: ...            # its `id` is shown
    @property
    def error(self) -> str | None: ...    # None: success


class RunsShown(StatusLine):
    """Shows the progress of a plan of runs."""

    def __call__(self, progress: ProgressReport) -> None:
        if progress.error is not None:
            self.say(f'{progress.last.id} failed: {progress.error}')
        left = '' if math.isnan(progress.seconds_left) else time_left(progress.seconds_left)
        self.show(f'{progress.done} of {progress.total} runs{left}, last {progress.last.id}')


def time_left(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f', {minutes // 60}:{minutes % 60:02d}:{rest:02d} left'
