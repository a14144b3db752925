# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One growing time line from zero on, whatever the stamps of a file are; all of its sound and pictures are given."""
import itertools
import json
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile
from support import film

from smern_ros.media.reader import AudioBlock, MediaReader, VideoFrame
from smern_ros.values import SECOND


def tone(hertz: float, seconds: float, rate: int = 16000, channels: int = 1) -> np.ndarray:
    """(N, channels) int16"""
    wave = 8000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave.astype(np.int16)[:, None], channels, axis=1)


def grey(count: int, size: tuple[int, int] = (64, 96)) -> list[np.ndarray]:
    """Pictures that become lighter, so that each is known by its shade."""
    return [np.full((*size, 3), 20 + 4 * k, np.uint8) for k in range(count)]


def read(path) -> tuple[list[VideoFrame], list[AudioBlock]]:
    """What is in the file, whole, in order and from zero on."""
    pieces = list(MediaReader(path))
    stamps = [piece.stamp_ns for piece in pieces]
    assert stamps == sorted(stamps) and stamps[0] >= 0
    frames = [piece for piece in pieces if isinstance(piece, VideoFrame)]
    blocks = [piece for piece in pieces if isinstance(piece, AudioBlock)]
    assert all(a.stamp_ns < b.stamp_ns for a, b in itertools.pairwise(frames))
    assert all(a.end_ns <= b.stamp_ns for a, b in itertools.pairwise(blocks))
    return frames, blocks


def heard(blocks: list[AudioBlock], start: float, end: float) -> float:
    """The frequency in Hz that is loudest between two times in s."""
    rate = {b.sample_rate for b in blocks if start * SECOND <= b.stamp_ns and b.end_ns <= end * SECOND}
    assert len(rate) == 1
    inside = [b.samples[:, 0] for b in blocks if start * SECOND <= b.stamp_ns and b.end_ns <= end * SECOND]
    spectrum = np.abs(np.fft.rfft(np.concatenate(inside)))
    return spectrum[1:].argmax() * rate.pop() / (2 * len(spectrum) - 2)


def sound(path, hertz: float, seconds: float = 1.5, *, audio: str, rate: int, channels: int = 1):
    return film.write(path, samples=tone(hertz, seconds, rate, channels), audio=audio, sample_rate=rate)


@pytest.mark.parametrize('rate', [11025, 16000, 22050, 24000, 44100, 48000])
@pytest.mark.parametrize('channels', [1, 2])
def test_an_mp3_begins_at_zero_although_its_encoder_was_late(tmp_path, rate, channels):
    path = sound(tmp_path / 'tone.mp3', 440, audio='libmp3lame', rate=rate, channels=channels)
    _, blocks = read(path)
    assert blocks[0].stamp_ns == 0 and {b.sample_rate for b in blocks} == {rate}
    assert blocks[-1].end_ns == pytest.approx(1.5 * SECOND, abs=0.1 * SECOND)


@pytest.mark.parametrize('suffix, video', [('webm', 'libvpx'), ('mkv', 'libx264'), ('mp4', 'libx264')])
def test_a_film_with_opus_begins_at_zero(tmp_path, suffix, video):
    voice = tone(440, 1.5, 48000)
    path = film.write(tmp_path / f'film.{suffix}', grey(40), voice, video=video, audio='libopus', sample_rate=48000)
    frames, blocks = read(path)
    assert min(frames[0].stamp_ns, blocks[0].stamp_ns) == 0 and len(frames) == 40
    assert abs(frames[0].stamp_ns - blocks[0].stamp_ns) < 0.02 * SECOND


@pytest.mark.parametrize('offset', [-1.5, 40000.0])
def test_stamps_that_begin_anywhere_are_counted_from_the_first(tmp_path, offset):
    whole = film.write(tmp_path / 'film.mkv', grey(40), tone(440, 1.5), video='mpeg2video')
    path = remuxed(whole, tmp_path / 'far.ts', offset)
    frames, blocks = read(path)
    assert min(frames[0].stamp_ns, blocks[0].stamp_ns) == 0
    assert len(frames) == 40 and blocks[-1].end_ns == pytest.approx(1.5 * SECOND, abs=0.2 * SECOND)


@pytest.mark.parametrize('late', ['video', 'audio'])
def test_a_track_that_begins_later_stays_later(tmp_path, late):
    whole = film.write(tmp_path / 'film.mkv', grey(40), tone(440, 1.5), video='mpeg2video', audio='pcm_s16le')
    frames, blocks = read(remuxed(whole, tmp_path / 'late.mkv', 3.0, only=late))
    difference = frames[0].stamp_ns - blocks[0].stamp_ns
    assert abs(difference) == pytest.approx(3 * SECOND, abs=0.1 * SECOND) and (difference > 0) == (late == 'video')


@pytest.mark.parametrize('suffix, video', [('mkv', 'mpeg4'), ('mkv', 'libx264')])
def test_a_leap_by_hours_of_all_tracks_is_left_out(tmp_path, suffix, video):
    whole = film.write(tmp_path / 'film.mkv', grey(40), tone(440, 1.5, 44100), video=video, sample_rate=44100)
    frames, blocks = read(remuxed(whole, tmp_path / f'leap.{suffix}', 7200, after=0.8))
    assert len(frames) == 40 and frames[-1].stamp_ns < 2 * SECOND
    assert blocks[-1].end_ns == pytest.approx(1.5 * SECOND, abs=0.3 * SECOND)


@pytest.mark.parametrize('suffix, video, pausing', [
    ('ts', 'mpeg2video', 'audio'), ('ts', 'mpeg2video', 'video'), ('mp4', 'libx264', 'video'),
])
def test_a_track_stays_in_step_after_a_pause_of_its_own(tmp_path, suffix, video, pausing):
    whole = film.write(tmp_path / 'film.mkv', grey(50) * 10, tone(440, 20.0), video=video)
    path = tmp_path / f'pause.{suffix}'
    with av.open(str(whole)) as old, av.open(str(path), 'w') as new:
        streams = {stream: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.size and not (packet.stream.type == pausing and 3.1 < packet.pts * packet.time_base < 17):
                packet.stream = streams[packet.stream]
                new.mux(packet)
    reader = MediaReader(path, on_problem=lambda _: None)  # what was left out may have been needed
    frames, blocks = list(reader.video()), list(reader.audio())
    assert frames[-1].stamp_ns == pytest.approx(20 * SECOND, abs=0.2 * SECOND)
    assert blocks[-1].end_ns == pytest.approx(20 * SECOND, abs=0.2 * SECOND)
    played = frames if pausing == 'video' else blocks
    assert max(b.stamp_ns - a.stamp_ns for a, b in itertools.pairwise(played)) > 13 * SECOND


def remuxed(source, target, offset: float, *, only: str | None = None, after: float = -1.0):
    """The same packets, the stamps of those from `after` on later by so many seconds."""
    options = {'avoid_negative_ts': 'disabled'}
    with av.open(str(source)) as old, av.open(str(target), 'w', options=options) as new:
        streams = {s.index: new.add_stream_from_template(s) for s in (*old.streams.video, *old.streams.audio)}
        for packet in old.demux():
            if not packet.size:
                continue
            if only in (None, packet.stream.type) and (packet.dts or packet.pts) * packet.time_base >= after:
                shift = round(offset / packet.time_base)
                packet.pts += shift
                packet.dts = packet.pts if packet.dts is None else packet.dts + shift
            packet.stream = streams[packet.stream.index]
            new.mux(packet)
    return target


@pytest.mark.parametrize('suffix, audio', [('mp3', 'libmp3lame'), ('aac', 'aac')])
@pytest.mark.parametrize('first, second', [
    ((44100, 2), (44100, 1)), ((16000, 1), (48000, 2)), ((48000, 1), (22050, 1)),
])
def test_rate_and_channels_may_change_on_the_way(tmp_path, suffix, audio, first, second):
    parts = [
        sound(tmp_path / f'{hertz}.{suffix}', hertz, audio=audio, rate=rate, channels=channels).read_bytes()
        for hertz, (rate, channels) in ((500, first), (1500, second))
    ]
    (tmp_path / f'both.{suffix}').write_bytes(b''.join(parts))
    _, blocks = read(tmp_path / f'both.{suffix}')
    assert {(b.sample_rate, b.samples.shape[1]) for b in blocks} >= {first, second}  # and what lies across the border
    assert blocks[-1].end_ns == pytest.approx(3 * SECOND, abs=0.4 * SECOND)
    assert all(a.end_ns == b.stamp_ns for a, b in itertools.pairwise(blocks))
    assert heard(blocks, 0.2, 1.3) == pytest.approx(500, abs=5)
    assert heard(blocks, 1.9, 2.9) == pytest.approx(1500, abs=5)


def test_tags_between_mp3_files_put_one_behind_the_other_are_no_damage(tmp_path):
    part = sound(tmp_path / 'part.mp3', 500, audio='libmp3lame', rate=44100).read_bytes()
    picture = b'ID3\x03\0\0' + bytes([0, 1, 0x20, 0]) + b'APIC' + bytes(range(1, 100)) * 200
    (tmp_path / 'both.mp3').write_bytes(part + picture + part + b'TAG' + bytes(125))
    _, blocks = read(tmp_path / 'both.mp3')
    assert blocks[-1].end_ns == pytest.approx(3 * SECOND, abs=0.2 * SECOND)


@pytest.mark.parametrize('first, second', [
    (('VORBIS', 44100, 1), ('VORBIS', 44100, 1)), (('VORBIS', 16000, 1), ('VORBIS', 44100, 2)),
    (('OPUS', 48000, 1), ('VORBIS', 16000, 1)), (('OPUS', 48000, 2), ('OPUS', 48000, 1)),
])
def test_both_links_of_a_chained_ogg_are_heard_one_after_the_other(tmp_path, first, second):
    with (tmp_path / 'chained.ogg').open('wb') as chain:
        for hertz, (codec, rate, channels) in ((500, first), (1500, second)):
            soundfile.write(tmp_path / 'link.ogg', tone(hertz, 1.5, rate, channels), rate, codec, format='OGG')
            chain.write((tmp_path / 'link.ogg').read_bytes())
    _, blocks = read(tmp_path / 'chained.ogg')
    assert blocks[-1].end_ns == pytest.approx(3 * SECOND, abs=0.1 * SECOND)
    assert heard(blocks, 0.1, 1.4) == pytest.approx(500, abs=5)
    assert heard(blocks, 1.7, 2.9) == pytest.approx(1500, abs=5)


@pytest.mark.parametrize('offsets', [(0, 0, 0), (7200, 0), (0, 7200), (95442.2, 0), (95441,)])
def test_recordings_in_one_transport_stream_follow_each_other_and_stay_in_step(tmp_path, offsets):
    """The clock is reset, set ahead by hours, and passes its 33 bits."""
    content = b''
    for number, offset in enumerate(offsets):
        whole = film.write(tmp_path / 'film.mkv', grey(50), tone(500 + 1000 * number, 2.0), video='mpeg2video')
        content += remuxed(whole, tmp_path / 'part.ts', offset).read_bytes()
    (tmp_path / 'all.ts').write_bytes(content)
    frames, blocks = read(tmp_path / 'all.ts')
    count = len(offsets)
    assert len(frames) == 50 * count
    assert frames[-1].stamp_ns < 2.3 * count * SECOND and blocks[-1].end_ns < 2.3 * count * SECOND
    for part in range(count):
        begins = frames[50 * part].stamp_ns / SECOND
        assert heard(blocks, begins + 0.3, begins + 1.7) == pytest.approx(500 + 1000 * part, abs=5)


def test_a_recording_without_sound_between_others_in_a_transport_stream_keeps_its_time(tmp_path):
    content = b''
    for hertz in (500, None, 1500):
        voice = None if hertz is None else tone(hertz, 2.0)
        whole = film.write(tmp_path / 'film.mkv', grey(50) * (7 if voice is None else 1), voice, video='mpeg2video')
        content += remuxed(whole, tmp_path / 'part.ts', 0).read_bytes()
    (tmp_path / 'all.ts').write_bytes(content)
    frames, blocks = read(tmp_path / 'all.ts')
    assert len(frames) == 450
    begins = frames[400].stamp_ns / SECOND
    assert 15.9 < begins < 16.5 and heard(blocks, begins + 0.3, begins + 1.7) == pytest.approx(1500, abs=5)
    assert not [b for b in blocks if 2.3 < b.stamp_ns / SECOND < begins - 0.2]


def test_recordings_shorter_than_a_second_in_a_transport_stream_follow_each_other(tmp_path):
    whole = film.write(tmp_path / 'film.mkv', grey(20), tone(440, 0.8), video='mpeg2video')
    (tmp_path / 'all.ts').write_bytes(remuxed(whole, tmp_path / 'part.ts', 0).read_bytes() * 3)
    frames, blocks = read(tmp_path / 'all.ts')
    assert len(frames) == 60 and frames[-1].stamp_ns == pytest.approx(2.4 * SECOND, abs=0.3 * SECOND)
    assert blocks[-1].end_ns == pytest.approx(2.4 * SECOND, abs=0.4 * SECOND)


def test_pictures_that_change_their_size_and_shape_on_the_way_are_all_shown(tmp_path):
    shapes = [((64, 96), Fraction(4, 3)), ((128, 160), Fraction(1)), ((64, 96), Fraction(4, 3))]
    content = b''
    for size, ratio in shapes:
        with av.open(str(tmp_path / 'part.ts'), 'w') as container:
            stream = container.add_stream('libx264', rate=25)
            (stream.height, stream.width), stream.pix_fmt = size, 'yuv420p'
            stream.codec_context.sample_aspect_ratio = ratio
            for k, image in enumerate(grey(25, size)):
                picture = av.VideoFrame.from_ndarray(image, format='bgr24')
                picture.pts = k
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        content += (tmp_path / 'part.ts').read_bytes()
    (tmp_path / 'all.ts').write_bytes(content)
    frames, _ = read(tmp_path / 'all.ts')
    sizes = [frame.image.shape[:2] for frame in frames]
    assert sizes == [(64, 128)] * 25 + [(128, 160)] * 25 + [(64, 128)] * 25


@pytest.mark.parametrize('suffix', ['avi', 'h264'])
def test_pictures_without_stamps_come_at_the_films_rate(tmp_path, suffix):
    """AVI has no order of showing, raw H.264 no stamps at all; both are encoded with B-frames."""
    frames, _ = read(film.write(tmp_path / f'film.{suffix}', grey(50)))
    assert [frame.stamp_ns for frame in frames] == [k * SECOND // 25 for k in range(50)]
    assert [frame.image.mean() for frame in frames] == sorted(frame.image.mean() for frame in frames)


@pytest.mark.weights
def test_utterances_of_all_parts_have_ids_of_their_own(tmp_path, capsys, shared_data):
    from smern_ros.cli.main import main

    path = tmp_path / 'chained.ogg'
    soundfile.write(path, film.speech(shared_data, 4.0), 16000, 'VORBIS', format='OGG')
    path.write_bytes(path.read_bytes() * 2)
    assert main(['predict', '--no-asr', '--no-pose', str(path)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    ids = [line['utterance_id'] for line in lines]
    assert len(ids) == len(set(ids)) and lines[0]['end'] < 4 < lines[-1]['start']
