# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Any film or sound file gives its frames and its sound, each at its time; a broken one says what is wrong."""
import itertools
import os
import struct
import zlib
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import soundfile
from av.stream import Disposition
from scipy import signal
from support import film

from smern_ros.media.reader import AudioBlock, MediaError, MediaReader, VideoFrame
from smern_ros.values import SECOND


@pytest.fixture(scope='module')
def images(shared_data):
    return film.pictures(shared_data, 50)


@pytest.fixture(scope='module')
def voice(shared_data):
    return film.speech(shared_data, 2.0)


def frames_of(pieces) -> list[VideoFrame]:
    return [p for p in pieces if isinstance(p, VideoFrame)]


def sound_of(pieces) -> np.ndarray:
    return np.concatenate([p.samples for p in pieces if isinstance(p, AudioBlock)])


@pytest.mark.parametrize('suffix, video, audio', [
    ('mp4', 'libx264', 'aac'), ('mkv', 'libx264', 'pcm_s16le'), ('avi', 'msmpeg4v2', 'pcm_s16le'),
    ('webm', 'libvpx', 'libopus'),
])
def test_pictures_and_sound_of_a_film_come_in_the_order_of_time(tmp_path, images, voice, suffix, video, audio):
    if audio == 'libopus':
        voice = voice.repeat(3)  # opus knows 48 kHz
    path = film.write(
        tmp_path / f'film.{suffix}', images, voice, video=video, audio=audio,
        sample_rate=len(voice) // 2,
    )
    pieces = list(MediaReader(path))
    assert [p.stamp_ns for p in pieces] == sorted(p.stamp_ns for p in pieces)
    assert [f.stamp_ns for f in frames_of(pieces)] == [k * SECOND // 25 for k in range(50)]
    for frame, image in zip(frames_of(pieces), images, strict=True):
        assert frame.image.shape == (480, 640, 3) and frame.image.dtype == np.uint8
        assert np.abs(frame.image.astype(int) - image).mean() < 8  # blue is blue, within the codec's loss
    sound = sound_of(pieces)
    assert sound.dtype == np.int16 and sound.shape[1] == 1
    if audio == 'pcm_s16le':
        np.testing.assert_array_equal(sound[:, 0], voice)
    else:
        lag = signal.correlate(sound[:, 0].astype(float), voice.astype(float)).argmax() - (len(voice) - 1)
        assert abs(lag) < 0.01 * len(voice) / 2  # lips and voice within 10 ms


def test_a_real_clip_is_read_whole(shared_data):
    reader = MediaReader(shared_data / 'video_upperbody/asl_gestures/again.mkv')
    assert reader.has_video and not reader.has_audio
    frames = list(reader)
    assert len(frames) == 77 and frames[0].stamp_ns == 0
    np.testing.assert_allclose(np.diff([f.stamp_ns for f in frames]), SECOND / 30, atol=1e6)  # Matroska counts in ms
    assert [f.stamp_ns for f in reader] == [f.stamp_ns for f in frames]  # and again


@pytest.mark.parametrize('suffix, subtype', [('wav', 'PCM_16'), ('wav', 'PCM_24'), ('flac', 'PCM_16')])
def test_sound_alone_comes_sample_by_sample_and_without_a_tear(tmp_path, voice, suffix, subtype):
    stereo = np.stack([voice, -voice], axis=1)
    soundfile.write(tmp_path / f'voice.{suffix}', stereo, 44100, subtype=subtype)
    reader = MediaReader(tmp_path / f'voice.{suffix}')
    assert reader.has_audio and not reader.has_video
    blocks = list(reader)
    np.testing.assert_array_equal(sound_of(blocks), stereo)
    assert {b.sample_rate for b in blocks} == {44100}
    assert all(after.stamp_ns == before.end_ns for before, after in itertools.pairwise(blocks))


TURNED = {  # the matrix's first two columns and rows: what a player does with the picture
    (1, 0, 0, 1): lambda image: image, (-1, 0, 0, 1): np.fliplr, (1, 0, 0, -1): np.flipud,
    (-1, 0, 0, -1): lambda image: np.rot90(image, 2), (0, 1, -1, 0): lambda image: np.rot90(image, -1),
    (0, -1, 1, 0): np.rot90, (0, 1, 1, 0): lambda image: image.transpose(1, 0, 2),
    (0, -1, -1, 0): lambda image: np.rot90(image, 2).transpose(1, 0, 2),
}


@pytest.mark.parametrize('a, b, c, d', TURNED)
def test_a_film_from_a_telephone_stands_upright_and_is_no_mirror_image(tmp_path, images, a, b, c, d):
    path = film.write(tmp_path / 'phone.mp4', images[:5])
    content = bytearray(path.read_bytes())
    matrix = content.index(b'tkhd') + 44  # ISO 14496-12: the track header's matrix, 16.16 fixed point
    content[matrix:matrix + 36] = struct.pack('>9i', a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    frame = next(MediaReader(path).video())
    expected = TURNED[a, b, c, d](images[0])
    assert frame.image.shape == expected.shape and frame.image.flags['C_CONTIGUOUS']
    assert np.abs(frame.image.astype(int) - expected).mean() < 8


def disc(width: int, height: int, ratio: Fraction) -> np.ndarray:
    """White on black; round where pixels have that ratio."""
    y, x = np.mgrid[:height, :width]
    inside = ((x - width / 2) * float(ratio)) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
    return np.repeat((inside * 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize('width, height, ratio, shown', [
    (360, 270, Fraction(4, 3), (270, 480)), (180, 144, Fraction(64, 45), (144, 256)),
    (180, 120, Fraction(8, 9), (135, 180)), (180, 144, Fraction(1), (144, 180)), (64, 48, Fraction(1000), (48, 64)),
])
@pytest.mark.parametrize('suffix, video', [('mp4', 'libx264'), ('mkv', 'mpeg4'), ('avi', 'mpeg4'), ('ts', 'libx264')])
def test_what_is_round_is_shown_round(tmp_path, suffix, video, width, height, ratio, shown):
    path = film.write(tmp_path / f'film.{suffix}', [disc(width, height, ratio)] * 12, video=video, pixel_ratio=ratio)
    image = next(MediaReader(path).video()).image
    assert image.shape[:2] == shown
    if ratio < 8:
        rows, columns = (np.flatnonzero((image[..., 0] > 128).any(axis=axis)) for axis in (1, 0))
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), rel=0.04)


@pytest.mark.parametrize('suffix', ['mkv', 'mp4'])
@pytest.mark.parametrize('kind', ['audio', 'video'])
@pytest.mark.parametrize('chosen', ['default', 'first', 'decodable'])
def test_of_several_tracks_that_is_given_which_a_player_chooses(tmp_path, suffix, kind, chosen):
    path = tmp_path / f'film.{suffix}'
    grey, tone = np.full((64, 96, 3), 128, np.uint8), np.full(8000, 5000, np.int16)
    parts = [
        film.write(tmp_path / f'{k}.mkv', [grey * k] * 5) if kind == 'video' else
        film.write(tmp_path / f'{k}.mkv', samples=tone * k, audio='flac')
        for k in (0, 1)
    ]
    with av.open(str(parts[0])) as first, av.open(str(parts[1])) as second, av.open(str(path), 'w') as made:
        for source, flag in ((first, chosen == 'first'), (second, chosen == 'default')):
            copied = made.add_stream_from_template(source.streams[0])
            copied.disposition = Disposition.default if flag else Disposition(0)
        for k, source in enumerate((first, second)):
            for packet in source.demux():
                if packet.size:
                    packet.stream = made.streams[k]
                    made.mux(packet)
    if chosen == 'decodable':
        name = {'mkv': (b'V_MPEG4/ISO/AVC', b'A_FLAC'), 'mp4': (b'avc1', b'fLaC')}[suffix][kind == 'audio']
        content = path.read_bytes()
        at = content.index(name, content.index(b'trak') if suffix == 'mp4' else 0)
        path.write_bytes(content[:at] + b'?' * len(name) + content[at + len(name):])
    (piece, *_) = MediaReader(path)
    loud = piece.image.mean() > 64 if kind == 'video' else np.abs(piece.samples).mean() > 1000
    assert loud == (chosen != 'first')


@pytest.mark.parametrize('suffix', ['mkv', 'mp4'])
def test_no_picture_is_lost_whichever_number_the_track_has(tmp_path, suffix):
    source, path, shades = tmp_path / 'source.mkv', tmp_path / f'film.{suffix}', range(20, 220, 4)
    film.write(source, [np.full((64, 96, 3), shade, np.uint8) for shade in shades], np.zeros(32000, np.int16))
    with av.open(str(source)) as old, av.open(str(path), 'w') as made:
        copies = {s.type: made.add_stream_from_template(s) for s in reversed(old.streams)}
        for packet in old.demux():
            if packet.size:
                packet.stream = copies[packet.stream.type]
                made.mux(packet)
    assert [frame.image.mean() for frame in MediaReader(path).video()] == pytest.approx(list(shades), abs=5)


@pytest.mark.parametrize('name', [
    '2026-11-29T18:30:05.wav', 'file:x.wav', 'concat:a|b.wav', 'http:x.wav', 'pipe:0', '-', '-y.wav', '50%d.wav',
    'a b.wav', 'subfile,,start,0,end,100,,:x.wav', 'M\xfcller\n.wav', '*.wav', '~.wav', 'clip-%03d.png',
])
def test_a_path_is_a_path_whatever_is_in_it(tmp_path, monkeypatch, name):
    if name.endswith('.png'):
        cv2.imwrite(str(tmp_path / 'x.png'), np.zeros((48, 64, 3), np.uint8))
        (tmp_path / 'x.png').rename(tmp_path / name)
    else:
        soundfile.write((tmp_path / 'x.wav'), np.zeros(1600), 16000)
        (tmp_path / 'x.wav').rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert list(MediaReader(name)) and list(MediaReader(tmp_path / name))


@pytest.mark.parametrize('address', ['http://127.0.0.1:9/a.wav', 'concat:a.wav|b.wav', 'pipe:0', 'data:,x', 'rtsp://[::1]/a'])
def test_an_address_is_no_file(tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    soundfile.write('a.wav', np.zeros(1600), 16000)
    with pytest.raises(MediaError, match='there is no file'):
        MediaReader(address)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / 'pipe.wav')
    with pytest.raises(MediaError, match='pipe.wav is a pipe'):
        MediaReader(tmp_path / 'pipe.wav')


@pytest.mark.parametrize('rate, given', [(3000, 4000), (384000, 192000)])
def test_rates_that_no_microphone_has_are_converted(tmp_path, rate, given):
    soundfile.write(tmp_path / 'voice.wav', np.zeros(rate), rate)
    blocks = list(MediaReader(tmp_path / 'voice.wav'))
    assert {block.sample_rate for block in blocks} == {given}
    assert blocks[-1].end_ns == pytest.approx(SECOND, rel=0.01)


@pytest.mark.parametrize('suffix, video, audio, options', [
    ('mkv', 'libx264', 'aac', None), ('avi', 'mpeg4', 'pcm_s16le', None), ('mp4', 'libx264', 'aac', 'faststart'),
])
def test_a_film_that_is_cut_off_gives_what_is_there_and_says_so(tmp_path, images, voice, suffix, video, audio, options):
    options = {'movflags': options} if options else None
    path = film.write(tmp_path / f'film.{suffix}', images, voice, video=video, audio=audio, options=options)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(MediaError, match=r'film\.\w+ is cut off: it ends after 1\.\d'):
        list(MediaReader(path))
    said = []
    pieces = list(MediaReader(path, on_problem=said.append))
    assert len(said) == 1
    assert 20 < len(frames_of(pieces)) < 50 and len(sound_of(pieces)) > 12000


def test_a_scratch_in_the_middle_costs_what_is_scratched_and_is_told(tmp_path, images, voice):
    path = film.write(tmp_path / 'film.avi', images, voice, video='mjpeg', audio='pcm_s16le')
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle:middle + 60000] = bytes(60000)
    path.write_bytes(content)
    said = []
    pieces = list(MediaReader(path, on_problem=said.append))
    assert len(frames_of(pieces)) > 30
    assert frames_of(pieces)[-1].stamp_ns > 1.5 * SECOND


@pytest.mark.parametrize('name, content, said', [
    ('none.mp4', None, 'there is no file'),
    ('empty.mp4', b'', 'not audio or video that FFmpeg can read'),
    ('noise.mkv', bytes(range(256)) * 20, 'not audio or video that FFmpeg can read'),
    ('words.txt', b'hello, world\n' * 50, 'a text'),
    ('list.mp4', b'ffconcat version 1.0\nfile sound.wav\n', 'a list of other files'),
    ('stream.m3u8', b'#EXTM3U\n#EXTINF:1,\nhttp://192.0.2.1/a.mp4\n#EXT-X-ENDLIST\n', 'not audio or video'),
])
def test_what_is_no_media_file_is_refused_by_name(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    soundfile.write(tmp_path / 'sound.wav', np.zeros(1600), 16000)  # that a list may name
    with pytest.raises(MediaError, match=said) as error:
        MediaReader(tmp_path / name)
    assert name in str(error.value)


def test_pictures_that_claim_to_be_enormous_are_not_decoded(tmp_path):
    def chunk(kind, content):
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))

    told = struct.pack('>IIBBBBB', 12_000, 4_000, 8, 2, 0, 0, 0)
    parts = ((b'IHDR', told), (b'IDAT', zlib.compress(bytes(100))), (b'IEND', b''))
    (tmp_path / 'film.png').write_bytes(b'\x89PNG\r\n\x1a\n' + b''.join(chunk(*part) for part in parts))
    with pytest.raises(MediaError, match='12000 x 4000'):
        MediaReader(tmp_path / 'film.png')


def test_a_folder_is_no_film(tmp_path):
    with pytest.raises(MediaError, match='is a folder'):
        MediaReader(tmp_path)


def test_a_closed_reader_ends_where_it_is(tmp_path, images, voice):
    reader = MediaReader(film.write(tmp_path / 'film.mkv', images, voice))
    pieces = iter(reader)
    next(pieces)
    reader.close()
    assert len(list(pieces)) <= 1
