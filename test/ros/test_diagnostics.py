# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a node tells of its health is what happened to it."""
import time

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from support.speech import START, sentence, utterance  # noqa: E402

from smern_ros import assets, msg  # noqa: E402
from smern_ros.ros import diagnostics, qos, topics  # noqa: E402
from smern_ros.ros.diagnostics import Health, is_active  # noqa: E402
from smern_ros.ros.messages import utterance_to_message  # noqa: E402

DiagnosticArray = diagnostics.DiagnosticArray


def values(status) -> dict[str, str]:
    return {v.key: v.value for v in status.values}


def test_rates_are_messages_by_the_time_since_the_last_report(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, 'monotonic', lambda: now)
    health = Health()
    health.track_subscription('word')
    health.track_publisher('echo', listeners=lambda: 2)
    now += 2.0
    for _ in range(9):
        health.received('word')
    health.sent('echo')
    assert values(health.report('/toy', 'active')).items() >= {'in word [Hz]': '4.5', 'out echo [Hz]': '0.5'}.items()
    now += 1.0
    assert values(health.report('/toy', 'active')).items() >= {'in word [Hz]': '0.0', 'out echo [Hz]': '0.0'}.items()
    assert values(health.report('/toy', 'active'))['listeners of echo'] == '2'


def test_latencies_are_those_since_the_last_report_and_counts_those_of_a_life():
    health = Health()
    for seconds in (0.010, 0.030, 0.250):
        health.record_latency(seconds)
    health.dropped(3)
    health.failed('no')
    first = values(health.report('/toy', 'active'))
    assert (first['latency median [ms]'], first['latency max [ms]']) == ('30.0', '250.0')
    health.dropped()
    second = values(health.report('/toy', 'active'))
    assert (second['latency median [ms]'], second['latency max [ms]']) == ('', '')
    assert (second['dropped'], second['errors'], second['last error']) == ('4', '1', 'no')


def test_what_waits_in_all_queues_is_told_while_they_are_there():
    health = Health()
    one, other = [1, 2, 3], [4]
    health.watch(lambda: len(one))
    forget = health.watch(lambda: len(other))
    assert values(health.report('/toy', 'active'))['queue'] == '4'
    one.pop()
    forget()
    assert values(health.report('/toy', 'active'))['queue'] == '2'


def test_the_level_is_that_of_the_worst_that_is_still_so(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, 'monotonic', lambda: now)
    health = Health()
    fine = health.report('/toy', 'active')
    assert (fine.level, fine.message) == (DiagnosticStatus.OK, 'active')
    health.failed('that word is wrong')
    troubled = health.report('/toy', 'active')
    assert (troubled.level, troubled.message) == (DiagnosticStatus.WARN, 'that word is wrong')
    assert is_active(fine) and is_active(troubled)
    failed = health.report('/toy', 'inactive', failed=True)
    assert (failed.level, failed.message) == (DiagnosticStatus.ERROR, 'that word is wrong')
    assert not is_active(failed)
    now += 11.0
    assert health.report('/toy', 'active').level == DiagnosticStatus.OK


@pytest.mark.parametrize(('first', 'speed', 'warned'), [
    (-0.05, 1.0, False), (-0.2, 1.0, True), (9.9, 1.0, False), (10.2, 1.0, True), (3600.0, 1.0, True),
    (100.0, 0.5, False), (100.0, 0.9, False), (-1.0, 1.5, False), (100.0, 10.0, False),
])
def test_the_clock_of_a_stream_is_strange_if_its_age_is_and_stays(monkeypatch, first, speed, warned):
    """:param speed: at which a recording is played; 1: a camera."""
    now = 100.0
    monkeypatch.setattr(time, 'monotonic', lambda: now)
    health = Health()
    levels = set()
    for second in range(10):
        for jitter in (0.0, 0.1, 0.2):
            health.record_stamp_age('image_raw', first + (1 - speed) * second + jitter * (second % 2))
        levels.add(health.report('/toy', 'active').level)
        now += 1.0
    assert levels == {DiagnosticStatus.OK, DiagnosticStatus.WARN} if warned else {DiagnosticStatus.OK}


def test_a_stream_that_begins_anew_and_rare_messages_are_given_time(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, 'monotonic', lambda: now)
    health = Health()
    for _ in range(4):
        for _ in range(4):
            health.record_stamp_age('speech/utterance', 12.0)
            assert health.report('/toy', 'active').level == DiagnosticStatus.OK
            now += 1.0
        assert health.report('/toy', 'active').level == DiagnosticStatus.OK  # a second without any
        now += 1.0


def test_what_holds_is_warned_of_until_it_is_over():
    health = Health()
    health.warn('camera', 'it is dark')
    dark = health.report('/toy', 'active')
    assert (dark.level, dark.message, health.warnings) == (DiagnosticStatus.WARN, 'it is dark', ['it is dark'])
    health.failed('no')
    assert health.report('/toy', 'active').message == 'no; it is dark'
    health.warn('camera', '')
    assert health.report('/toy', 'active').message == 'no' and health.warnings == []


def test_without_a_configuration_there_are_no_topics_and_no_model():
    health = Health()
    health.track_subscription('word')
    health.track_publisher('echo', listeners=lambda: 2)
    health.set_info('model', 'toy-1')
    health.dropped()
    assert values(health.report('/toy', 'inactive'))['model'] == 'toy-1'
    health.unconfigured()
    left = values(health.report('/toy', 'unconfigured'))
    assert left['model'] == 'none' and left['dropped'] == '1'
    assert not any('word' in key or 'echo' in key for key in left)


@pytest.mark.weights
def test_utterances_that_recognition_has_no_time_for_are_counted_and_said(probe, start_node):
    try:
        assets.path('whisper-tiny.en')
        samples = sentence('0870').samples
    except assets.MissingAsset as error:
        pytest.skip(str(error))
    node = start_node('asr', {'queue': 1})
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    transcripts = probe.collect(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
    utterances = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    probe.wait_for_listener(utterances)
    probe.wait_for_speaker(topics.TRANSCRIPT)
    count = 8
    for k in range(count):
        spoken = utterance(samples, f'u{k}', START)
        utterances.publish(utterance_to_message(spoken, msg.Utterance.ENDED, spoken.end_ns, 'microphone'))

    def told(key: str) -> int:
        return int(values(health[-1].status[0])[key]) if health else 0

    probe.wait_for(lambda: told('dropped') > 0, 'drops in diagnostics')
    probe.wait_for(lambda: len(transcripts) + told('dropped') == count, 'the fate of each to be told', timeout=60.0)
    assert told('errors') == told('dropped')
    probe.wait_for(lambda: node.said('is dropped: recognition is slower than speech'), 'the reason')
    last = values(health[-1].status[0])['last error']
    assert 'is dropped' in last
