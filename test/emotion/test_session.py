# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A session judges by the evidence and by the utterances before, however the evidence comes."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.personal import personal_checkpoint

from smern_ros.emotion.adaptation import Example
from smern_ros.emotion.people import ABSENT, EVERYBODY
from smern_ros.emotion.predictor import ADAPTED, EmotionPredictor, NoEvidence
from smern_ros.emotion.session import MAX_TRACKED_IDS, Session
from smern_ros.emotion.shipped_checkpoints import DEFAULT
from smern_ros.models.person_statistics import NOBODY, PriorWeights
from smern_ros.skeleton.posture import Posture
from smern_ros.spec import AUDIO, SKELETON, TEXT, Joint
from smern_ros.values import SECOND, AudioFeatures, SkeletonWindow, Transcript, UtteranceInputs, Word


@pytest.fixture(scope='module')
def predictor(tmp_path_factory):
    return EmotionPredictor.load(personal_checkpoint(tmp_path_factory.mktemp('checkpoint')))


def utterance(number, person_id='anna', modalities=(AUDIO, TEXT, SKELETON), name=None) -> UtteranceInputs:
    """Each with a voice and movements of its own, 3 s after the one before."""
    generator = np.random.default_rng(number)
    start, end = 10 * number * SECOND, (10 * number + 3) * SECOND
    name = f'u{number}' if name is None else name
    everything = {
        AUDIO: AudioFeatures(name, start, end, generator.normal(size=(300, 39)).astype(np.float32),
                             generator.uniform(1, 2, 35).astype(np.float32)),
        TEXT: Transcript(name, start, end, 'what a lovely day', (Word('what', start, start + SECOND, 0.9),)),
        SKELETON: SkeletonWindow(person_id, start, end, generator.normal(0, 0.2, (91, 10, 3)).astype(np.float32),
                                 np.ones((91, 10), bool), 0.3),
    }
    return UtteranceInputs(name, start, end, **{m: everything[m] for m in modalities})


def probabilities(session, inputs) -> np.ndarray:
    return session.predict(inputs).prediction.probabilities


def test_somebody_new_is_judged_by_the_utterance_alone_and_somebody_known_otherwise(predictor):
    session = Session(predictor)
    stranger = predictor.predict(utterance(2)).probabilities
    np.testing.assert_array_equal(probabilities(Session(predictor), utterance(2)), stranger)
    session.predict(utterance(1))
    assert np.abs(probabilities(session, utterance(2)) - stranger).max() > 1e-4


def test_movement_that_a_checkpoint_does_not_read_tells_whose_the_voice_is_and_nothing_else():
    predictor = EmotionPredictor.load(f'{DEFAULT}-commercial')
    session = Session(predictor)
    first = session.predict(utterance(1))
    assert first.person_id == 'anna' and first.prediction.modalities == (AUDIO, TEXT)
    strange = predictor.predict(utterance(2, modalities=(AUDIO, TEXT))).probabilities
    np.testing.assert_array_equal(predictor.predict(utterance(2)).probabilities, strange)
    np.testing.assert_array_equal(probabilities(session, utterance(2, 'ben')), strange)
    assert np.abs(probabilities(session, utterance(2)) - strange).max() > 1e-4, 'anna is known'
    with pytest.raises(NoEvidence, match='no voiced audio, no known word$'):
        session.predict(utterance(3, modalities=(SKELETON,)))


def assert_words_are_used(predictor, used, **told):
    """A transcript with these fields is evidence, or the answer is that without words: by session and predictor."""
    spoken = utterance(1)
    spoken = replace(spoken, text=replace(spoken.text, **told))
    expected = predictor.predict(utterance(1) if used else utterance(1, modalities=(AUDIO, SKELETON)))
    for judged in (Session(predictor).predict(spoken).prediction, predictor.predict(spoken)):
        assert judged.modalities == expected.modalities
        np.testing.assert_array_equal(judged.probabilities, expected.probabilities)
    assert (Session(predictor).encode_text(spoken.text) is not None) == used


@pytest.mark.parametrize('confidence, used', [(0.04, False), (0.49, False), (0.5, True), (1.0, True), (0.0, False),
                                              (float('nan'), False)])
def test_words_of_which_the_recogniser_is_not_sure_are_no_evidence(predictor, confidence, used):
    assert_words_are_used(predictor, used, confidence=confidence)


@pytest.mark.parametrize('language, used', [
    ('en', True), ('en-GB', True), ('en_US', True), ('EN', True), ('eng', True), ('', True), ('und', True),
    ('de', False), ('pl-PL', False), ('enm', False), ('auto', False),
])
def test_words_of_another_language_are_no_evidence(predictor, language, used):
    assert_words_are_used(predictor, used, language=language)


@pytest.fixture
def wary(predictor):
    """To which all movement is unlike what was learnt of which an elbow and a wrist are seen."""
    unlike = Posture(elbow=(-1.0, *[0.0] * 9), arm=(1.0, *[0.0] * 27))
    return EmotionPredictor(replace(predictor.checkpoint, posture=unlike))


def test_movement_unlike_what_was_learnt_tells_who_speaks_and_is_no_evidence(wary):
    expected = wary.predict(utterance(1, modalities=(AUDIO, TEXT)))
    session = Session(wary)
    judgement = session.predict(utterance(1))
    assert judgement.person_id == 'anna' and set(judgement.vectors) == {AUDIO, TEXT}
    for prediction in (judgement.prediction, wary.predict(utterance(1))):
        assert prediction.modalities == (AUDIO, TEXT) and prediction.unfamiliar == (SKELETON,)
        np.testing.assert_array_equal(prediction.probabilities, expected.probabilities)
    assert expected.unfamiliar == ()
    # What was heard of her counts, as it does of somebody whose movement is used.
    assert np.abs(probabilities(session, utterance(2)) - wary.predict(utterance(2)).probabilities).max() > 1e-4


def test_from_movement_unlike_what_was_learnt_alone_nothing_is_judged(wary):
    for judge in (Session(wary).predict, wary.predict):
        with pytest.raises(NoEvidence, match='out-of-distribution skeleton'):
            judge(utterance(1, modalities=(SKELETON,)))


def test_movement_like_what_was_learnt_is_used_and_movement_of_nobody_is_not_called_unlike(wary):
    moved = utterance(1).skeleton
    wrists = [Joint.LEFT_WRIST, Joint.RIGHT_WRIST]
    hidden, nobody = moved.visible.copy(), np.zeros_like(moved.visible)
    hidden[:, wrists] = False
    used = Session(wary).predict(replace(utterance(1), skeleton=replace(moved, visible=hidden))).prediction
    assert used.modalities == (AUDIO, TEXT, SKELETON) and used.unfamiliar == ()
    unseen = replace(utterance(1), skeleton=replace(moved, visible=nobody))
    for prediction in (Session(wary).predict(unseen).prediction, wary.predict(unseen)):
        assert prediction.modalities == (AUDIO, TEXT) and prediction.unfamiliar == ()


def test_another_person_changes_nothing(predictor):
    session = Session(predictor)
    session.predict(utterance(1, 'ben'))
    np.testing.assert_array_equal(
        probabilities(session, utterance(2, 'anna')), predictor.predict(utterance(2)).probabilities
    )


def test_evidence_encoded_for_the_wrong_person_is_judged_as_if_for_the_right_one(predictor):
    whole, piecewise = Session(predictor), Session(predictor)
    for session in (whole, piecewise):
        session.predict(utterance(1, 'anna'))
        session.predict(utterance(2, 'ben'))
    inputs = utterance(3, 'anna')
    evidence = {AUDIO: piecewise.encode_audio(inputs.audio, 'ben'), TEXT: piecewise.encode_text(inputs.text),
                SKELETON: piecewise.encode_skeleton(inputs.skeleton)}
    judgement = piecewise.fuse(evidence, inputs.start_ns)
    assert judgement.person_id == 'anna'
    np.testing.assert_array_equal(judgement.prediction.probabilities, probabilities(whole, inputs))
    assert not torch.equal(judgement.vectors[AUDIO], evidence[AUDIO].vector)


def test_evidence_encoded_before_the_last_utterance_was_certain_counts_it_all_the_same(predictor):
    in_turn, early = Session(predictor), Session(predictor)
    second = utterance(2)
    encoded_early = early.encode_audio(second.audio, 'anna')
    for session in (in_turn, early):
        session.predict(utterance(1))
    evidence = {AUDIO: encoded_early, TEXT: early.encode_text(second.text),
                SKELETON: early.encode_skeleton(second.skeleton)}
    np.testing.assert_array_equal(
        early.fuse(evidence, second.start_ns).prediction.probabilities, probabilities(in_turn, second)
    )


def test_judging_again_and_again_teaches_nothing(predictor):
    session = Session(predictor)
    inputs = utterance(1)
    evidence = {AUDIO: session.encode_audio(inputs.audio)}
    for _ in range(3):
        session.fuse(evidence, inputs.start_ns)
    assert len(session.people) == 0


def test_a_gesture_between_utterances_teaches_nothing(predictor):
    session = Session(predictor)
    session.predict(utterance(1, modalities=(SKELETON,), name=''))
    assert len(session.people) == 0


def test_a_voice_without_a_body_is_nobody_in_view(predictor):
    session = Session(predictor)
    assert session.predict(utterance(1, modalities=(AUDIO, TEXT))).person_id == ABSENT
    known = session.people.statistics(ABSENT, utterance(2).start_ns)
    assert known.prosody.count[0] == 1 and not known.skeleton.count.any()


def test_whoever_was_labelled_is_forgotten_with_the_bodies_however_many_came_since(predictor):
    session = Session(predictor)
    judged = session.predict(utterance(0, 'anna'))
    session.adaptation.add('anna', Example('u0', judged.vectors, 'sad'))
    for number in range(MAX_TRACKED_IDS + 10):
        session.encode_skeleton(utterance(1, f'visitor {number}').skeleton)
    assert 'anna' in session.reset_tracked_people() and session.adaptation.people == ()


VOICE = (AUDIO, TEXT)


@pytest.fixture(params=[PriorWeights(mfcc=200.0, prosody=1.0), NOBODY], ids=['by person', 'alike'])
def of_strangers(request, tmp_path):
    """Judges voices without a body, with and without statistics of people."""
    return EmotionPredictor.load(personal_checkpoint(tmp_path, request.param))


def taught(session, judged, label='angry') -> None:
    session.adaptation.add(judged.identity, Example('u', judged.vectors, label))
    session.adaptation.refit(judged.identity)


def is_adapted(judged) -> bool:
    return judged.prediction.model.endswith(ADAPTED)


def test_what_a_label_teaches_of_a_voice_without_a_body_holds_until_it_may_be_anothers(of_strangers):
    session = Session(of_strangers)
    taught(session, session.predict(utterance(1, modalities=VOICE)))
    assert is_adapted(session.predict(utterance(7, modalities=VOICE)))       # 57 s later, counted on from there
    assert is_adapted(session.predict(utterance(13, modalities=VOICE)))
    assert not is_adapted(session.predict(utterance(20, modalities=VOICE)))  # 67 s later
    assert not is_adapted(session.predict(utterance(21, modalities=VOICE)))


def test_a_clock_that_jumps_back_ends_it_too(of_strangers):
    session = Session(of_strangers)
    taught(session, session.predict(utterance(5, modalities=VOICE)))
    assert not is_adapted(session.predict(utterance(3, modalities=VOICE)))
    assert not is_adapted(session.predict(utterance(5, modalities=VOICE)))  # nor does it come back


def test_a_label_that_comes_late_reaches_no_other_voice(of_strangers):
    session = Session(of_strangers)
    first = session.predict(utterance(1, modalities=VOICE))
    second = session.predict(utterance(10, modalities=VOICE))
    taught(session, first)
    assert not is_adapted(session.predict(utterance(11, modalities=VOICE)))
    taught(session, second, 'sad')
    assert is_adapted(session.predict(utterance(12, modalities=VOICE)))


def test_the_voices_of_another_session_are_others(of_strangers):
    session = Session(of_strangers)
    taught(session, session.predict(utterance(1, modalities=VOICE)))
    other = Session(of_strangers, session.adaptation)
    assert not is_adapted(other.predict(utterance(1, modalities=VOICE)))


def test_labels_for_everybody_and_of_people_with_a_body_go_on_however_long_it_is_silent(of_strangers):
    session = Session(of_strangers)
    taught(session, session.predict(utterance(1, 'anna')))
    vectors = session.predict(utterance(2, modalities=VOICE)).vectors
    assert is_adapted(session.predict(utterance(100, 'anna')))
    assert not is_adapted(session.predict(utterance(101, modalities=VOICE)))
    session.adaptation.add(EVERYBODY, Example('u', vectors, 'angry'))
    session.adaptation.refit(EVERYBODY)
    assert is_adapted(session.predict(utterance(200, modalities=VOICE)))


def test_a_checkpoint_that_normalises_everybody_alike_remembers_nobody(tmp_path):
    session = Session(EmotionPredictor.load(personal_checkpoint(tmp_path, NOBODY)))
    session.predict(utterance(1))
    assert len(session.people) == 0


def test_no_evidence_is_refused_and_teaches_nothing(predictor):
    session = Session(predictor)
    with pytest.raises(NoEvidence):
        session.predict(utterance(1, modalities=()))
    assert len(session.people) == 0
