# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The SROS2 policies in security/policies allow each node what it does in the running graph, and nothing else."""
import contextlib
import os
import signal

import numpy as np
import pytest
import yaml

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.weights, pytest.mark.slow, pytest.mark.timeout(900)]

from lifecycle_msgs.msg import Transition  # noqa: E402
from lifecycle_msgs.srv import ChangeState  # noqa: E402
from rcl_interfaces.srv import ListParameters  # noqa: E402
from rclpy.node import NodeNameNonExistentError  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from support import film, interfaces, policies  # noqa: E402

from smern_ros import msg  # noqa: E402
from smern_ros.deploy import graph  # noqa: E402
from smern_ros.ros import qos, topics  # noqa: E402
from smern_ros.ros.messages import header, skeletons_to_message  # noqa: E402
from smern_ros.utils.resources import share  # noqa: E402
from smern_ros.values import SECOND, Skeleton  # noqa: E402

BRIDGES = ('ros4hri_bridge', 'audio_bridge')
"""Need message packages that are not always there."""
NODES = [n for n in graph.NODES if n.name not in BRIDGES]
SPACES = ('/otherwise', '/waiting', '/')
"""Namespaces of nodes that run by other parameters, with which they use other topics; the usual one comes last."""
OTHERWISE, WAITING = (['-r', f'__ns:={space}'] for space in SPACES[:2])
TIMEOUT = 300.0


def policy_of(name):
    return policies.read(share('security', 'policies') / f'{name}.policy.xml')


@pytest.fixture
def start(start_node):
    """A node in its enclave. All end with the test, at once: each takes its time on a busy machine."""
    started = []

    def start(name, parameters, arguments=()):
        started.append(start_node(name, parameters, arguments=['--enclave', graph.node(name).enclave, *arguments]))

    yield start
    for node in started:
        if node.alive:
            os.kill(node.pid, signal.SIGINT)
    for node in started:
        node.stop(timeout=120.0)


@pytest.fixture
def media(tmp_path):
    """A film with pictures and sound: of what is not in it there is no topic."""
    black = [np.zeros((120, 160, 3), np.uint8)] * 25
    return {'media': str(film.write(tmp_path / 'black.mkv', black, np.zeros(16_000, np.int16), audio='pcm_s16le'))}


def watch(probe, names, meanwhile=lambda: None):
    """What the nodes have, in either namespace, until they have had all that their policies allow."""
    allowed = {name: policy_of(name) for name in names}
    seen = {name: policies.Policy(name, '/', graph.node(name).enclave) for name in names}

    def unused():
        meanwhile()
        for policy in seen.values():
            for policy.namespace in SPACES:
                with contextlib.suppress(NodeNameNonExistentError):
                    policies.add_what_it_has(policy, probe.node)
        return {name: allowed[name].unused(seen[name]) for name in names}

    try:
        probe.wait_for(lambda: not any(unused().values()), 'every node to have all that its policy allows', TIMEOUT)
    except AssertionError as error:
        raise AssertionError(f'{error}; not seen: { {k: v for k, v in unused().items() if v} }') from None
    return {name: allowed[name].broken(seen[name]) for name in names}


def test_each_node_does_all_that_it_may_and_nothing_else(probe, start, media):
    """fusion is kept from becoming active: the others wait for it, and ask."""
    for node in NODES:
        order = {'start_after': graph.start_after(node, NODES)} | (media if node.name == graph.SOURCE else {})
        start(node.name, {'autostart': False} if node.name == 'fusion' else {'use_sim_time': True, **order})
    start('fusion', {'autostart': False, 'use_sim_time': True}, OTHERWISE)
    start('pose_estimation', {'transport': 'compressed'}, OTHERWISE)
    start('audio_features', {'voice_activity': 'topic'}, OTHERWISE)
    # A source asks for the nodes that it waits for once it is active.
    start('media_source', {**media, 'transport': 'compressed', 'publish_clock': True, 'lossless': True}, OTHERWISE)
    configure = Transition(id=Transition.TRANSITION_CONFIGURE)
    assert probe.call(ChangeState, 'fusion/change_state', TIMEOUT, transition=configure).success

    names = [node.name for node in NODES]
    assert watch(probe, names) == {name: [] for name in names}

    running = {(name, enclave) for name, _, enclave in probe.node.get_node_names_and_namespaces_with_enclaves()}
    assert {(node.name, node.enclave) for node in NODES} <= running
    described = yaml.safe_load(share('config', 'emotion.yaml').read_text())
    of_all = set(described['/**']['ros__parameters']) | {'start_type_description_service'}
    for name in names:
        given = set(probe.call(ListParameters, f'{name}/list_parameters', TIMEOUT).result.names)
        own = set(described[f'/**/{name}']['ros__parameters'])
        assert own <= given <= own | of_all, f'{name}: what set_parameters reaches stands in emotion.yaml'


def test_the_bridges_do_all_that_they_may_and_nothing_else(probe, start, give_interfaces):
    give_interfaces(interfaces.ROS4HRI, interfaces.ROS_DRIVERS, here=True)
    import hri_msgs.msg as hri

    inputs = {'take_audio': True, 'take_is_speaking': True, 'take_speech': True}
    start('ros4hri_bridge', {**inputs, 'use_sim_time': True})
    start('ros4hri_bridge', {**inputs, 'persons': 'tracked', 'image_width': 640, 'image_height': 480}, OTHERWISE)
    start('audio_bridge', {'audio_type': 'AudioDataStamped', 'use_sim_time': True, 'start_after': 'audio_features'})
    start('ros4hri_bridge', {'start_after': 'audio_features,fusion'}, WAITING)

    skeletons = [
        probe.publisher(msg.SkeletonArray, f'{space.rstrip("/")}/{topics.SKELETON_RAW}', qos.STREAM) for space in SPACES
    ]
    voices = probe.publisher(hri.IdsList, '/humans/voices/tracked', qos.LATCHED)
    face = probe.publisher(String, '/humans/persons/p1/face_id', qos.LATCHED)
    confidences = np.full(10, 0.75, np.float32)
    pixels = np.ones((10, 2), np.float32)
    somebody = Skeleton(SECOND, 'p1', np.zeros((10, 3), np.float32), confidences, 0.9, 0.2, pixels)

    def show():
        for publisher in skeletons:
            publisher.publish(skeletons_to_message([somebody], header(SECOND, 'camera')))
        voices.publish(hri.IdsList(ids=['v1']))
        face.publish(String(data='f1'))

    assert watch(probe, BRIDGES, show) == {name: [] for name in BRIDGES}


def test_every_node_of_the_graph_has_a_policy_and_nobody_else():
    assert {file.name for file in share('security', 'policies').iterdir()} == {
        f'{node.name}.policy.xml' for node in graph.NODES
    }
    for node in graph.NODES:
        policy = policy_of(node.name)
        assert (policy.node, policy.namespace, policy.enclave) == (node.name, '/', node.enclave)


def test_nobody_may_set_parameters_or_states_of_another_or_speak_for_fusion():
    for node in graph.NODES:
        policy = policy_of(node.name)
        assert all(name.endswith('/get_state') for name in policy.names['request'])
        assert policy.allows('publish', topics.EMOTION_STATE) == (node.name == 'fusion')
