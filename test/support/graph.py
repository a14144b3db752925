# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The whole graph as real processes, and what it said."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray

from smern_ros import msg
from smern_ros.deploy import graph, processes
from smern_ros.deploy.processes import Override
from smern_ros.deploy.supervisor import Supervisor
from smern_ros.ros import diagnostics, qos, topics
from support.probe import Probe

LISTENERS = 'listeners of '
"""The key of diagnostics, without the topic."""
READY_WITHIN = 120.0  # s; on two busy cores the models take their time


@dataclass
class Evidence:
    """Every message of the graph's own topics, in order of arrival."""

    skeletons: list[Any] = field(default_factory=list)
    windows: list[Any] = field(default_factory=list)
    activity: list[Any] = field(default_factory=list)
    utterances: list[Any] = field(default_factory=list)
    features: list[Any] = field(default_factory=list)
    transcripts: list[Any] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)

    @property
    def finals(self) -> list[Any]:
        return [s for s in self.states if s.is_final]

    @property
    def ended(self) -> list[Any]:
        return [u for u in self.utterances if u.state == msg.Utterance.ENDED]


class Graph:
    """All nodes but the source, running and active; a context manager."""

    def __init__(self, *, overrides: Sequence[Override] = (), use_sim_time: bool = False, namespace: str = '') -> None:
        self.said: list[tuple[str, str]] = []
        self.probe = Probe(namespace)
        self.evidence = Evidence()
        for name, message_type, topic, profile in (
            ('skeletons', msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM),
            ('windows', msg.SkeletonWindow, topics.SKELETON_WINDOW, qos.EVIDENCE),
            ('activity', msg.VoiceActivity, topics.IS_SPEAKING, qos.STREAM),
            ('utterances', msg.Utterance, topics.UTTERANCE, qos.EVIDENCE),
            ('features', msg.AudioFeatures, topics.AUDIO_FEATURES, qos.EVIDENCE),
            ('transcripts', msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE),
            ('states', msg.EmotionState, topics.EMOTION_STATE, qos.STATE),
        ):
            setattr(self.evidence, name, self.probe.collect(message_type, topic, profile))
        self._health = self.probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        children = processes.children(
            graph.select(), overrides=overrides, use_sim_time=use_sim_time, namespace=namespace
        )
        self.supervisor = Supervisor(children, output=lambda name, line: self.said.append((name, line)))

    def __enter__(self) -> Graph:
        self.supervisor.start()
        names = {n.name for n in graph.select()}
        try:
            self.wait_for(lambda: names <= self.active, 'all nodes to be active', READY_WITHIN)
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        self.probe.close()

    def playing(self, media: Path, **parameters: bool | float) -> Supervisor:
        """A context manager in which media_source plays this, too, with these parameters."""
        given = [Override('media_source', name, str(value).lower()) for name, value in parameters.items()]
        source = processes.children([graph.node('media_source')], overrides=[
            Override.text('media_source', 'media', str(media)), *given])
        return Supervisor(source, output=lambda name, line: self.said.append((name, line)))

    @property
    def active(self) -> set[str]:
        """Names of the nodes that have said so."""
        return {s.name.rpartition('/')[2] for m in self._health for s in m.status if diagnostics.is_active(s)}

    def connected(self, *spoken: str) -> bool:
        """Whether these topics have publishers, and every publisher has found all who listen.

        Discovery takes up to 3 s now and then, and what is published before is lost to the late.
        """
        latest = {s.name: s.values for m in self._health for s in m.status}
        listeners = [(v.key.removeprefix(LISTENERS), int(v.value)) for values in latest.values() for v in values
                     if v.key.startswith(LISTENERS)]
        known, resolve = self.probe.node.count_subscribers, self.probe.node.resolve_topic_name
        return (set(spoken) <= {topic for topic, _ in listeners}
                and all(count >= known(resolve(topic)) for topic, count in listeners))

    @property
    def complaints(self) -> list[str]:
        """Lines of errors that the nodes wrote."""
        return [f'{name}: {line}' for name, line in self.said if '[ERROR]' in line or '[FATAL]' in line]

    def wait_for(self, condition: Callable[[], Any], what: str, timeout: float) -> None:
        """As the probe's; a failure shows what the nodes said."""
        try:
            self.probe.wait_for(condition, what, timeout)
        except AssertionError as error:
            said = '\n'.join(f'[{name}] {line}' for name, line in self.said[-60:])
            heard = {topic: len(messages) for topic, messages in vars(self.evidence).items()}
            raise AssertionError(f'{error}\nactive: {self.active}\nheard: {heard}\nsaid:\n{said}') from None

    def wait_for_finals(self, count: int, timeout: float = 60.0) -> list[Any]:
        self.wait_for(lambda: len(self.evidence.finals) >= count, f'{count} final states', timeout)
        return self.evidence.finals
