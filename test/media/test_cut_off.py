# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A file is called cut off if it is, and not because of what its header claims."""
import struct

import av
import numpy as np
import pytest
import soundfile
from support import film

from smern_ros.media.reader import AudioBlock, MediaError, MediaReader

RATE = 16000
SOUND = (8000 * np.sin(np.arange(2 * RATE) / 6)).astype('<i2')
FORMAT = b'fmt ' + struct.pack('<IHHIIHH', 16, 1, 1, RATE, 2 * RATE, 2, 16)
WORDS = b'LIST' + struct.pack('<I', 26) + b'INFOISFT' + struct.pack('<I', 14) + b'Lavf59.27.100\0'


def wav(path, *, data: int | None = None, riff: int | None = None, before: bytes = b'', after: bytes = b'', keep=None):
    """:param data: size that is told of the data. :param riff: of the file. :param keep: bytes of the data."""
    sound = SOUND.tobytes()
    data = len(sound) if data is None else data
    riff = 36 + len(before) + len(sound) + len(after) if riff is None else riff
    path.write_bytes(b'RIFF' + struct.pack('<I', riff) + b'WAVE' + FORMAT + before + b'data' + struct.pack('<I', data)
                     + sound[:keep] + after)
    return path


def rf64(path, told: int, *, name: bytes = b'RF64', keep=None):
    sizes = struct.pack('<IQQQI', 28, told + 72, told, told // 2, 0)
    path.write_bytes(name + b'\xff' * 4 + b'WAVEds64' + sizes + FORMAT + b'data' + b'\xff' * 4 + SOUND.tobytes()[:keep])
    return path


def heard(path) -> np.ndarray:
    return np.concatenate([piece.samples for piece in MediaReader(path) if isinstance(piece, AudioBlock)])[:, 0]


@pytest.mark.parametrize('size', [0, 0x7F000000, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFDB, 0xFFFFFFFF])
@pytest.mark.parametrize('header', [0, 36])
def test_a_wav_from_a_pipe_whose_size_nobody_knew_is_whole(tmp_path, size, header):
    path = wav(tmp_path / 'piped.wav', data=size, riff=min(size + header, 0xFFFFFFFF))
    np.testing.assert_array_equal(heard(path), SOUND)


@pytest.mark.parametrize('off', [-36, -8, -1, 1, 7, 8, 36, 2000])
def test_a_wav_whose_sizes_are_a_little_off_is_whole(tmp_path, off):
    size = 2 * len(SOUND)
    sound = heard(wav(tmp_path / 'off.wav', data=size + off, riff=size + 36 + off))
    np.testing.assert_array_equal(sound, SOUND[: (size + min(off, 0)) // 2])
    np.testing.assert_array_equal(heard(wav(tmp_path / 'off.wav', riff=size + 36 + off)), SOUND)


def test_words_beside_the_sound_of_a_wav_are_no_sound_and_may_be_missing(tmp_path):
    np.testing.assert_array_equal(heard(wav(tmp_path / 'words.wav', after=WORDS)), SOUND)
    np.testing.assert_array_equal(heard(wav(tmp_path / 'words.wav', before=WORDS)), SOUND)
    cut = wav(tmp_path / 'words.wav', after=WORDS)
    cut.write_bytes(cut.read_bytes()[:-20])
    np.testing.assert_array_equal(heard(cut), SOUND)


@pytest.mark.parametrize('riff', [None, 0, 0xFFFFFFFF])
def test_a_wav_that_lacks_a_second_is_cut_off(tmp_path, riff):
    path = wav(tmp_path / 'cut.wav', riff=riff, before=WORDS, keep=RATE * 2)
    with pytest.raises(MediaError, match=r'cut\.wav is cut off: it ends after 1\.0 of 2\.0 s'):
        list(MediaReader(path))


@pytest.mark.parametrize('name', [b'RF64', b'BW64'])
@pytest.mark.parametrize('told', [2 * len(SOUND), 2 * len(SOUND) + 8, 0, 1 << 62])
def test_an_rf64_is_read_to_its_end_whatever_it_tells(tmp_path, name, told):
    np.testing.assert_array_equal(heard(rf64(tmp_path / 'long.wav', told, name=name)), SOUND)


def test_an_rf64_that_lacks_a_second_is_cut_off(tmp_path):
    with pytest.raises(MediaError, match=r'cut off: it ends after 1\.0 of 2\.0 s'):
        list(MediaReader(rf64(tmp_path / 'cut.wav', 2 * len(SOUND), keep=2 * RATE)))


@pytest.fixture(scope='module')
def images():
    noise = np.random.default_rng(0)
    return [noise.integers(0, 255, (64, 96, 3), np.uint8) for _ in range(50)]


@pytest.mark.parametrize('suffix, other', [
    ('mkv', 'words'), ('mkv', 'sound'), ('mp4', 'sound'), ('mkv', 'a picture that is held'),
    ('mp4', 'a picture that is held'),
])
def test_what_lasts_longer_than_the_tracks_that_are_read_cuts_nothing_off(tmp_path, images, suffix, other):
    (tmp_path / 'words.srt').write_text('1\n00:00:01,000 --> 00:00:20,000\nhello\n')
    soundfile.write(tmp_path / 'sound.flac', np.tile(SOUND, 10), RATE)
    path = tmp_path / f'film.{suffix}'
    with (
        av.open(str(film.write(tmp_path / 'source.mkv', images, SOUND, video='mpeg4'))) as source,
        av.open(str(tmp_path / ('words.srt' if other == 'words' else 'sound.flac'))) as more,
        av.open(str(path), 'w') as made,
    ):
        is_held = other == 'a picture that is held'
        copies = {s: made.add_stream_from_template(s) for s in (*source.streams, *(() if is_held else more.streams))}
        for packet in (packet for old in (source, more) for packet in old.demux()):
            if not packet.size or packet.stream not in copies:
                continue
            if is_held and packet.stream.type == 'video' and packet.dts == round(49 / 25 / packet.time_base):
                packet.duration = round(10 / packet.time_base)
            packet.stream = copies[packet.stream]
            made.mux(packet)
    with av.open(str(path)) as made:
        assert made.duration > 10_000_000
    assert len(list(MediaReader(path).video())) == 50
    list(MediaReader(path))


@pytest.mark.parametrize('suffix', ['flac', 'aiff', 'mka', 'm4a'])
def test_sound_in_other_formats_is_whole_if_it_is_and_cut_off_if_it_is(tmp_path, suffix):
    path = tmp_path / f'sound.{suffix}'
    if suffix in ('flac', 'aiff'):
        soundfile.write(path, SOUND, RATE)
    else:
        film.write(path, samples=SOUND, options={'movflags': 'faststart'} if suffix == 'm4a' else None)
    assert len(heard(path)) == pytest.approx(len(SOUND), abs=2048)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(MediaError, match='is cut off: it ends after'):
        list(MediaReader(path))


@pytest.mark.parametrize('suffix, audio', [('mp3', 'libmp3lame'), ('wav', 'libmp3lame'), ('wav', 'adpcm_ima_wav')])
@pytest.mark.parametrize('channels, rate', [(1, 16000), (2, 16000), (1, 44100), (2, 44100)])
def test_compressed_sound_is_whole_if_it_is_and_cut_off_if_it_is(tmp_path, suffix, audio, channels, rate):
    sound = np.repeat(np.tile(SOUND, 3)[: 2 * rate, None], channels, axis=1)
    path = film.write(tmp_path / f'sound.{suffix}', samples=sound, audio=audio, sample_rate=rate)
    assert len(heard(path)) == pytest.approx(2 * rate, abs=4096)
    whole = path.read_bytes()
    path.write_bytes(whole + whole)  # what is more than was told is no damage
    heard(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match=r'is cut off: it ends after (0\.9|1\.[01]) of (1\.9|2\.[01]) s'):
        list(MediaReader(path))


@pytest.mark.parametrize('suffix, video', [('mkv', 'libx264'), ('avi', 'mpeg4'), ('mp4', 'libx264')])
def test_a_film_with_something_behind_its_end_is_whole(tmp_path, images, suffix, video):
    path = film.write(tmp_path / f'film.{suffix}', images, SOUND, video=video)
    path.write_bytes(path.read_bytes() + b'something else' * 50)
    assert sum(1 for piece in MediaReader(path) if not isinstance(piece, AudioBlock)) == 50


@pytest.mark.parametrize('suffix, video, share', [
    ('mkv', 'libx264', 1 / 3), ('avi', 'mpeg4', 1 / 3), ('mp4', 'libx264', 1 / 3), ('mp4', 'libx264', 0.01),
])
def test_a_hole_in_a_film_is_told(tmp_path, images, suffix, video, share):
    path = film.write(tmp_path / f'film.{suffix}', images, SOUND, video=video)
    content = bytearray(path.read_bytes())
    start, size = round(len(content) * share), len(content) // 3
    content[start:start + size] = bytes(size)
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r'film\.\w+ is (cut off|damaged)'):
        list(MediaReader(path))


@pytest.mark.parametrize('suffix, video, audio', [
    ('mp4', 'mpeg4', 'aac'), ('mkv', 'mpeg4', 'libopus'), ('avi', 'mpeg4', 'libmp3lame'), ('ts', 'mpeg2video', 'aac'),
    ('ogg', None, 'flac'), ('flac', None, 'flac'), ('mp3', None, 'libmp3lame'), ('wav', None, 'pcm_s16le'),
    ('aac', None, 'aac'), ('flv', 'flv', None),
])
def test_whatever_bytes_are_wrong_the_file_is_named_and_nothing_else_happens(tmp_path, suffix, video, audio):
    rate = 48000 if audio == 'libopus' else RATE
    pictures = [] if video is None else [np.full((48, 64, 3), 5 * k, np.uint8) for k in range(15)]
    path = film.write(
        tmp_path / f'film.{suffix}', pictures, None if audio is None else SOUND[:RATE], video=video or '',
        audio=audio or '', sample_rate=rate,
    )
    whole, random = path.read_bytes(), np.random.default_rng(len(suffix))
    for attempt in range(15):
        content = bytearray(whole)
        for place in random.integers(0, min(len(content), (200, len(content))[attempt % 2]), 1 + attempt):
            content[place] = random.integers(256)
        path.write_bytes(content[: random.integers(len(content) // 2, len(content)) if attempt % 3 == 0 else None])
        try:
            list(MediaReader(path, on_problem=lambda error: check(error, path)))
        except MediaError as error:
            check(error, path)


def check(error: MediaError, path) -> None:
    assert str(error).startswith(str(path))
