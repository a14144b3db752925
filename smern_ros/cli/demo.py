# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern demo`: plays a clip, a media file or the webcam through the graph and writes a report of the emotions."""
from __future__ import annotations

import argparse
import shlex
import signal
import sys
import textwrap
from pathlib import Path

from smern_ros import assets
from smern_ros.cli import assets as assets_command
from smern_ros.cli import graph_options
from smern_ros.deploy.supervisor import EXIT_CONFIGURATION
from smern_ros.utils.paths import expand

MODELS = ('pose-landmarker-full', 'whisper-tiny.en', 'minilm-l6-int8')
EXIT_NOT_SHOWN = 1


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'demo',
        help='play a clip through the graph and report the emotions',
        description='Play a clip through the graph, print every state, and write '
                    'emotion_states.jsonl, report.html and graph.log. Exit code 0 only if a final state had voice, '
                    'words and movement.',
    )
    parser.add_argument('--media', metavar='FILE|webcam',
                        help='media file with a speaking person, or "webcam" (with the microphone, until Ctrl-C); '
                             'default: a clip composed of two open recordings')
    parser.add_argument('--out', type=expand, default=Path('build/demo'), metavar='DIR', help='default: %(default)s')
    graph_options.add_start_options(parser)
    graph_options.add_domain_option(parser)


def run(args: argparse.Namespace) -> int:
    """:return: 0 if all modalities were used, 1 if not, 2 if the configuration is wrong."""
    from smern_ros.demo.clip import SPEECH_ASSET, STATEMENT, VIDEO_ASSET, compose
    from smern_ros.demo.play import WEBCAM, Demo, DemoOptions
    from smern_ros.deploy import dds
    from smern_ros.media.reader import MediaError, MediaReader

    try:
        if args.media not in (None, WEBCAM):
            args.media = str(expand(args.media))
            MediaReader(args.media)  # checks that it can be played
    except (MediaError, ValueError) as error:
        return _refuse(str(error), EXIT_CONFIGURATION)
    args.out.mkdir(parents=True, exist_ok=True)
    names = [*MODELS, *([] if args.media else [VIDEO_ASSET, SPEECH_ASSET])]
    if assets_command.run(argparse.Namespace(action='fetch', names=names)):
        return EXIT_NOT_SHOWN
    if args.media == WEBCAM:
        media, name = WEBCAM, 'the webcam'
        notice = ('This page contains pictures and words of the people present. It was made on this machine and not '
                  'sent anywhere; ask them before you share it.')
    elif args.media:
        media, name = str(Path(args.media).resolve()), Path(args.media).name
        notice = 'These are guesses of a network from signals, not knowledge of how anybody felt.'
    else:
        media = str(compose(assets.path(VIDEO_ASSET), assets.path(SPEECH_ASSET), args.out).resolve())
        name, notice = 'the demo clip', STATEMENT
    print(f'\nmedia: {media}\n{textwrap.fill(notice, 100)}\n')

    demo = Demo(
        DemoOptions(
            media=media, name=name, notice=notice, out=args.out, checkpoint=args.checkpoint, overrides=args.overrides,
            command=shlex.join(['smern', *sys.argv[1:]]),
            domain_id=dds.free_domain() if args.domain is None else args.domain,
        ),
        say=lambda line: print(line, flush=True),
        colour=sys.stdout.isatty(),
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: demo.request_stop())
    return demo.run()


def _refuse(reason: str, code: int) -> int:
    print(f'smern demo: {reason}', file=sys.stderr)
    return code

