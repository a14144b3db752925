# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.soak`: the graph at real time for long, with somebody who comes, speaks and goes, and what it costs.

What it asks for: the memory of no node grows by more than 1 MB a minute, no node keeps file descriptors, and final
states come as soon at the end as at the start.
"""
from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from bench import films
from bench.__main__ import demo_clip
from bench.live import Heard, Session
from bench.summary import machine, row
from smern_ros.utils.paths import expand

SAMPLE_EVERY = 5.0  # s
AWAY = 10.0
"""s in which nobody is in view, after each playing of the clip."""
MOST_GROWTH = 1.0
"""MB a minute, of any node."""
MOST_LATER = 1.10
"""Median latency of final states in the last third, of that in the first."""


@dataclass
class Samples:
    """Of one node, at the session's times."""

    memory: list[float] = field(default_factory=list)  # MB of its own
    files: list[int] = field(default_factory=list)     # open descriptors


@dataclass(frozen=True)
class NodeReport:
    memory_first: float   # MB, median of the first third
    memory_last: float    # MB, median of the last third
    memory_slope: float   # MB a minute, by least squares
    files_first: int      # most in the first third
    files_last: int       # most in the last third


@dataclass(frozen=True)
class Report:
    """Of all that came after the warm-up."""

    minutes: float
    nodes: dict[str, NodeReport]
    utterances: int
    finals: int
    latency_first: float  # ms from the last voiced sample to the final state, median of the first third
    latency_last: float   # of the last third

    def troubles(self) -> list[str]:
        """What was more than it may be."""
        found = [f'{name} grows by {n.memory_slope:.2f} MB a minute'
                 for name, n in self.nodes.items() if n.memory_slope > MOST_GROWTH]
        found += [f'{name} had {n.files_first} files open at first and {n.files_last} at last'
                  for name, n in self.nodes.items() if n.files_last > n.files_first]
        if not self.finals or self.finals < self.utterances:
            found.append(f'{self.utterances} utterances, but {self.finals} final states')
        elif self.latency_last > MOST_LATER * self.latency_first:
            found.append(f'final states came after {self.latency_first:.0f} ms, at last {self.latency_last:.0f} ms')
        return found


def soak(session: Session, film: Path, *, minutes: float, warm_up: float) -> Report:
    """:param warm_up: minutes before the measurement, in which allocators and caches fill."""
    import psutil

    processes = {name: psutil.Process(pid) for name, pid in session.supervisor.pids.items()}
    samples = {name: Samples() for name in processes}
    with session.looping(film):
        session.listen(60 * warm_up)
        before = set(session.heard.decided)
        for _ in range(max(6, round(60 * minutes / SAMPLE_EVERY))):
            session.listen(SAMPLE_EVERY)
            for name, process in processes.items():
                samples[name].memory.append(process.memory_full_info().uss / 2**20)
                samples[name].files.append(process.num_fds())
    session.listen(5.0)  # the last words
    return summarise(samples, session.heard, before)


def summarise(samples: dict[str, Samples], heard: Heard, before: set[str]) -> Report:
    """:param before: utterances of the warm-up."""
    after = Heard({u: d for u, d in heard.decided.items() if u not in before}, heard.states)
    latencies = [1e3 * s for s in after.latencies(final=True, since_voice=True)]
    first, last = _ends(latencies)
    count = len(next(iter(samples.values())).memory)
    return Report(
        minutes=count * SAMPLE_EVERY / 60,
        nodes={name: _node(s) for name, s in samples.items()},
        utterances=len(after.decided),
        finals=len(latencies),
        latency_first=statistics.median(first) if first else 0.0,
        latency_last=statistics.median(last) if last else 0.0,
    )


def _node(samples: Samples) -> NodeReport:
    minutes = np.arange(len(samples.memory)) * SAMPLE_EVERY / 60
    first, last = _ends(samples.memory)
    opened, open_last = _ends(samples.files)
    slope = float(np.polyfit(minutes, samples.memory, 1)[0])
    return NodeReport(statistics.median(first), statistics.median(last), slope, int(max(opened)), int(max(open_last)))


def _ends(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """The first and the last third."""
    third = max(1, len(values) // 3)
    return values[:third], values[-third:]


def tell(report: Report) -> None:
    for name, n in report.nodes.items():
        row(name, f'{n.memory_first:6.1f} -> {n.memory_last:6.1f} MB, {n.memory_slope:+.2f} MB a minute   '
                  f'{n.files_first} -> {n.files_last} files')
    row('last voiced sample to final state, median', f'{report.latency_first:.0f} -> {report.latency_last:.0f} ms')
    row('final states', f'{report.finals} of {report.utterances} utterances in {report.minutes:.1f} minutes')


def main() -> int:
    """:return: 1 if something was more than it may be."""
    parser = argparse.ArgumentParser(prog='bench.soak', description=__doc__)
    parser.add_argument('--minutes', type=float, default=60.0, help='after the warm-up (default: %(default)s)')
    parser.add_argument('--warm-up', type=float, default=2.0, help='minutes (default: %(default)s)')
    parser.add_argument('--json', type=expand, help='write the report there, too')
    args = parser.parse_args()
    film = films.coming_and_going(demo_clip(), Path('build/bench/coming-and-going.mkv'), away=AWAY)
    row('machine', machine())
    row('film', f'{film}, {args.minutes:g} minutes after {args.warm_up:g} to warm up')
    with Session() as session:
        report = soak(session, film, minutes=args.minutes, warm_up=args.warm_up)
    tell(report)
    if args.json:
        args.json.write_text(json.dumps(asdict(report), indent=1) + '\n')
    troubles = report.troubles()
    for trouble in troubles:
        print(f'TOO MUCH: {trouble}')
    return 1 if troubles else 0


if __name__ == '__main__':
    sys.exit(main())
