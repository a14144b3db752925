"""The graph as child processes: what the launch file does, for whoever has no `ros2 launch`. Needs no ROS itself."""
from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smern_ros import dds
from smern_ros.graph import GraphNode, node
from smern_ros.share import share
from smern_ros.supervisor import Child

LOG_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')


@dataclass(frozen=True)
class Override:
    """A parameter's value for one node, as YAML; it wins over the parameter file."""

    node: str
    parameter: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Override:
        """From NODE.PARAMETER:=VALUE.

        :raises ValueError: if the text is something else or the graph has no such node.
        """
        target, assigned, value = text.partition(':=')
        name, dot, parameter = target.partition('.')
        if not (assigned and name and dot and parameter):
            raise ValueError(f'{text!r} is not NODE.PARAMETER:=VALUE, such as fusion.text_wait:=1.5')
        return cls(node(name).name, parameter, value)


def children(
    nodes: Sequence[GraphNode],
    *,
    params_file: Path | None = None,
    overrides: Sequence[Override] = (),
    namespace: str = '',
    log_level: str = 'info',
    use_sim_time: bool = False,
    dds_profile: str | None = None,
) -> list[Child]:
    """A supervised process for each node.

    :param params_file: by default config/emotion.yaml of the package.
    :param namespace: with or without the leading slash; empty: topics stand at the root, as in /emotion_state.
    :param dds_profile: see `smern_ros.dds.environment`.
    :raises ValueError: if the log level or DDS profile is unknown.
    :raises FileNotFoundError: if the parameter file does not exist.
    """
    if log_level not in LOG_LEVELS:
        raise ValueError(f'no log level {log_level!r}; it is one of {LOG_LEVELS}')
    params_file = Path(params_file) if params_file else share('config', 'emotion.yaml')
    if not params_file.is_file():
        raise FileNotFoundError(f'no parameter file {params_file}')
    common = ['--params-file', str(params_file), '--log-level', log_level]
    if namespace.strip('/'):
        common += ['-r', f'__ns:=/{namespace.strip("/")}']
    if use_sim_time:
        common += ['-p', 'use_sim_time:=true']
    env = {
        **dds.environment(dds_profile),
        'OMP_WAIT_POLICY': 'PASSIVE',  # spinning OpenMP threads take the processors from the other nodes
        'PYTHONUNBUFFERED': '1',
    }
    return [
        Child(
            name=n.name,
            command=[sys.executable, '-m', 'smern_ros.nodes', n.name, '--ros-args', *common, *_arguments(n, overrides)],
            env=env,
            optional=n.optional,
            may_finish=n.optional,
        )
        for n in nodes
    ]


def _arguments(n: GraphNode, overrides: Sequence[Override]) -> list[str]:
    return [word for o in overrides if o.node == n.name for word in ('-p', f'{o.parameter}:={o.value}')]
