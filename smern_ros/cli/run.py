# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern run`: the graph as supervised processes, without `ros2 launch`."""
from __future__ import annotations

import argparse
import signal
import sys

from smern_ros.cli import graph_options
from smern_ros.deploy import dds, graph
from smern_ros.deploy.processes import LOG_LEVELS, children
from smern_ros.deploy.supervisor import EXIT_CONFIGURATION, Supervisor
from smern_ros.utils.paths import expand

EPILOG = 'nodes:\n' + '\n'.join(
    f'  {n.name:<16} {n.purpose}{"" if n.default else " (off unless --with)"}' for n in graph.NODES
)


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'run',
        help='start the graph and keep it running',
        description='Start the graph and keep it running: a node that dies is restarted. Ctrl-C stops it.',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [n.name for n in graph.NODES]
    parser.add_argument('--params-file', type=expand, metavar='YAML',
                        help='default: config/emotion.yaml of the package')
    parser.add_argument('--with', dest='on', choices=names, action='append', default=[], metavar='NODE',
                        help='also start this optional node')
    parser.add_argument('--without', dest='off', choices=names, action='append', default=[], metavar='NODE',
                        help='do not start this node')
    graph_options.add_start_options(parser)
    graph_options.add_network_options(parser)
    parser.add_argument('--log-level', choices=LOG_LEVELS, default='info')
    parser.add_argument('--use-sim-time', action='store_true', help='follow /clock')
    parser.add_argument('--no-autostart', dest='autostart', action='store_false',
                        help='leave the nodes unconfigured, for a lifecycle manager')
    parser.add_argument('--part', choices=graph.PARTS, default=graph.ALL,
                        help='part of the graph to run on this computer; default: %(default)s')
    parser.add_argument('--dds-peers', default='', metavar='NAMES',
                        help=f'of {dds.MULTI_HOST}: the other computers, names or addresses with commas between')
    parser.add_argument('--dds-interface', default='', metavar='NAMES',
                        help=f'of {dds.MULTI_HOST}: network cards or own addresses (default: those towards the peers)')


def run(args: argparse.Namespace) -> int:
    """:return: 0 after Ctrl-C, 2 if the configuration is wrong."""
    switches = {**dict.fromkeys(args.on, True), **dict.fromkeys(args.off, False)}
    try:
        processes = children(
            graph.select(switches, args.part),
            params_file=args.params_file,
            overrides=graph_options.overrides(args),
            namespace=args.namespace,
            log_level=args.log_level,
            use_sim_time=args.use_sim_time,
            autostart=args.autostart,
            part=args.part,
            dds_profile=args.dds,
            dds_peers=args.dds_peers,
            dds_interface=args.dds_interface,
        )
    except (ValueError, FileNotFoundError) as error:
        print(f'smern run: {error}', file=sys.stderr)
        return EXIT_CONFIGURATION
    supervisor = Supervisor(processes)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.request_stop())
    with supervisor:
        code = supervisor.wait()
    return 1 if code is None else code
