# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The `smern` command. A subcommand's module is imported only when it is used, so that help is fast."""
from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

SUBCOMMANDS = {
    'run': 'start the graph and keep it running',
    'demo': 'play a clip through the graph and report the emotions',
    'record': 'record the topics of the graph',
    'replay': 'replay a bag into the graph',
    'predict': 'emotions of media or audio files, without ROS',
    'adapt': "learn from one person's labelled recordings",
    'devices': 'cameras and microphones of this computer, with their formats',
    'assets': 'third-party weights: list, fetch, verify',
    'corpus': 'read a corpus and compare it with the published numbers',
    'features': 'compute the features of a corpus, to train on',
    'reproduce': "the paper's tables and figures, trained and measured anew",
    'evaluate': 'train and test the encoders on open corpora, with people and contents held out',
    'export': 'a trained run of SMERN-GA as a checkpoint for the graph',
}
"""Each is a module of this package with `add_parser(subparsers)` and `run(args) -> exit code`."""
EXIT_INTERRUPTED = 130
EXIT_PIPE_CLOSED = 141


def main(argv: Sequence[str] | None = None) -> int:
    """:return: the exit code of the subcommand; 2 for invalid arguments."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of the output, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes stdout at exit
        return EXIT_PIPE_CLOSED


def _run(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog='smern', description='Emotion from voice, words and body movement.')
    subparsers = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    chosen = argv[0] if argv and argv[0] in SUBCOMMANDS else None
    for name, purpose in SUBCOMMANDS.items():
        if name == chosen:
            _module(name).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=purpose)
    args = parser.parse_args(argv)
    return _module(chosen).run(args)


def _module(name):
    return importlib.import_module(f'smern_ros.cli.{name}')


if __name__ == '__main__':
    sys.exit(main())
