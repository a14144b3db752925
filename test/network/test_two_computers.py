# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Camera and microphone on one computer, the networks on another: what is said here is judged there.

Both computers are network namespaces of this machine, with shared memory and an identity of their own. What loses and
delays packets is a program of ours between two tunnel devices (support/lossy_wire.py).
"""
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.weights, pytest.mark.slow, pytest.mark.timeout(900)]

from support import hosts  # noqa: E402

from smern_ros import assets  # noqa: E402
from smern_ros.demo import clip  # noqa: E402
from smern_ros.media.reader import MediaReader  # noqa: E402
from smern_ros.media.tracks import AudioBlock, VideoFrame  # noqa: E402
from smern_ros.ros import topics  # noqa: E402
from smern_ros.values import SECOND  # noqa: E402

CAMERA, CAMERA_BY_LOSSY, ROBOT, ROBOT_BY_LOSSY = '10.77.0.1', '10.78.0.1', '10.77.0.2', '10.78.0.2'
SMERN = (sys.executable, '-m', 'smern_ros.cli.main')
PATIENT = (  # at this machine's pace no frame shall be dropped and no evidence be too late
    '--set', 'pose_estimation.queue:=100', '--set', 'skeleton_filter.late_frame_wait:=10.0',
    '--set', 'fusion.skeleton_timeout:=10.0', '--set', 'fusion.text_timeout:=30.0',
)
LOSS, DELAY = 0.08, 0.03
SILENCE = 1.5
"""s that a source adds after a file."""


@pytest.fixture(scope='module')
def computers():
    hosts.skip_if_impossible()
    with hosts.Host() as camera, hosts.Host() as robot:
        hosts.join(camera, robot, (CAMERA, ROBOT))
        yield camera, robot


@pytest.fixture(scope='module')
def lossy(computers):
    """The other wire between the two."""
    if not os.path.exists('/dev/net/tun'):
        pytest.skip('no tunnel devices here (/dev/net/tun): packets cannot be lost on purpose')
    try:
        return hosts.join_by_lossy_wire(*computers, (CAMERA_BY_LOSSY, ROBOT_BY_LOSSY))
    except (AssertionError, subprocess.CalledProcessError) as error:
        pytest.skip(f'no tunnel devices here: {error}')


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    """The first sentence of the demo's clip."""
    layout = clip.Layout(sentences=('0880',), lead=1.0, pause=1.0)
    film, speech = assets.path(clip.VIDEO_ASSET), assets.path(clip.SPEECH_ASSET)
    return clip.compose(film, speech, tmp_path_factory.mktemp('clip'), layout)


@pytest.fixture(scope='module')
def robot(computers, lossy):
    """What is heard on the robot, where everything but camera and microphone runs."""
    _, robot = computers
    network = ('--dds', 'multi_host', '--dds-peers', f'{CAMERA},{CAMERA_BY_LOSSY}')
    graph = robot.start(*SMERN, 'run', '--part', 'inference', *network, *PATIENT)
    profile = hosts.multi_host_profile(robot, f'{CAMERA},{CAMERA_BY_LOSSY}')
    observer = robot.start(sys.executable, str(Path(hosts.__file__).with_name('observer.py')), env=profile)
    observer.said = graph.said  # shown if what is waited for does not come
    return observer


def play(camera, recording, robot_address, *settings):
    """On the computer with the camera."""
    return camera.start(
        *SMERN, 'run', '--part', 'sensors', '--dds', 'multi_host', '--dds-peers', robot_address,
        '--set', f'media_source.media:={recording}', *settings,
    )


def test_what_is_seen_and_said_here_is_judged_there(computers, recording, robot):
    camera, _ = computers
    source = play(camera, recording, ROBOT, '--set', 'media_source.loop:=true')  # a busy machine loses some images
    heard = robot.wait_for(
        lambda report: any(
            {*state['modalities'], *state['unfamiliar']} == {'audio', 'text', 'skeleton'} for state in report['finals']
        ),
        'a final state on the robot by voice, words and movement',
    )
    assert heard['heard'][topics.IMAGE_COMPRESSED] > 0
    assert topics.IMAGE not in heard['heard'], 'raw images are too much for a network'
    source.stop()


def test_a_wire_that_loses_packets_costs_no_sound_and_images_without_harm(computers, lossy, recording, robot):
    camera, _ = computers
    before = robot.wait_for(lambda report: report['finals'], 'a final state by the good wire')
    camera.do('ip', 'link', 'set', 'wire', 'down')
    lossy.tell(f'{LOSS} {DELAY}')
    pieces = list(MediaReader(recording))
    frames = sum(isinstance(piece, VideoFrame) for piece in pieces)
    seconds = max(piece.end_ns for piece in pieces if isinstance(piece, AudioBlock)) / SECOND + SILENCE
    start_ns = time.time_ns()
    play(camera, recording, ROBOT_BY_LOSSY)

    def new_finals(report):
        return [state for state in report['finals'] if state['end'] > start_ns]

    heard = robot.wait_for(
        lambda report: new_finals(report) and len(report['sound']) > len(before['sound'])
        and report['sound'][-1] > seconds - 0.1,
        'a final state and all of the sound by the bad wire',
    )
    assert heard['sound'][-1] == pytest.approx(seconds, abs=0.1), 'without a gap'
    assert {'audio', 'text'} <= set(new_finals(heard)[0]['modalities'])
    images = heard['heard'][topics.IMAGE_COMPRESSED] - before['heard'].get(topics.IMAGE_COMPRESSED, 0)
    assert 0 < images < frames
    lossy.tell('0 0')
    counts = lossy.wait_for(lambda report: report.get('lost'), 'what the wire lost')
    assert 0.5 * LOSS < counts['lost'] / (counts['lost'] + counts['passed']) < 1.5 * LOSS
