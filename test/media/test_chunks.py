"""Sound in even chunks: no sample more or less, each at its time."""
import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.media.chunks import chunks, silence_after
from smern_ros.media.tracks import AudioBlock
from smern_ros.values import SECOND


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
