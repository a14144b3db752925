# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The whole graph on a real film with real speech: what it says live is what is computed offline."""
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.weights, pytest.mark.slow]
START = 1_700_000_000
"""s; the input's time line lies in the past, so that no stamp can be the time of processing."""
FIELDS_1E4 = {'rtol': 0, 'atol': 1e-4}


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    """The demo's film with two of its sentences."""
    from smern_ros import assets
    from smern_ros.demo import clip

    return clip.compose(assets.path(clip.VIDEO_ASSET), assets.path(clip.SPEECH_ASSET),
                        tmp_path_factory.mktemp('clip'), clip.Layout(sentences=('0880', '0930'), lead=1.0))


def offline(items):
    """The utterances of the items, through the core, without ROS."""
    from smern_ros.emotion.offline import analyse
    from smern_ros.skeleton import pose
    from smern_ros.speech import recogniser
    from smern_ros.speech.encoder import SpeechEncoder

    estimator = pose.create('mediapipe')
    try:
        return list(analyse(items, pose=estimator, recogniser=recogniser.create(), speech_encoder=SpeechEncoder()))
    finally:
        estimator.close()


def assert_same(evidence, expected, start_ns, checkpoint=None):
    """Every utterance's features, words, movement and probabilities, live and offline."""
    from smern_ros.emotion.active_speaker import choose
    from smern_ros.emotion.predictor import EmotionPredictor
    from smern_ros.emotion.session import Session
    from smern_ros.ros.messages import features_from_message, to_ns, windows_from_message
    from smern_ros.skeleton.features import model_input

    session = Session(EmotionPredictor.load(checkpoint))
    assert len(expected) >= 2, 'the clip should hold several utterances'
    assert len(evidence.finals) == len(expected)
    for state, inputs in zip(evidence.finals, expected, strict=True):
        assert to_ns(state.window_start) - start_ns == inputs.start_ns
        assert to_ns(state.window_end) - start_ns == inputs.end_ns
        key = (state.utterance_id, to_ns(state.window_end))

        features = next(f for f in map(features_from_message, evidence.features) if (f.utterance_id, f.end_ns) == key)
        np.testing.assert_allclose(features.mfcc, inputs.audio.mfcc, **FIELDS_1E4)
        np.testing.assert_allclose(features.prosody, inputs.audio.prosody, **FIELDS_1E4)
        np.testing.assert_allclose(features.speech, inputs.audio.speech, **FIELDS_1E4)

        transcript = next(t for t in evidence.transcripts if (t.utterance_id, to_ns(t.header.stamp)) == key)
        assert transcript.text == inputs.text.text
        assert [to_ns(w.start) - start_ns for w in transcript.words] == [w.start_ns for w in inputs.text.words]

        window = next(w for w in evidence.windows if (w.utterance_id, to_ns(w.header.stamp)) == key)
        live, live_visible = model_input(choose(windows_from_message(window)))
        wanted, wanted_visible = model_input(inputs.skeleton)
        np.testing.assert_array_equal(live_visible, wanted_visible)
        np.testing.assert_allclose(live, wanted, **FIELDS_1E4)

        judgement = session.predict(inputs)
        prediction = judgement.prediction
        assert state.person_id == judgement.person_id
        assert tuple(state.modalities) == prediction.modalities
        np.testing.assert_allclose(state.probabilities, prediction.probabilities, rtol=0, atol=1e-3)
        np.testing.assert_allclose(state.modality_weights, prediction.weights, rtol=0, atol=1e-3)


def assert_on_time_line(evidence, start_ns, end_ns):
    """No stamp and no window of any output lies outside the input's own time."""
    from smern_ros.ros.messages import to_ns

    everything = [
        *evidence.skeletons, *evidence.windows, *evidence.activity, *evidence.utterances,
        *evidence.features, *evidence.transcripts, *evidence.states,
    ]
    assert len(everything) > 100
    for message in everything:
        times = [message.header.stamp]
        times += [getattr(message, f) for f in ('start', 'end', 'window_start', 'window_end') if hasattr(message, f)]
        for stamp in times:
            assert start_ns <= to_ns(stamp) <= end_ns, f'{type(message).__name__} at {to_ns(stamp) - start_ns} ns'
    for state in evidence.states:
        assert state.header.stamp == state.window_end
        assert all(0 <= age <= 15 for age in state.modality_ages)


def assert_up_in_order(graph):
    """Every node became active after those that take what it gives, by the stamps of their own log lines."""
    from smern_ros.deploy import graph as description

    def stamps():
        return {name: float(line.split('[')[2].split(']')[0]) for name, line in graph.said if line.endswith(': active')}

    nodes = description.select()
    graph.wait_for(lambda: len(stamps()) == len(nodes), 'every node to say that it is active', timeout=60.0)
    for node in nodes:
        for listener in node.feeds:
            assert stamps()[listener] < stamps()[node.name], f'{node.name} was active before {listener}'


def test_a_replay_through_the_source_gives_the_offline_tensors_and_probabilities(clip, tmp_path):
    from support.graph import Graph
    from support.personal import personal_checkpoint

    from smern_ros.deploy.processes import Override
    from smern_ros.media.reader import MediaReader, VideoFrame
    from smern_ros.ros.messages import to_ns

    expected = offline(MediaReader(clip))
    frames = sum(isinstance(item, VideoFrame) for item in MediaReader(clip))
    checkpoint = personal_checkpoint(tmp_path)
    settings = [Override('pose_estimation', 'drop_frames', 'false'), Override('fusion', 'checkpoint', str(checkpoint))]
    with Graph(overrides=settings) as graph:
        assert_up_in_order(graph)
        with graph.playing(clip, rate=0.0, lossless=True):
            graph.wait_for_finals(len(expected), timeout=120.0)
            graph.probe.wait_for(lambda: len(graph.evidence.skeletons) >= frames, 'a skeleton message for every frame')
        assert len(graph.evidence.skeletons) == frames
        start_ns = to_ns(graph.evidence.skeletons[0].header.stamp)
        assert_same(graph.evidence, expected, start_ns, checkpoint)
        assert any(len(s.modalities) == 3 for s in graph.evidence.finals)
        assert graph.complaints == []


def test_a_slow_camera_that_loses_frames_and_odd_chunks_on_simulated_time(clip):
    from support.graph import Graph
    from support.replay import Player, at_frame_rate, in_odd_chunks, losing_frames

    from smern_ros.deploy.processes import Override
    from smern_ros.media.reader import MediaReader
    from smern_ros.values import SECOND

    film = list(losing_frames(at_frame_rate(MediaReader(clip), 25.0), share=0.1, gap=(2.0, 2.5)))
    expected = offline(film)
    # A chunk of sound may hold a quarter of a second for which the pictures are still to come, at this machine's pace.
    patient = [Override('skeleton_filter', 'late_frame_wait', '10.0'), Override('fusion', 'skeleton_timeout', '10.0'),
               Override('fusion', 'text_timeout', '30.0')]
    with Graph(overrides=patient, use_sim_time=True) as graph:
        Player(graph, START * SECOND, clock=True).play(in_odd_chunks(film))
        graph.wait_for_finals(len(expected))
        assert_same(graph.evidence, expected, START * SECOND)
        assert_on_time_line(graph.evidence, START * SECOND, START * SECOND + film[-1].stamp_ns + 2 * SECOND)
        # By the simulated clock a state comes when its evidence is over, not decades later.
        latencies = [s.latency for s in graph.evidence.states]
        assert min(latencies) >= -0.1 and max(latencies) < 5.0


def test_ctrl_c_ends_the_running_graph_within_three_seconds_and_leaves_nothing(clip):
    import psutil

    command = [sys.executable, '-m', 'smern_ros.cli.main', 'run', '--with', 'media_source',
               '--set', f'media_source.media:={clip}', '--set', 'media_source.loop:=true']
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           env={**os.environ, 'PYTHONUNBUFFERED': '1'})
    try:
        from support.probe import Probe

        from smern_ros import msg
        from smern_ros.ros import qos, topics

        probe = Probe()
        states = probe.collect(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
        probe.wait_for(lambda: any(s.is_final for s in states), 'a final state', timeout=120.0)
        probe.close()
        children = psutil.Process(run.pid).children(recursive=True)
        assert len(children) >= 6
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate(timeout=20)
        assert time.monotonic() - began < 3.0, output[-2000:]
        assert run.returncode == 0
        assert not [c for c in children if c.is_running() and c.status() != psutil.STATUS_ZOMBIE]
        assert 'Traceback' not in output
    finally:
        run.kill()
