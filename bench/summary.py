# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How a measurement is told."""
from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def machine() -> str:
    """Processor, cores and software, so that a figure can be read later."""
    import os

    import torch

    model = platform.processor() or platform.machine()
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.exists():
        names = [line.partition(':')[2].strip() for line in cpuinfo.read_text().splitlines() if 'model name' in line]
        model = names[0] if names else model
    return (
        f'{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {platform.system()} {platform.machine()}, '
        f'Python {platform.python_version()}, torch {torch.__version__}'
    )


def repeat(work: Callable[[], object], *, times: int) -> list[float]:
    """Seconds that each run took, after one that is not counted."""
    work()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds


def spread(seconds: Sequence[float]) -> str:
    """Median and 95th percentile in ms."""
    if not seconds:
        return 'none'
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f'median {1e3 * statistics.median(ordered):7.1f} ms   95 % {1e3 * high:7.1f} ms   n {len(ordered)}'


def row(what: str, value: str) -> None:
    print(f'{what:<52} {value}', flush=True)
