# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""skeleton_filter in a real graph: windows as cut offline, when they are due, and only once."""
import re

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from smern_ros import msg
from smern_ros.ros import messages, qos, topics
from smern_ros.skeleton.lowpass import delay_frames
from smern_ros.skeleton.window import cut
from smern_ros.values import SECOND, Skeleton, Utterance

pytestmark = pytest.mark.ros

START = 1_700_000_000 * SECOND


def skeleton(stamp_ns: int, person: str = 'a', extent: float = 0.2) -> Skeleton:
    wave = 0.2 * np.sin(3 * (stamp_ns - START) / SECOND + np.arange(30).reshape(10, 3))
    return Skeleton(
        stamp_ns=stamp_ns, person_id=person, positions=wave.astype(np.float32), score=0.9, extent=extent,
        confidences=np.ones(10, np.float32), image_positions=np.full((10, 2), 5, np.float32),
    )


def stamps(rate: float, first: float, last: float) -> list[int]:
    return [START + round(k * SECOND / rate) for k in range(round(first * rate), round(last * rate) + 1)]


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


class Graph:
    """The node as a process, and the test in the place of camera and microphone."""

    def __init__(self, probe, start_node, **parameters):
        self.probe = probe
        self.node = start_node('skeleton_filter', parameters)
        self._raw = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
        self._utterances = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
        self._people = probe.publisher(msg.SkeletonArray, topics.PEOPLE, qos.STATE)
        self.windows = probe.collect(msg.SkeletonWindow, topics.SKELETON_WINDOW, qos.EVIDENCE)
        self.filtered = probe.collect(msg.SkeletonArray, topics.SKELETON_FILTERED, qos.STREAM)
        self.health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
        probe.wait_for_listener(self._raw, self._utterances, self._people)
        probe.wait_for_speaker(topics.SKELETON_WINDOW, topics.SKELETON_FILTERED)

    def see(self, frames: list[int], people=('a',)) -> None:
        """The camera's frames, and the proof that the node has taken them."""
        for stamp in frames:
            self.raw(messages.skeletons_to_message([skeleton(stamp, p) for p in people], messages.header(stamp, 'cam')))
        self.probe.wait_for(
            lambda: self.filtered and 0 < frames[-1] - messages.to_ns(self.filtered[-1].header.stamp) < 600_000_000,
            'the frames to pass the filter',
        )

    def say_that_nobody_is_here(self, stamp_ns: int) -> None:
        """:param stamp_ns: 0: whoever looks has just begun to."""
        taken = len(self.health)
        self._people.publish(msg.SkeletonArray(header=messages.header(stamp_ns, 'cam')))
        self.probe.wait_for(
            lambda: any(v.key == f'in {topics.PEOPLE} [Hz]' and float(v.value) > 0
                        for m in self.health[taken:] for v in m.status[0].values), 'who is here to be heard')

    def raw(self, message: msg.SkeletonArray) -> None:
        self._raw.publish(message)

    def speak(self, state: int, end: float, *, start: float = 0.5, name: str = 'u1') -> None:
        utterance = Utterance(name, at(start), at(end), np.zeros(160, np.float32))
        self._utterances.publish(messages.utterance_to_message(utterance, state, at(end), 'mic'))

    def of_utterances(self) -> list[tuple[str, int]]:
        return [(w.utterance_id, messages.to_ns(w.end)) for w in self.windows if w.utterance_id]


TENTATIVE, ENDED, RESUMED = msg.Utterance.TENTATIVE, msg.Utterance.ENDED, msg.Utterance.RESUMED


def assert_as_offline(window: msg.SkeletonWindow, frames: list[int]) -> None:
    start, end = messages.to_ns(window.start), messages.to_ns(window.end)
    offline = cut([skeleton(stamp) for stamp in frames], start, end)
    live = messages.windows_from_message(window)
    assert [w.person_id for w in live] == [w.person_id for w in offline]
    for one, other in zip(live, offline, strict=True):
        np.testing.assert_array_equal(one.visible, other.visible)
        np.testing.assert_allclose(one.positions, other.positions, atol=1e-6)


def test_the_window_of_an_utterance_is_the_one_cut_offline_and_comes_with_its_last_frame(probe, start_node):
    graph = Graph(probe, start_node, late_frame_wait=10.0, gesture_period=0.0)
    early = [s for k, s in enumerate(stamps(25, 0, 2)) if k % 7]  # a camera of 25 fps that drops frames
    late = stamps(25, 2.04, 3)
    graph.see(early)
    graph.speak(TENTATIVE, 2.5)
    probe.settle(0.5)
    assert graph.windows == []  # its last frames are still to come
    graph.see(late)
    [window] = probe.wait_for(lambda: graph.windows, 'the window')
    assert (window.utterance_id, window.header.frame_id) == ('u1', 'cam')
    assert messages.to_ns(window.header.stamp) == at(2.5)
    assert_as_offline(window, early + late)
    graph.speak(TENTATIVE, 2.8, name='u2')  # its frames are all there
    probe.wait_for(lambda: graph.of_utterances()[1:] == [('u2', at(2.8))], 'the second window', timeout=5)
    assert_as_offline(graph.windows[1], early + late)
    assert graph.node.stop() == 0


def test_each_end_is_told_once_and_a_resumed_one_never(probe, start_node):
    graph = Graph(probe, start_node, late_frame_wait=10.0, gesture_period=0.0)
    graph.see(stamps(30, 0, 2))
    for state in (TENTATIVE, TENTATIVE, ENDED):
        graph.speak(state, 1.5)
    graph.speak(TENTATIVE, 2.2, name='u2')
    graph.speak(RESUMED, 2.2, name='u2')
    graph.speak(TENTATIVE, 2.6, name='u2')
    graph.speak(ENDED, 2.6, name='u2')
    graph.speak(ENDED, 1.8, name='u3')  # whose TENTATIVE was lost
    probe.wait_for(lambda: len(graph.windows) >= 2, 'those whose frames are there')
    graph.see(stamps(30, 2.1, 3))
    probe.wait_for(lambda: len(graph.windows) >= 3, 'three windows')
    probe.settle(0.3)
    assert graph.of_utterances() == [('u1', at(1.5)), ('u3', at(1.8)), ('u2', at(2.6))]


def test_without_a_camera_the_window_is_empty_at_once(probe, start_node):
    graph = Graph(probe, start_node, late_frame_wait=10.0)
    graph.speak(TENTATIVE, 2.0)
    [window] = probe.wait_for(lambda: graph.windows, 'the empty window', timeout=5)
    assert window.tracks == [] and window.utterance_id == 'u1'


def test_without_a_camera_a_recording_played_again_gives_its_windows_again(probe, start_node):
    graph = Graph(probe, start_node)
    talk = [('u1', 2.0), ('u2', 4.0), ('u3', 6.0)]
    for _ in range(2):
        for name, end in talk:
            graph.speak(TENTATIVE, end, start=end - 1.0, name=name)
            graph.speak(ENDED, end, start=end - 1.0, name=name)
    probe.wait_for(lambda: len(graph.windows) >= 6, 'six windows')
    probe.settle(0.3)
    assert graph.of_utterances() == [(name, at(end)) for name, end in talk] * 2
    assert graph.node.output.count('speech/utterance jumped back by 4.0 s') == 1


def test_frames_that_do_not_come_are_waited_for_a_little_and_missed_aloud(probe, start_node):
    graph = Graph(probe, start_node, gesture_period=0.0, camera_timeout=30.0)
    frames = stamps(30, 0, 1.5)
    graph.see(frames)
    graph.speak(TENTATIVE, 2.0)
    [window] = probe.wait_for(lambda: graph.windows, 'the window', timeout=5)
    assert_as_offline(window, frames)
    probe.wait_for(lambda: graph.node.said("no skeletons of the last 0.50 s of utterance 'u1'"), 'the warning')


def test_an_utterance_longer_than_the_history_has_what_is_left_and_costs_no_other_its_window(probe, start_node):
    graph = Graph(probe, start_node, history=2.0, gesture_period=0.0, late_frame_wait=10.0, camera_timeout=30.0)
    frames = stamps(30, 0, 15)
    for first in range(0, len(frames) - 60, 60):  # fewer than the topic's queue holds
        graph.see(frames[first:min(first + 60, len(frames) - 60)])
    graph.speak(TENTATIVE, 14.0, start=0.5, name='long')
    graph.speak(TENTATIVE, 14.0, start=13.5, name='short')
    probe.settle(0.5)
    assert graph.windows == []
    graph.see(frames[-60:])
    probe.wait_for(lambda: len(graph.windows) == 2, 'both windows')
    assert graph.of_utterances() == [('long', at(14.0)), ('short', at(14.0))]
    assert_as_offline(graph.windows[1], frames)
    (long,) = messages.windows_from_message(graph.windows[0])
    assert long.start_ns == at(0.5) and long.visible[-150:].all() and not long.visible[:150].any()
    probe.wait_for(lambda: graph.node.said("utterance 'long' lasts 13.5 s") and graph.node.said('increase history'),
                   'the advice')


def test_skeletons_of_another_clock_are_warned_of_until_they_fit(probe, start_node):
    graph = Graph(probe, start_node, gesture_period=0.0, late_frame_wait=0.1, camera_timeout=30.0)
    graph.see(stamps(30, 0, 2))  # of 22:13, where the speech is of 23:13
    for k in range(3):
        graph.speak(TENTATIVE, 3600.0 + 2 * k, start=3598.5 + 2 * k, name=f'u{k}')
    probe.wait_for(lambda: len(graph.windows) == 3, 'the windows')
    assert not any(w.tracks for w in graph.windows)

    def warned():
        if not graph.health:
            return ''
        status = graph.health[-1].status[0]
        is_told = status.level == DiagnosticStatus.WARN and 'the last 3 utterances lack skeletons' in status.message
        return status.message if is_told else ''

    probe.wait_for(warned, 'the warning')
    assert re.search(r'3(598|600|602)[.]0 s before the end of the speech', warned())
    probe.wait_for(lambda: graph.node.said('let camera and microphone stamp by one clock'), 'the log')
    graph.speak(TENTATIVE, 1.5, start=0.5, name='fits')
    probe.wait_for(lambda: graph.windows[-1].tracks, 'a window with somebody')
    probe.wait_for(lambda: not warned(), 'the end of the warning')


def test_between_utterances_the_last_two_seconds_come_every_half(probe, start_node):
    graph = Graph(probe, start_node)
    frames = stamps(25, 0.1, 4.2)
    graph.see(frames)
    probe.wait_for(lambda: len(graph.windows) == 4, 'the windows')
    assert [messages.to_ns(w.end) for w in graph.windows] == [at(2.5), at(3), at(3.5), at(4)]
    for window in graph.windows:
        assert window.utterance_id == '' and messages.to_ns(window.start) == messages.to_ns(window.end) - 2 * SECOND
        assert_as_offline(window, frames)


def test_the_smooth_stream_is_stamped_with_the_time_its_values_belong_to(probe, start_node):
    graph = Graph(probe, start_node)
    graph.see(stamps(25, 0, 4), people=('b', 'a'))
    times = np.array([messages.to_ns(m.header.stamp) for m in graph.filtered])
    assert set(np.diff(times)) <= {33_333_333, 33_333_334}
    assert 0 <= at(4) - round(delay_frames() * SECOND / 30) - times[-1] < 33_333_334
    for message in graph.filtered[30:]:
        people = messages.skeletons_from_message(message)
        assert [p.person_id for p in people] == ['a', 'b']
        for person in people:
            np.testing.assert_allclose(person.positions, skeleton(person.stamp_ns).positions, atol=0.03)


def bad_frames() -> dict[str, msg.SkeletonArray]:
    def frame(*people: Skeleton, stamp: int = at(2)) -> msg.SkeletonArray:
        return messages.skeletons_to_message(people, messages.header(stamp, 'cam'))

    infinite = frame(skeleton(at(2)))
    infinite.skeletons[0].positions[3].x = float('inf')
    return {
        'infinite': infinite,
        'an empty person_id': frame(skeleton(at(2), person='')),
        'share a person_id': frame(skeleton(at(2)), skeleton(at(2))),
        'the maximum is 50': frame(*[skeleton(at(2), person=str(k)) for k in range(2000)]),
        'header.stamp is 0': frame(stamp=0),
        'stamps must increase': frame(stamp=at(0.5)),
    }


def test_each_bad_frame_is_one_error_and_loses_nothing_else(probe, start_node):
    graph = Graph(probe, start_node, gesture_period=0.0)
    frames = stamps(30, 0, 3)
    graph.see(frames[:45])
    for message in bad_frames().values():
        for _ in range(5):
            graph.raw(message)
    graph.see(frames[45:])
    graph.speak(TENTATIVE, 2.5)
    [window] = probe.wait_for(lambda: graph.windows, 'the window')
    assert_as_offline(window, frames)
    probe.wait_for(lambda: all(map(graph.node.said, bad_frames())), 'what was wrong')
    assert {said: graph.node.output.count(said) for said in bad_frames()} == dict.fromkeys(bad_frames(), 1)
    assert graph.node.stop() == 0


def test_each_bad_utterance_is_one_error_and_loses_nothing_else(probe, start_node):
    graph = Graph(probe, start_node, gesture_period=0.0)
    frames = stamps(30, 0, 3)
    graph.see(frames)
    for _ in range(5):
        graph.speak(TENTATIVE, 0.2)
        graph.speak(9, 1.0)
        graph.speak(TENTATIVE, 2.0, name='')
        graph.speak(TENTATIVE, 2.0, start=-900.0)
        graph.speak(RESUMED, 2.0, name='never seen')  # no error: its TENTATIVE may have come before this node
    graph.speak(TENTATIVE, 2.5)
    [window] = probe.wait_for(lambda: graph.windows, 'the window')
    assert_as_offline(window, frames)
    reasons = ('the end must be after the start', 'unknown state 9', 'an empty id', 'lasts 902 s; the maximum is 120 s')
    probe.wait_for(lambda: all(map(graph.node.said, reasons)), 'what was wrong')
    assert [graph.node.output.count(said) for said in reasons] == [1] * len(reasons)
    assert graph.node.output.count('[ERROR]') == 4


def test_a_clock_that_is_set_back_starts_all_afresh_and_is_told(probe, start_node):
    graph = Graph(probe, start_node, late_frame_wait=2.0)
    graph.see(stamps(30, 100, 103))
    graph.speak(TENTATIVE, 102.5, start=101, name='before')
    probe.wait_for(graph.of_utterances, 'the utterance on the old clock')
    graph.speak(TENTATIVE, 103.5, start=101, name='cut off')  # its last frames will never come
    frames = stamps(30, 0, 3)
    graph.see(frames)
    graph.speak(TENTATIVE, 2.5, name='after')
    probe.wait_for(lambda: len(graph.of_utterances()) >= 2, 'the utterance on the new clock')
    probe.settle(2.1)
    assert graph.of_utterances() == [('before', at(102.5)), ('after', at(2.5))]
    new = [w for w in graph.windows if messages.to_ns(w.end) < at(50)]
    assert [messages.to_ns(w.end) for w in new] == [at(2.5), at(3), at(2.5)]
    for window in new:
        assert_as_offline(window, frames[1:])  # one frame from long ago could have been a mistake
    assert min(messages.to_ns(m.header.stamp) for m in graph.filtered) >= START
    assert graph.node.output.count('jumped back') == 1


def test_two_people_who_have_had_one_id_are_not_mixed(probe, start_node):
    graph = Graph(probe, start_node, gesture_period=0.0)
    before, after = stamps(30, 0, 1), stamps(30, 1.5, 3)
    graph.see(before)
    graph.say_that_nobody_is_here(at(1))  # who has gone is not forgotten: their utterance may still end
    graph.speak(ENDED, 0.9, start=0.1, name='u1')
    probe.wait_for(lambda: len(graph.windows) == 1, 'the window of who has left')
    assert_as_offline(graph.windows[0], before)
    graph.say_that_nobody_is_here(0)      # pose_estimation was started again
    graph.see(after)
    graph.speak(ENDED, 2.5, start=0.5, name='u2')
    probe.wait_for(lambda: len(graph.windows) == 2, 'the window of who came after')
    assert_as_offline(graph.windows[1], after)
