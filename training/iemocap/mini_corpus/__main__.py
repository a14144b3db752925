# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Build a small IEMOCAP: python -m smern_ros.training.iemocap.mini_corpus OUT [--data DIR]"""
from __future__ import annotations

import argparse
import os
import sys

from smern_ros.training.iemocap import mini_corpus
from smern_ros.utils.paths import expand


def main() -> int:
    """:return: 0 if it was built, 2 if it could not be."""
    parser = argparse.ArgumentParser(
        prog='python -m smern_ros.training.iemocap.mini_corpus', description=mini_corpus.__doc__,
    )
    parser.add_argument('out', type=expand, metavar='OUT', help='the folder to write, empty or new')
    parser.add_argument(
        '--data', type=expand, default=os.environ.get('SMERN_SHARED_DATA', '../shared/data'),
        help='the folder of emodb4, nemo4, text_goemotions and video_upperbody '
        '(default: SMERN_SHARED_DATA, else ../shared/data)',
    )
    parser.add_argument('--dialogs', type=int, default=2, help='of each session (default: %(default)s)')
    parser.add_argument('--utterances', type=int, default=6, help='of each dialog (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='(default: %(default)s)')
    args = parser.parse_args()
    try:
        made = mini_corpus.build(
            args.out, args.data, dialogs=args.dialogs, utterances=args.utterances, seed=args.seed
        )
    except (OSError, ValueError) as error:
        print(f'mini_corpus: {error}', file=sys.stderr)
        return 2
    print(f'{len(made.utterances)} utterances in {len(made.dialogs)} dialogs: {made.root}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
