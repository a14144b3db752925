# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A job that goes on after its node was cleaned up: it keeps its own model, and the next configuration has another.

The models are stand-ins, since only a stand-in can be held up for as long as a test needs: until a file appears.
"""
import textwrap

import numpy as np
import pytest
from sensor_msgs.msg import Image
from support.lifecycle import Manager
from support.speech import START, utterance

from smern_ros import msg
from smern_ros.ros import qos, topics
from smern_ros.ros.image_messages import to_image
from smern_ros.ros.messages import header, to_ns, utterance_to_message
from smern_ros.values import SECOND

pytestmark = pytest.mark.ros

HELD_UP = textwrap.dedent("""
    import itertools, sys, threading
    from pathlib import Path

    numbers = itertools.count(1)

    class Model:
        '''Says what happens to it.'''

        def __init__(self):
            self.number, self.running = next(numbers), False

        def work(self):
            print(f'model {self.number} begins' + ' WITHIN ANOTHER JOB' * self.running, flush=True)
            self.running = True
            while self.number in HELD_UP and not Path(f'{GO}{self.number}').exists():
                threading.Event().wait(0.02)
            self.running = False
            print(f'model {self.number} is done', flush=True)

        def close(self):
            print(f'model {self.number} is closed' + ' UNDER ITS JOB' * self.running, flush=True)
""")
POSE = HELD_UP + textwrap.dedent("""
    from smern_ros.nodes import pose_estimation

    class Pose(Model):
        def estimate(self, image, stamp_ns):
            self.work()
            return []

    pose_estimation.pose.create = lambda *_, **__: Pose()
    sys.exit(pose_estimation.main())
""")
ASR = HELD_UP + textwrap.dedent("""
    from smern_ros.nodes import asr
    from smern_ros.values import Transcript

    class Recogniser(Model):
        def transcribe(self, utterance):
            if utterance.id != 'warm-up':
                self.work()
            return Transcript(utterance.id, utterance.start_ns, utterance.end_ns, f'words of model {self.number}')

    asr.recogniser.create = lambda *_, **__: Recogniser()
    sys.exit(asr.main())
""")


@pytest.fixture
def start(tmp_path, start_node, probe):
    """Starts a node with such models: the process, its manager, and what lets a model that is held up go on."""
    def start(program, name, held_up):
        script, go = tmp_path / f'{name}.py', tmp_path / 'go'
        script.write_text(f'GO, HELD_UP = {str(go)!r}, {held_up!r}\n{program}')
        node = start_node(script, {'autostart': False})
        return node, Manager(probe, name), lambda number: (tmp_path / f'go{number}').touch()

    return start


def again(manager) -> None:
    manager.deactivate()
    manager.cleanup()
    manager.configure()
    manager.activate()


def test_a_pose_model_is_freed_by_its_last_job_and_not_under_it(probe, start):
    node, manager, go = start(POSE, 'pose_estimation', held_up=[1])
    images = probe.publisher(Image, topics.IMAGE, qos.IMAGES)
    skeletons = probe.collect(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)

    def see(stamp_ns):
        probe.wait_for_listener(images)
        images.publish(to_image(np.zeros((48, 64, 3), np.uint8), header(stamp_ns, 'camera')))

    manager.configure()
    manager.activate()
    see(SECOND)
    probe.wait_for(lambda: node.said('model 1 begins'), 'the first job')
    again(manager)
    assert not node.said('model 1 is done') and not node.said('model 1 is closed')
    probe.wait_for_speaker(topics.SKELETON_RAW)
    see(2 * SECOND)
    probe.wait_for(lambda: skeletons, 'the answer of the second model')
    go(1)
    probe.wait_for(lambda: node.said('model 1 is closed'), 'the first model to be freed')
    probe.settle(0.3)
    assert [to_ns(m.header.stamp) for m in skeletons] == [2 * SECOND]
    assert 'UNDER ITS JOB' not in node.output and '[ERROR]' not in node.output
    manager.deactivate()
    manager.cleanup()
    probe.wait_for(lambda: node.said('model 2 is closed'), 'the second model to be freed')
    assert node.output.count('is closed') == 2


def test_a_recogniser_that_is_late_neither_speaks_nor_takes_the_next_ones_work(probe, start):
    node, manager, go = start(ASR, 'asr', held_up=[1, 2])
    utterances = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    transcripts = probe.collect(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)

    def say(*names):
        probe.wait_for_listener(utterances)
        for name in names:
            spoken = utterance(np.zeros(1600, np.float32), name, START)
            utterances.publish(utterance_to_message(spoken, msg.Utterance.ENDED, spoken.end_ns, 'mic'))

    manager.configure()
    manager.activate()
    say('a', 'b')
    probe.wait_for(lambda: node.said('model 1 begins'), 'the first job')
    again(manager)
    assert not node.said('model 1 is done')
    probe.wait_for_speaker(topics.TRANSCRIPT)
    say('a', 'c')
    probe.wait_for(lambda: node.said('model 2 begins'), 'the first job of the second model')
    go(1)
    probe.wait_for(lambda: node.said('model 1 is done'), 'the end of the job of the first model')
    probe.settle(0.3)
    go(2)
    probe.wait_for(lambda: len(transcripts) >= 2, 'the words of the second model')
    probe.settle(0.3)
    assert 'WITHIN ANOTHER JOB' not in node.output
    assert [(t.utterance_id, t.text) for t in transcripts] == [(u, 'words of model 2') for u in ('a', 'c')]
    assert node.output.count('model 1 begins') == 1 and '[ERROR]' not in node.output
