# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options of the commands that start the graph or connect to it."""
from __future__ import annotations

import argparse

from smern_ros.deploy import dds
from smern_ros.deploy.processes import Override
from smern_ros.emotion.shipped_checkpoints import CHOICES, checkpoint_folder


def add_start_options(parser: argparse._ActionsContainer) -> None:
    """`--checkpoint` and `--set`, of a command that starts the graph. See `overrides`."""
    parser.add_argument('--checkpoint', type=checkpoint_folder, metavar='NAME|DIR',
                        help=f'of the fusion node: {CHOICES}')
    parser.add_argument('--set', dest='overrides', type=_override, action='append', default=[],
                        metavar='NODE.PARAM:=VALUE',
                        help='parameter of a node; overrides the parameter file; may be repeated')


def add_domain_option(parser: argparse._ActionsContainer) -> None:
    """`--domain`, of a command that starts a graph for itself."""
    parser.add_argument('--domain', type=int, metavar='N',
                        help='ROS domain of the graph; default: a free one, isolated from other robots')


def add_network_options(parser: argparse._ActionsContainer) -> None:
    """`--namespace` and `--dds`, of a command that connects to the graph or starts one."""
    parser.add_argument('--namespace', default='', metavar='NS', help='namespace of the nodes and topics of the graph')
    parser.add_argument('--dds', choices=dds.PROFILES, help=f'Fast DDS profile, default: ${dds.CHOICE}, {dds.DEFAULT}')


def overrides(args: argparse.Namespace) -> list[Override]:
    """The parameters that the options of `add_start_options` set."""
    if args.checkpoint is None:
        return args.overrides
    return [*args.overrides, Override.text('fusion', 'checkpoint', str(args.checkpoint.resolve()))]


def _override(text: str) -> Override:
    try:
        return Override.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
