# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern export`: a trained run of SMERN-GA as a checkpoint for the fusion node."""
from __future__ import annotations

import argparse
import sys

from smern_ros.utils.paths import expand

EXIT_DONE, EXIT_CANNOT = 0, 2


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'export', help='a trained run of SMERN-GA as a checkpoint for the graph',
        description='Make a checkpoint of a run of smern reproduce. Use it with: smern run --checkpoint DIR, or smern '
        'predict --checkpoint DIR.',
    )
    parser.add_argument('run', type=expand, metavar='RUN', help='a folder OUT/runs/smern_ga_whole-... of reproduce')
    parser.add_argument('--out', required=True, type=expand, metavar='DIR', help='folder of the checkpoint')
    parser.add_argument('--id', help='id of the checkpoint in every prediction; default: that of the run')
    parser.add_argument(
        '--features', type=expand, metavar='DIR',
        help='features of the run, to calibrate the probabilities of all modalities on its development part',
    )


def run(args: argparse.Namespace) -> int:
    """:return: 0 if the checkpoint was written and can be loaded, 2 if not."""
    from smern_ros.training.iemocap.experiments.results import ExperimentStoreError
    from smern_ros.training.iemocap.export import CARD, export
    from smern_ros.training.iemocap.features.feature_store import FeatureError

    try:
        made = export(args.run, args.out, identity=args.id, features=args.features)
    except (ExperimentStoreError, FeatureError, OSError, ValueError) as error:
        print(f'smern export: {error}', file=sys.stderr)
        return EXIT_CANNOT
    print(f'{made.id} is in {args.out}, described in {args.out / CARD}\n{made.training["note"]}')
    return EXIT_DONE
