# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The small IEMOCAP is made of real sound and real people, in the corpus's formats."""
import hashlib
from collections import Counter

import av
import numpy as np
import pytest
import soundfile

from smern_ros.media.reader import MediaReader
from smern_ros.spec import LABELS
from smern_ros.training.iemocap import corpus_reader, mini_corpus
from smern_ros.training.iemocap.corpus_reader.published import LABEL_OF
from smern_ros.training.iemocap.mini_corpus.dialogs import plan


def test_the_same_arguments_give_the_same_files(mini, shared_data, tmp_path):
    def digests(root):
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in root.rglob('*') if path.is_file()
        }

    again = mini_corpus.build(tmp_path / 'again', shared_data, dialogs=1, utterances=4)
    assert digests(again.root) == digests(mini.root)
    assert again.utterances == mini.utterances


def test_another_seed_gives_other_speech_and_words(shared_data):
    one, other = (plan(shared_data, dialogs=1, utterances=4, seed=seed) for seed in (0, 1))
    assert [d.dialog for d in one] == [d.dialog for d in other]
    assert [u.clip for d in one for u in d.utterances] != [u.clip for d in other for u in d.utterances]
    assert [u.text for d in one for u in d.utterances] != [u.text for d in other for u in d.utterances]


def test_a_part_has_only_its_sessions_and_the_shortest_clips(shared_data):
    part, whole = (plan(shared_data, dialogs=2, utterances=12, seed=0, **more) for more in (
        {'sessions': (4, 5), 'shortest': 2}, {},
    ))
    assert {d.dialog.session for d in part} == {4, 5}
    used = {(u.clip.speaker, u.clip.label, u.clip.path) for d in part for u in d.utterances}
    assert max(Counter(clip[:2] for clip in used).values()) == 2
    short, usual = (
        np.median([u.length for d in planned if d.dialog.session in (4, 5) for u in d.utterances])
        for planned in (part, whole)
    )
    assert short < 0.8 * usual
    with pytest.raises(ValueError, match='sessions 1, 2, 3, 4, 5, got .6.'):
        plan(shared_data, sessions=[6], dialogs=1, utterances=1, seed=0)


def test_ten_real_people_speak_each_in_all_four_emotions(shared_data):
    planned = plan(shared_data, dialogs=4, utterances=12, seed=0)
    utterances = [u for dialog in planned for u in dialog.utterances]
    voices = {(u.id.speaker, u.clip.speaker) for u in utterances}
    assert len(voices) == len({speaker for speaker, _ in voices}) == len({voice for _, voice in voices}) == 10
    felt = Counter((u.id.speaker, LABEL_OF.get(u.annotation)) for u in utterances)
    assert all(felt[speaker, label] >= 3 for speaker, _ in voices for label in LABELS)
    for u in utterances:
        assert u.annotation not in LABEL_OF or u.clip.label == LABEL_OF[u.annotation]


def test_nobody_speaks_while_the_other_does(mini):
    for dialog in mini.dialogs:
        for one, following in zip(dialog.utterances, dialog.utterances[1:], strict=False):
            assert one.end < following.start


def test_an_utterances_sound_is_that_of_its_dialog(mini):
    for dialog in mini.dialogs:
        folder = mini.root / f'Session{dialog.dialog.session}'
        both, rate = soundfile.read(folder / f'dialog/wav/{dialog.dialog.name}.wav', dtype='int16')
        assert rate == 16000 and both.shape[1] == 2
        for u in dialog.utterances:
            alone, rate = soundfile.read(
                folder / f'sentences/wav/{dialog.dialog.name}/{u.id.text}.wav', dtype='int16'
            )
            channel, other = both[round(u.start * 16000) : round(u.end * 16000), :: 1 if u.id.actor == 'F' else -1].T
            assert rate == 16000 and np.array_equal(alone, channel) and np.abs(alone).max() > 300
            assert not other.any()


def test_videos_are_divx_of_the_corpuss_size_and_last_as_long_as_the_dialog(mini):
    for dialog in mini.dialogs[:4]:
        path = mini.root / f'Session{dialog.dialog.session}/dialog/avi/DivX/{dialog.dialog.name}.avi'
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.codec_tag == 'DX50' and stream.codec_context.name == 'mpeg4'
            assert (stream.width, stream.height) == (720, 480)
            assert float(stream.average_rate) == pytest.approx(29.97, abs=0.001)
        reader = MediaReader(path)
        stamps = np.array([frame.stamp_ns for frame in reader])
        assert reader.problem() is None
        assert stamps[0] == 0 and np.ptp(np.diff(stamps)) <= 1
        assert dialog.seconds - 0.1 < stamps[-1] / 1e9 < dialog.seconds + 2


@pytest.mark.weights
def test_each_half_shows_one_person_but_the_empty_one_nobody(mini):
    from smern_ros.skeleton import pose

    corpus = corpus_reader.read(mini.root, subset=True)
    first = {}
    for utterance in corpus.utterances:
        if utterance.dialog in ('Ses01F_impro01', 'Ses02F_impro01', 'Ses03M_impro05a'):
            first.setdefault((utterance.dialog, utterance.side), utterance)
    seen = {}
    for key, utterance in first.items():
        estimator = pose.create('mediapipe')
        frames = (f for f in MediaReader(utterance.video).video() if f.stamp_ns >= utterance.start_ns)
        seen[utterance.id] = [
            len(estimator.estimate(np.ascontiguousarray(frame.image[:, key[1].columns(720)]), frame.stamp_ns))
            for frame, _ in zip(frames, range(4), strict=False)
        ]
        estimator.close()
    assert len(seen) >= 4 and mini.unseen & seen.keys()
    assert {name: set(counts) for name, counts in seen.items()} == {
        name: {0} if name in mini.unseen else {1} for name in seen
    }


def test_a_folder_that_holds_something_is_left_alone(mini, shared_data):
    with pytest.raises(FileExistsError, match='not empty'):
        mini_corpus.build(mini.root, shared_data)


def test_more_dialogs_than_there_are_names_are_refused(shared_data, tmp_path):
    with pytest.raises(ValueError, match='1 to 28 dialogs a session'):
        mini_corpus.build(tmp_path / 'mini', shared_data, dialogs=29)
    assert not (tmp_path / 'mini').exists()


def test_absent_data_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='no emodb in'):
        mini_corpus.build(tmp_path / 'mini', tmp_path)
