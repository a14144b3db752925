# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The one list of the graph's nodes: the launch file, `smern run`, the build and the tests read it. Needs no ROS."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class GraphNode:
    """A node of the graph. Its executable (`ros2 run smern_ros NAME`), module and launch argument follow the name."""

    name: str
    purpose: str
    optional: bool = False  # the path from signals to /emotion_state can do without it
    default: bool = True    # started unless switched off
    feeds: tuple[str, ...] = ()  # the nodes that take what it gives; they become active before it

    @property
    def module(self) -> str:
        """Has the node's class and `main`."""
        return f'smern_ros.nodes.{self.name}'

    @property
    def executable(self) -> str:
        """What `ros2 run smern_ros` and the launch file start."""
        return self.name

    @property
    def enclave(self) -> str:
        """Where SROS2 keeps the node's keys and what it may do: security/policies/NAME.policy.xml."""
        return f'/smern_ros/{self.name}'


NODES = (
    GraphNode('pose_estimation', 'camera images to the joints of everybody in them', feeds=('skeleton_filter',)),
    GraphNode('skeleton_filter', 'joints to smooth movement, live and for each utterance', feeds=('fusion',)),
    GraphNode('audio_features', 'sound to utterances, MFCC and prosody', feeds=('skeleton_filter', 'asr', 'fusion')),
    GraphNode('asr', 'utterances to words', feeds=('fusion',)),
    GraphNode('fusion', 'voice, words and movement to /emotion_state'),
    GraphNode('ros4hri_bridge', "the graph's people to ROS4HRI, and its voices into the graph", optional=True,
              default=False, feeds=('audio_features', 'fusion')),
    GraphNode('audio_bridge', 'sound in audio_common_msgs, of either kind, into the graph', optional=True,
              default=False, feeds=('audio_features',)),
    GraphNode('media_source', 'a file, webcam or microphone into the graph', optional=True, default=False,
              feeds=('pose_estimation', 'audio_features')),
)
"""In the order in which evidence flows; an optional source comes last, when its listeners are up."""


def node(name: str) -> GraphNode:
    """:raises ValueError: if the graph has no node of that name."""
    for candidate in NODES:
        if candidate.name == name:
            return candidate
    raise ValueError(f'no node {name!r} in the graph; it has {", ".join(n.name for n in NODES)}')


def full_name(name: str, namespace: str = '') -> str:
    """As ROS calls a node: /NAMESPACE/NAME."""
    return '/'.join(('', *filter(None, (*namespace.split('/'), name))))


SOURCE, EYES = 'media_source', 'pose_estimation'
ALL, SENSORS, INFERENCE = PARTS = ('all', 'sensors', 'inference')
"""What of the graph runs on this computer: everything; camera and microphone; everything but them."""


def select(switches: dict[str, bool] | None = None, part: str = ALL) -> tuple[GraphNode, ...]:
    """The nodes to start: the part's defaults, with those named in `switches` turned on or off.

    :raises ValueError: if `switches` names a node that the graph has not, or if there is no such part.
    """
    switches = switches or {}
    for name in switches:
        node(name)
    return tuple(n for n in NODES if switches.get(n.name, starts(n, part)))


def full_names(namespace: str = '') -> tuple[str, ...]:
    """Of all nodes."""
    return tuple(full_name(n.name, namespace) for n in NODES)


def starts(candidate: GraphNode, part: str) -> bool:
    """Whether the node belongs to that part of the graph and is started unless switched off.

    :raises ValueError: if there is no such part.
    """
    if part not in PARTS:
        raise ValueError(f'the graph has no part {part!r}; it is one of {PARTS}')
    return candidate.name == SOURCE if part == SENSORS else candidate.default


def compressing(nodes: Sequence[GraphNode], part: str) -> tuple[str, ...]:
    """Names of the nodes whose parameter transport is `compressed`: raw images are too much for most networks."""
    return tuple(n.name for n in nodes if part != ALL and n.name in (SOURCE, EYES))


def start_after(started: GraphNode, nodes: Sequence[GraphNode]) -> str:
    """A node's parameter start_after when it is started with these: what it gives shall not be lost.

    :return: empty if none of them takes it.
    """
    return ','.join(n.name for n in nodes if n.name in started.feeds)


def awaited(nodes: Sequence[GraphNode], part: str = ALL) -> str | None:
    """The source's parameter wait_for when it is started beside only some of the graph: those that are there.

    :return: None if the parameter's own default is right, or if there is no source among the nodes.
    """
    names = [n.name for n in nodes]
    path = [n.name for n in NODES if not n.optional]
    if part == SENSORS or SOURCE not in names or set(path) <= set(names) or names == [SOURCE]:
        return None
    return ','.join(name for name in path if name in names)
