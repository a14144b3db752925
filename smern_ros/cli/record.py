# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern record`: records the topics of the graph to a bag that `ros2 bag` and Foxglove open."""
from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smern_ros.bag.errors import BagError
from smern_ros.cli import graph_options
from smern_ros.cli.progress import StatusLine
from smern_ros.deploy import dds
from smern_ros.utils.paths import expand

if TYPE_CHECKING:
    from smern_ros.bag.recorder import BagRecorder
    from smern_ros.ros.streams import Stream

EXIT_DONE, EXIT_CUT_SHORT, EXIT_CANNOT = 0, 1, 2
QUEUE = 256
"""MB: nine seconds of 640 x 480 images at 30 Hz."""
REPORT_PERIOD = 5.0
"""s between two lines about dropped messages."""


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'record',
        help='record the topics of the graph',
        description='Record the topics of the running graph until Ctrl-C: camera, audio, output of the nodes and '
        'states. ros2 bag, Foxglove and smern replay open the bag (MCAP). IT CONTAINS PICTURES AND VOICES of the '
        'people present: ask them first. Only this command writes bags.',
    )
    parser.add_argument('--out', type=expand, metavar='DIR',
                        help='new folder for the bag; default: recording_ with date and time, in the current folder')
    parser.add_argument('--topics', nargs='+', metavar='TOPIC', help='only these of the graph; default: all')
    parser.add_argument('--images', action=argparse.BooleanOptionalAction, default=True,
                        help='record the camera; without it movement cannot be replayed, and the bag is 100 times '
                             'smaller')
    parser.add_argument('--queue', type=float, default=QUEUE, metavar='MB',
                        help='memory for messages that wait for a slow disk; beyond it they are dropped and counted; '
                             'default: %(default)s')
    graph_options.add_network_options(parser)


def run(args: argparse.Namespace) -> int:
    """:return: 0 after Ctrl-C, 1 if writing failed before, 2 if it cannot record."""
    try:
        os.environ.update(dds.environment(args.dds))
        from smern_ros.bag.recorder import BagRecorder  # after setting the environment: it loads DDS

        if not args.queue > 0:
            raise ValueError(f'--queue is {args.queue:g} MB; give more than 0')
        streams = _chosen(args.topics, args.images)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        folder = args.out or Path(time.strftime('recording_%Y_%m_%d-%H_%M_%S'))
        recorder = BagRecorder(folder, streams, namespace=args.namespace, queue=round(args.queue * 1e6),
                            about={'recorded_by': 'smern record'})
    except (BagError, ValueError, ImportError) as error:
        print(f'smern record: {error}', file=sys.stderr)
        return EXIT_CANNOT
    print(f'recording to {folder} until Ctrl-C; it contains pictures and voices of the people present', flush=True)
    began = time.monotonic()
    _watch(recorder, stop)
    code = EXIT_DONE
    try:
        recorder.close()
    except BagError as error:
        print(f'smern record: {error}', file=sys.stderr)
        code = EXIT_CUT_SHORT
    print('\n'.join(_summary(recorder, folder, time.monotonic() - began)))
    return code


def _chosen(names: Sequence[str] | None, images: bool) -> list[Stream]:
    """:raises ValueError: if a name is unknown, or no topic is left."""
    from smern_ros.ros.streams import STREAMS, Role

    known = {s.topic: s for s in STREAMS}
    wanted = [name.lstrip('/') for name in names or known]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(f'the graph has no topic {", ".join(unknown)}; it has {", ".join(known)}')
    chosen = [known[name] for name in wanted if images or known[name].role is not Role.IMAGES]
    if not chosen:
        raise ValueError('no topic is left to record; remove --no-images or name other --topics')
    return chosen


def _watch(recorder: BagRecorder, stop: threading.Event) -> None:
    """Record until `stop` is set or writing fails, and report dropped messages."""
    line, began = StatusLine(), time.monotonic()
    reported, reported_at = 0, -REPORT_PERIOD
    while not stop.is_set() and recorder.failure is None:
        recorder.spin_until(stop.is_set, timeout=1.0)
        dropped, now = recorder.dropped.total(), time.monotonic()
        if dropped > reported and now - reported_at >= REPORT_PERIOD:
            line.say(f'the disk is too slow: {dropped} messages dropped so far')
            reported, reported_at = dropped, now
        if line.terminal:
            line.show(f'{now - began:.0f} s, {sum(recorder.counts.values())} messages, {recorder.size / 1e6:.1f} MB')
    line.end()


def _summary(recorder: BagRecorder, folder: Path, seconds: float) -> Iterator[str]:
    counts, dropped = recorder.counts, recorder.dropped
    for topic in sorted({*counts, *dropped}):
        lost = f', {dropped[topic]} dropped' if dropped[topic] else ''
        yield f'{topic:24} {counts.get(topic, 0):7} messages{lost}'
    if not counts:
        yield 'No message was received. Is the graph running, in this ROS domain and namespace?'
    if dropped:
        yield (f'{dropped.total()} messages were dropped: the disk is too slow; use a larger --queue '
               'or --no-images')
    yield f'{folder}: {seconds:.1f} s, {sum(counts.values())} messages, {recorder.size / 1e6:.1f} MB'
