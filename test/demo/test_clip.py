# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demo's clip: the film's pictures as they are, the voice where it belongs, the same file each time."""
import shutil

import av
import numpy as np
import pytest
import soundfile

from smern_ros import assets
from smern_ros.demo.clip import SPEECH_ASSET, VIDEO_ASSET, Layout, compose

pytestmark = pytest.mark.weights


@pytest.fixture(scope='module')
def sources():
    try:
        return assets.path(VIDEO_ASSET), assets.path(SPEECH_ASSET)
    except assets.MissingAsset as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope='module')
def clip(sources, tmp_path_factory):
    return compose(*sources, tmp_path_factory.mktemp('clip'))


def test_each_picture_of_the_film_is_there_unchanged_as_long_as_somebody_speaks(sources, clip):
    count = 0
    with av.open(str(sources[0])) as film, av.open(str(clip)) as made:
        for ours, theirs in zip(made.decode(video=0), film.decode(video=0), strict=False):
            assert ours.time == pytest.approx(theirs.time, abs=1e-3)
            if count % 50 == 0:
                assert np.array_equal(ours.to_ndarray(), theirs.to_ndarray())
            count += 1
        sound = made.streams.audio[0]
        assert ours.time == pytest.approx(float(sound.duration * sound.time_base), abs=0.25)
    assert count > 450


def test_the_sentences_are_heard_where_the_layout_puts_them(sources, clip):
    with av.open(str(clip)) as made:
        rate = made.streams.audio[0].rate
        sound = np.concatenate([frame.to_ndarray()[0] for frame in made.decode(audio=0)])
    layout, start = Layout(), Layout().lead
    for name in layout.sentences:
        original, its_rate = soundfile.read(sources[1] / f'{name}.wav', dtype='float32')
        assert its_rate == rate
        # AAC delays by up to two of its frames; the best match must lie within that.
        part = sound[int(start * rate) - 4096:int(start * rate) + len(original) + 4096]
        match = np.correlate(part, original, 'valid')
        assert abs(int(match.argmax()) - 4096) <= 2048
        heard = part[match.argmax():][:len(original)]
        assert np.corrcoef(heard, original)[0, 1] > 0.95
        start += len(original) / rate + layout.pause
    assert np.abs(sound[:int((layout.lead - 0.1) * rate)]).max() < 1e-3


def test_making_it_again_gives_the_same_bytes_and_a_second_use_makes_nothing(sources, clip, tmp_path):
    again = compose(*sources, tmp_path)
    assert again.read_bytes() == clip.read_bytes()
    made_at = again.stat().st_mtime_ns
    assert compose(*sources, tmp_path) == again
    assert again.stat().st_mtime_ns == made_at
    assert [file.name for file in tmp_path.iterdir()] == [again.name]


def test_another_film_or_layout_gives_another_file(sources, clip, tmp_path):
    film, speech = tmp_path / 'film.mp4', sources[1]
    shutil.copy(sources[0], film)
    assert compose(film, speech, tmp_path).name == clip.name
    assert compose(film, speech, tmp_path, Layout(pause=1.0)).name != clip.name


def test_sentences_longer_than_the_film_are_refused_and_leave_nothing(sources, tmp_path):
    with pytest.raises(ValueError, match='choose fewer sentences'):
        compose(*sources, tmp_path, Layout(pause=9.0))
    assert not list(tmp_path.iterdir())
