# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How far a long command is, told on stderr."""
from __future__ import annotations

import math
import os
import sys
from typing import Any, Protocol


class StatusLine:
    """A line that is rewritten on a terminal; elsewhere a line each."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self.terminal:
            width = os.get_terminal_size(sys.stderr.fileno()).columns or 80  # some terminals do not know theirs
            print(f'\r\033[K{text[: width - 1]}', end='', file=sys.stderr, flush=True)
        else:
            self.say(text)

    def say(self, text: str) -> None:
        """A line that stays."""
        self.end()
        print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave nothing of what was shown."""
        if self.terminal:
            print('\r\033[K', end='', file=sys.stderr, flush=True)


class ProgressReport(Protocol):
    """What is told after each run of a plan."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def seconds_left(self) -> float: ...  # nan: not known yet
    @property
    def last(self) -> Any: ...            # its `id` is shown
    @property
    def error(self) -> str | None: ...    # None: it is stored


class RunsShown(StatusLine):
    """How far a plan of runs is."""

    def __call__(self, progress: ProgressReport) -> None:
        if progress.error is not None:
            self.say(f'{progress.last.id} failed: {progress.error}')
        left = '' if math.isnan(progress.seconds_left) else time_left(progress.seconds_left)
        self.show(f'{progress.done} of {progress.total} runs{left}, last {progress.last.id}')


def time_left(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f', {minutes // 60}:{minutes % 60:02d}:{rest:02d} left'
