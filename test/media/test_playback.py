# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A file is played in time, or as fast as it is taken, and nothing of it is lost."""
import itertools
import queue
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import film

from smern_ros.audio.stream import Discontinuity, SpeechStream
from smern_ros.media.back_pressure import AUDIO_AHEAD, FRAMES_AHEAD, BackPressure
from smern_ros.media.playback import Playback, chunks, silence_after
from smern_ros.media.reader import MediaReader
from smern_ros.media.tracks import AudioBlock
from smern_ros.values import SECOND


@pytest.fixture(scope='module')
def clip(shared_data, tmp_path_factory):
    """Two seconds at 25 fps; the voice lasts a little longer."""
    path = tmp_path_factory.mktemp('film') / 'clip.mkv'
    return film.write(path, film.pictures(shared_data, 50), film.speech(shared_data, 2.2), audio='pcm_s16le')


class Audience:
    """Notes what was shown and heard, and when."""

    def __init__(self):
        self.frames, self.sound, self.errors = [], [], []
        self.frame_times, self.sound_times = [], []
        self.ended = threading.Event()

    def show(self, frame):
        self.frame_times.append(time.monotonic())
        self.frames.append(frame.stamp_ns)

    def hear(self, chunk):
        self.sound_times.append(time.monotonic())
        self.sound.append(chunk)

    def play(self, path, **options) -> Playback:
        playback = Playback(
            MediaReader(path), show=self.show, sound=self.hear, on_error=self.errors.append, on_end=self.ended.set,
            **options,
        )
        self.began = time.monotonic()
        playback.start()
        return playback


def assert_whole(audience: Audience, shared_data) -> None:
    assert audience.frames == [k * SECOND // 25 for k in range(50)]
    voice = film.speech(shared_data, 2.2)
    samples = np.concatenate([chunk.samples[:, 0] for chunk in audience.sound])
    np.testing.assert_array_equal(samples[: len(voice)], voice)
    assert len(samples) - len(voice) == 1.5 * 16000 and not samples[len(voice):].any()
    assert all(a.end_ns == b.stamp_ns for a, b in itertools.pairwise(audience.sound))
    assert {len(chunk.samples) for chunk in audience.sound[:60]} == {512}
    assert audience.errors == []


def test_every_frame_and_sample_comes_once_with_its_stamp_and_silence_follows(clip, shared_data):
    audience = Audience()
    audience.play(clip, rate=0.0)
    assert audience.ended.wait(20)
    assert_whole(audience, shared_data)


def test_at_a_rate_nothing_comes_before_its_time_and_the_end_comes_at_its(clip, shared_data):
    audience = Audience()
    audience.play(clip, rate=2.0)
    assert audience.ended.wait(20)
    assert_whole(audience, shared_data)
    ends = [chunk.end_ns for chunk in audience.sound]
    for stamps, times in ((audience.frames, audience.frame_times), (ends, audience.sound_times)):
        assert (np.array(times) - audience.began >= np.array(stamps) / SECOND / 2).all()
    assert audience.sound_times[-1] - audience.began < 3.7 / 2 + 0.5


def test_a_slow_audience_misses_nothing_and_is_never_flooded(clip, shared_data):
    """The listener answers late and at random; the promises of BackPressure hold at each moment."""
    audience, rng = Audience(), np.random.default_rng(0)
    pressure = BackPressure(frames=True, audio=True, states=True, on_stall=audience.errors.append)
    mail: queue.Queue = queue.Queue()
    seen, heard, broken = [-1], [0], []
    over = threading.Event()

    def show(frame):
        under_way = len(audience.frames) + 1 - sum(s <= seen[0] for s in audience.frames)
        if under_way > FRAMES_AHEAD:
            broken.append(f'{under_way} frames under way')
        Audience.show(audience, frame)
        mail.put(('frame', frame.stamp_ns))

    def hear(chunk):
        if chunk.end_ns > seen[0] and seen[0] < 49 * SECOND // 25:
            broken.append(f'sound at {chunk.end_ns}, seen only to {seen[0]}')
        if chunk.end_ns > heard[0] + AUDIO_AHEAD:
            broken.append(f'sound at {chunk.end_ns}, heard only to {heard[0]}')
        if over.is_set():
            broken.append('sound while a state was awaited')
        Audience.hear(audience, chunk)
        mail.put(('sound', chunk.end_ns))

    def listen():
        while (letter := mail.get()) is not None:
            kind, stamp_ns = letter
            audience_is_slow.wait(rng.uniform(0, 0.008))
            if kind == 'frame':
                seen[0] = stamp_ns
                pressure.ack_frames(stamp_ns)
            else:
                if stamp_ns // SECOND > heard[0] // SECOND:  # each second an utterance ends and is judged
                    pressure.utterance_ended('u')
                    pressure.ack_state('u')
                heard[0] = stamp_ns
                pressure.ack_audio(stamp_ns)

    audience_is_slow = threading.Event()
    listener = threading.Thread(target=listen)
    listener.start()
    playback = Playback(
        MediaReader(clip), show=show, sound=hear, on_error=audience.errors.append, on_end=audience.ended.set,
        rate=0.0, pressure=pressure,
    )
    playback.start()
    assert audience.ended.wait(30)
    mail.put(None)
    listener.join()
    assert broken == []
    assert_whole(audience, shared_data)


def test_sound_waits_while_an_utterance_has_no_final_state():
    pressure = BackPressure(frames=False, audio=False, states=True, on_stall=print)
    passed = threading.Event()
    pressure.utterance_ended('u1')
    waiter = threading.Thread(target=lambda: pressure.wait_for_audio(0, SECOND) and passed.set())
    waiter.start()
    assert not passed.wait(0.2)
    pressure.ack_state('another')
    assert not passed.wait(0.1)
    pressure.ack_state('u1')
    assert passed.wait(2)
    waiter.join()


def test_a_silence_of_minutes_in_the_file_does_not_hold_up_its_frames():
    pressure = BackPressure(frames=True, audio=True, states=False, patience=60, on_stall=print)
    assert pressure.wait_for_frame(0)
    pressure.ack_frames(300 * SECOND)
    assert pressure.wait_for_audio(0, SECOND // 4)
    pressure.ack_audio(SECOND // 4)
    assert pressure.wait_for_audio(200 * SECOND, 200 * SECOND + SECOND // 2)
    assert pressure.wait_for_frame(201 * SECOND)


def test_an_audience_that_does_not_answer_is_told_of_and_not_waited_for_for_ever(clip):
    audience = Audience()
    pressure = BackPressure(frames=True, audio=False, states=False, patience=0.1, on_stall=audience.errors.append)
    playback = audience.play(clip, rate=0.0, pressure=pressure)
    assert audience.ended.wait(30)
    assert len(audience.frames) == 50
    assert 'for 0.1 s; going on' in audience.errors[0]
    playback.stop()


def test_each_pass_of_a_loop_waits_for_what_comes_in_it_and_for_no_more(clip):
    """The voice outlasts the film: its end needs no later frame."""
    audience = Audience()
    pressure = BackPressure(frames=True, audio=True, states=False, patience=30.0, on_stall=audience.errors.append)
    length, last_frame, early = round(2.2 * SECOND), 49 * SECOND // 25, []

    def show(frame):
        Audience.show(audience, frame)
        pressure.ack_frames(frame.stamp_ns)

    def hear(chunk):
        awaited = min(chunk.end_ns, chunk.stamp_ns // length * length + last_frame)
        if not audience.frames or audience.frames[-1] < awaited:
            early.append(chunk.end_ns)
        Audience.hear(audience, chunk)
        pressure.ack_audio(chunk.end_ns)

    audience.show, audience.hear = show, hear
    playback = audience.play(clip, rate=0.0, loop=True, pressure=pressure)
    deadline = time.monotonic() + 25.0
    while len(audience.frames) < 120 and time.monotonic() < deadline:
        audience.ended.wait(0.01)
    playback.stop()
    assert len(audience.frames) >= 120 and audience.errors == early == []


def test_a_loop_goes_on_where_the_last_pass_ended(clip):
    audience = Audience()
    playback = audience.play(clip, rate=0.0, loop=True)
    deadline = time.monotonic() + 20
    while len(audience.frames) < 120 and time.monotonic() < deadline:
        audience.ended.wait(0.01)
    playback.stop()
    assert audience.frames[50] == round(2.2 * SECOND) and audience.frames[100] == round(4.4 * SECOND)
    assert audience.frames == sorted(set(audience.frames))
    assert all(a.end_ns == b.stamp_ns for a, b in itertools.pairwise(audience.sound[:100]))
    assert not audience.ended.is_set()


@pytest.mark.parametrize('pressed', [False, True])
@pytest.mark.parametrize(('voice', 'rate'), [(0.4, 0.0), (1.87, 0.0), (0.4, 10.0)])
def test_a_loop_over_a_film_that_outlasts_its_sound_has_no_gap(shared_data, tmp_path, voice, rate, pressed):
    path = film.write(tmp_path / 'clip.mkv', film.pictures(shared_data, 50), film.speech(shared_data, voice),
                      audio='pcm_s16le')
    audience = Audience()
    pressure = BackPressure(frames=True, audio=True, states=False, patience=30.0, on_stall=audience.errors.append)

    def show(frame):
        Audience.show(audience, frame)
        pressure.ack_frames(frame.stamp_ns)

    def hear(chunk):
        Audience.hear(audience, chunk)
        pressure.ack_audio(chunk.end_ns)

    audience.show, audience.hear = show, hear
    playback = audience.play(path, rate=rate, loop=True, pressure=pressure if pressed else None)
    deadline = time.monotonic() + 20
    while len(audience.frames) < 170 and time.monotonic() < deadline:
        audience.ended.wait(0.01)
    playback.stop()
    assert audience.frames[:151:50] == [0, 2 * SECOND, 4 * SECOND, 6 * SECOND]
    assert all(abs(a.end_ns - b.stamp_ns) < SECOND // 16_000 for a, b in itertools.pairwise(audience.sound))
    stream = SpeechStream()
    events = [e for c in audience.sound for e in stream.push(np.float32(c.samples[:, 0]), c.sample_rate, c.stamp_ns)]
    assert not [event for event in events if isinstance(event, Discontinuity)]
    heard = np.concatenate([chunk.samples[:, 0] for chunk in audience.sound])
    np.testing.assert_array_equal(heard[2 * 16_000:][:round(voice * 16_000)], film.speech(shared_data, voice))
    assert not heard[round(voice * 16_000):2 * 16_000].any() and audience.errors == []


def test_what_is_wrong_with_a_file_is_said_once_in_a_loop(clip, tmp_path):
    path = tmp_path / 'cut.mkv'
    path.write_bytes(clip.read_bytes()[:clip.stat().st_size // 2])
    audience = Audience()
    playback = audience.play(path, rate=0.0, loop=True)
    deadline = time.monotonic() + 20
    while audience.frames.count(0) + len(audience.frames) < 100 and time.monotonic() < deadline:
        audience.ended.wait(0.01)
    playback.stop()
    assert len(audience.errors) == 1 and 'cut off' in str(audience.errors[0])


@pytest.mark.parametrize('after', [0.0, 0.05, 0.3])
@pytest.mark.parametrize('rate', [0.2, 1.0])
def test_it_stops_at_any_moment(clip, after, rate):
    audience = Audience()
    pressure = BackPressure(frames=True, audio=True, states=True, on_stall=audience.errors.append)
    playback = audience.play(clip, rate=rate, pressure=pressure)
    audience.ended.wait(after)
    began = time.monotonic()
    playback.stop()
    assert time.monotonic() - began < 0.5
    count = len(audience.frames), len(audience.sound)
    assert not audience.ended.wait(0.1)
    assert (len(audience.frames), len(audience.sound)) == count


def test_a_file_that_is_cut_off_is_played_to_where_it_ends_and_told(clip, tmp_path):
    path = tmp_path / 'half.mkv'
    path.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    audience = Audience()
    audience.play(path, rate=0.0)
    assert audience.ended.wait(20)
    assert 10 < len(audience.frames) < 50
    assert len(audience.errors) == 1 and 'cut off' in str(audience.errors[0])


def blocks(sizes: list[int], rate: int, start_ns: int = 0, jitter=lambda k: 0) -> list[AudioBlock]:
    made, first = [], 0
    for k, size in enumerate(sizes):
        samples = np.arange(first, first + 2 * size, dtype=np.int64).astype(np.int16).reshape(size, 2)
        made.append(AudioBlock(start_ns + first // 2 * SECOND // rate + jitter(k), samples, rate))
        first += 2 * size
    return made


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20), st.sampled_from([8000, 16000, 44100, 48000]))
def test_however_the_sound_comes_it_leaves_in_even_chunks_and_whole(sizes, rate):
    # Containers round stamps to milliseconds.
    taken = blocks(sizes, rate, jitter=lambda k: 400_000 * (-1) ** k if k else 0)
    made = list(chunks(taken, 0.032))
    np.testing.assert_array_equal(np.concatenate([c.samples for c in made]), np.concatenate([b.samples for b in taken]))
    assert {len(c.samples) for c in made[:-1]} <= {round(0.032 * rate)}
    first = list(itertools.accumulate((len(c.samples) for c in made), initial=0))
    assert [c.stamp_ns for c in made] == [n * SECOND // rate for n in first[:-1]]


def test_after_a_gap_the_stamps_are_those_of_the_sound():
    before, after = blocks([1000], 16000), blocks([1000], 16000, start_ns=5 * SECOND)
    made = list(chunks([*before, *after], 0.032))
    assert [len(c.samples) for c in made] == [512, 488, 512, 488]
    assert [c.stamp_ns for c in made] == [0, 32_000_000, 5 * SECOND, 5 * SECOND + 32_000_000]


def test_another_format_begins_a_new_chunk():
    mono = AudioBlock(SECOND, np.ones((600, 1), np.int16), 16000)
    made = list(chunks([*blocks([600], 16000), mono], 0.032))
    assert [c.samples.shape for c in made] == [(512, 2), (88, 2), (512, 1), (88, 1)]


def test_silence_follows_in_the_same_format():
    [block] = blocks([441], 44100, start_ns=7)
    silent = silence_after(block, 1.5)
    assert silent.stamp_ns == 7 + SECOND // 100 and silent.samples.shape == (66150, 2) and not silent.samples.any()
