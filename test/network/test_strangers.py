# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Unless somebody chooses otherwise, nobody on the network sees the graph, hears or sees people, or says how they feel.

The robot and a stranger's computer are network namespaces of this machine with a wire between them. On the robot runs a
node with Fast DDS's own settings, too: strangers hear it, so the wire is good and they are not deaf.
"""
import sys
from pathlib import Path

import pytest

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.weights, pytest.mark.slow, pytest.mark.timeout(600)]

from support import hosts  # noqa: E402

from smern_ros import assets  # noqa: E402
from smern_ros.demo import clip  # noqa: E402
from smern_ros.deploy import dds  # noqa: E402
from smern_ros.ros import topics  # noqa: E402

ROBOT, STRANGER = '10.77.0.1', '10.77.0.2'
SMERN = (sys.executable, '-m', 'smern_ros.cli.main')
OBSERVER = (sys.executable, str(Path(hosts.__file__).with_name('observer.py')))
LOCAL = {**dds.environment(dds.LOCAL, {}), dds.OLD_VARIABLE: ''}
OURS = {'media_source', 'fusion', 'observer_insider'}
LOOPBACK, GROUP, ALL_HOSTS = '0100007F', '0100FFEF', '010000E0'
"""127.0.0.1, 239.255.0.1 and 224.0.0.1 as /proc/net writes them."""
STRANGERS = {
    'local': LOCAL,
    'default': {},
    'calling': {'ROS_STATIC_PEERS': ROBOT, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'},
    'peer': None,       # our profile for several hosts, naming the robot
    'container': LOCAL,  # runs on the robot, with the robot's shared memory and another network
}


@pytest.fixture(scope='module')
def computers():
    hosts.skip_if_impossible()
    with hosts.Host() as robot, hosts.Host() as stranger:
        hosts.join(robot, stranger, (ROBOT, STRANGER))
        with hosts.Host(memory_of=robot) as container:
            hosts.join(robot, container, ('10.79.0.1', '10.79.0.2'), name='inside')
            yield robot, stranger, container


@pytest.fixture(scope='module')
def insider(computers, tmp_path_factory):
    """On the robot beside the graph, which plays a film with speech again and again."""
    robot, *_ = computers
    film, speech = assets.path(clip.VIDEO_ASSET), assets.path(clip.SPEECH_ASSET)
    recording = clip.compose(film, speech, tmp_path_factory.mktemp('clip'))
    robot.start(
        *SMERN, 'run', '--with', 'media_source',
        *without('pose_estimation', 'skeleton_filter', 'audio_features', 'asr'),
        '--set', f'media_source.media:={recording}', '--set', 'media_source.loop:=true',
    )
    insider = robot.start(*OBSERVER, 'insider', env=LOCAL)
    insider.wait_for(lambda report: report['heard'].get(topics.AUDIO) and report['heard'].get(topics.IMAGE)
                     and set(report['nodes']) >= OURS, 'sound, images and nodes, on the robot itself')
    return insider


def without(*names):
    return [word for name in names for word in ('--without', name)]


def test_nothing_of_the_graph_listens_on_the_network(computers, insider):
    robot, *_ = computers
    lines = robot.do('cat', '/proc/net/udp').splitlines()[1:]
    addresses = {line.split()[1].partition(':')[0] for line in lines}
    assert LOOPBACK in addresses and addresses <= {LOOPBACK, GROUP}
    joined = groups_by_card(robot.do('cat', '/proc/net/igmp'))
    assert joined['wire'] == [ALL_HOSTS], 'the group is joined on the loopback alone'
    assert len(robot.do('cat', '/proc/net/udp6').splitlines()) == 1, 'nothing by IPv6'


def groups_by_card(text):
    groups = {}
    for line in text.splitlines()[1:]:
        if line[0].isdigit():
            card = line.split()[1]
        else:
            groups.setdefault(card, []).append(line.split()[0])
    return groups


def test_strangers_with_any_profile_see_hear_and_say_nothing(computers, insider):
    robot, elsewhere, container = computers
    neighbour = robot.start(*OBSERVER, 'neighbour')
    strangers = {}
    for name, env in STRANGERS.items():
        host = container if name == 'container' else elsewhere
        env = hosts.multi_host_profile(host, ROBOT) if env is None else env
        strangers[name] = host.start(*OBSERVER, name, env=env)
    insider.wait_for(lambda report: 'neighbour' in report['labels'], 'what a node of the robot says of feelings')
    for name in ('default', 'calling', 'peer'):
        strangers[name].wait_for(lambda report: 'greeting of neighbour' in report['heard'], f'the neighbour, by {name}')
        neighbour.wait_for(lambda report, name=name: name in report['labels'], f'{name}, by the neighbour')
    for name, stranger in strangers.items():
        so_far = stranger.wait_for(lambda report: report, f'a report of {name}')['reports']
        report = stranger.wait_for(lambda report, so_far=so_far: report['reports'] > so_far + 12, f'more of {name}')
        assert not OURS & set(report['nodes']), name
        assert f'/{topics.MEDIA_FINISHED}' not in report['topics'], name
        assert not {topics.AUDIO, topics.IMAGE, topics.IMAGE_COMPRESSED} & report['heard'].keys(), name
        assert 'insider' not in report['labels'], name
    heard = insider.report
    assert set(heard['labels']) & {'insider', 'neighbour', *STRANGERS} == {'insider', 'neighbour'}
    assert not {f'observer_{name}' for name in STRANGERS} & set(heard['nodes'])
