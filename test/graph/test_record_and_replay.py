# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A run of the whole graph is recorded and played into a fresh one: it says the same again."""
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.weights, pytest.mark.slow, pytest.mark.timeout(1200)]
PATIENCE = 500.0
"""s; a graph that is held up by nothing but a busy machine ends some time."""
SMERN = [sys.executable, '-m', 'smern_ros.cli.main']
ITS_OWN = ('/diagnostics', '/parameter_events', '/rosout', '/clock', '/media/finished')
"""Topics that are of no interest in a recording."""


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    """The demo's film with two of its sentences."""
    from smern_ros import assets
    from smern_ros.demo import clip

    return clip.compose(assets.path(clip.VIDEO_ASSET), assets.path(clip.SPEECH_ASSET),
                        tmp_path_factory.mktemp('clip'), clip.Layout(sentences=('0880', '0930'), lead=1.0))


@pytest.fixture
def smern():
    """smern('record', ...) starts the command as a process, which ends with the test."""
    started = []

    def start(*arguments):
        started.append(subprocess.Popen([*SMERN, *map(str, arguments)], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def assert_every_topic_is_known(probe, others):
    """What the running graph publishes is in the table of what is recorded, with its type and nothing stricter.

    :param others: names of nodes that are not the graph's.
    """
    from rclpy.qos import QoSCompatibility, qos_check_compatible

    from smern_ros.ros.streams import STREAMS

    known = {f'/{stream.topic}': stream for stream in STREAMS}
    for topic, types in probe.node.get_topic_names_and_types():
        published = [p for p in probe.node.get_publishers_info_by_topic(topic) if p.node_name not in others]
        if not published or topic in ITS_OWN or topic.endswith('/transition_event'):
            continue
        assert topic in known, f'{topic} is published, but not in ros/streams.py: it would not be recorded'
        assert types == [known[topic].type_name]
        for publisher in published:
            compatible, reason = qos_check_compatible(publisher.qos_profile, known[topic].qos)
            assert compatible != QoSCompatibility.ERROR, reason


def record_a_run(clip, bag, smern):
    """Final states, in the order of time, and all transcripts."""
    from std_msgs.msg import Bool
    from support.graph import Graph
    from support.lifecycle import Manager

    from smern_ros.deploy.processes import Override
    from smern_ros.ros import qos, topics

    with Graph(overrides=[Override('pose_estimation', 'drop_frames', 'false')]) as graph:
        finished = graph.probe.collect(Bool, topics.MEDIA_FINISHED, qos.STATE)
        recorder = smern('record', '--out', bag)
        listeners = graph.probe.node.get_subscriptions_info_by_topic
        graph.wait_for(lambda: any(s.node_name == 'recorder' for s in listeners('/emotion_state')), 'a recorder', 120.0)
        with graph.playing(clip, rate=0.0, lossless=True, autostart=False):
            player = Manager(graph.probe, 'media_source')
            player.configure()
            graph.wait_for(lambda: graph.connected(topics.IMAGE, topics.AUDIO), 'all to find the recorder', 60.0)
            player.activate()
            graph.wait_for(lambda: any(m.data for m in finished), 'the end of the clip', PATIENCE)
            graph.wait_for_finals(2)
            assert_every_topic_is_known(graph.probe, others={'probe', 'recorder'})
        recorder.send_signal(signal.SIGINT)
        output, _ = recorder.communicate(timeout=60)
        assert recorder.returncode == 0, output
        assert 'dropped' not in output
        return graph.evidence


def test_a_recorded_run_gives_its_states_again_in_a_fresh_graph(clip, smern, tmp_path):
    from support.graph import Evidence
    from support.probe import Probe

    from smern_ros import msg
    from smern_ros.bag.reader import BagReader
    from smern_ros.ros import qos, topics

    bag = tmp_path / 'bag'
    before = record_a_run(clip, bag, smern)
    held = {name: topic.count for name, topic in BagReader(bag).topics.items()}
    assert held['/emotion_state'] == len(before.states)
    assert held['/skeleton/raw'] == held['/image_raw'] == len(before.skeletons)

    probe, after = Probe(), Evidence()
    try:
        after.states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.EVIDENCE)
        after.transcripts = probe.collect(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
        replay = smern('replay', bag, '--run', '--domain', os.environ['ROS_DOMAIN_ID'], '--rate', '0', '--compare')
        probe.wait_for(lambda: replay.poll() is not None, 'the end of the replay', PATIENCE)
        output = replay.stdout.read()
    finally:
        probe.close()

    assert len(before.finals) >= 2
    assert len(after.finals) == len(before.finals), output
    for one, again in zip(before.finals, after.finals, strict=True):
        for field in ('utterance_id', 'window_start', 'window_end', 'person_id', 'modalities', 'label', 'model'):
            assert getattr(again, field) == getattr(one, field), field
        np.testing.assert_allclose(again.probabilities, one.probabilities, rtol=0, atol=1e-3)
        np.testing.assert_allclose(again.modality_weights, one.modality_weights, rtol=0, atol=1e-3)
        assert -0.1 <= again.latency < 5.0  # by the recording's own clock
    words = [{t.utterance_id: t.text for t in evidence.transcripts if t.is_final} for evidence in (before, after)]
    assert words[0] == words[1] and all(words[0].values())
    assert replay.returncode == 0, output
    assert f'{len(before.finals)} of {len(before.finals)} final states are the same' in output
