# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the names of IEMOCAP say."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.training.iemocap.corpus_reader.names import Dialog, Side, UtteranceId, is_unnumbered

sessions, letters = st.integers(1, 5), st.sampled_from('FM')
scenes = st.from_regex(r'(impro|script)[0-9]{2}[ab]?(_[0-9]b?)?', fullmatch=True)
numbers = st.integers(0, 999)


@given(sessions, letters, scenes, letters, numbers)
def test_an_id_tells_session_dialog_and_speaker(session, wearer, scene, actor, number):
    dialog = f'Ses0{session}{wearer}_{scene}'
    utterance = UtteranceId.parse(f'{dialog}_{actor}{number:03d}')
    assert utterance.dialog == Dialog.parse(dialog) == Dialog(dialog, session, wearer)
    assert utterance.speaker == f'Ses0{session}{actor}'
    assert utterance.wears_markers == (wearer == actor)


@given(sessions, letters, scenes, letters, numbers)
def test_the_speaker_is_on_the_left_exactly_if_wearing_the_markers(session, wearer, scene, actor, number):
    side = Side.of(UtteranceId.parse(f'Ses0{session}{wearer}_{scene}_{actor}{number:03d}'))
    assert (side is Side.LEFT) == (wearer == actor)
    assert side.columns(720) == (slice(0, 360) if side is Side.LEFT else slice(360, 720))


@given(sessions, letters, scenes, letters, numbers, st.text(min_size=1))
def test_nothing_may_stand_before_or_behind_an_id(session, wearer, scene, actor, number, more):
    text = f'Ses0{session}{wearer}_{scene}_{actor}{number:03d}'
    for wrong in (text + more, more + text):
        with pytest.raises(ValueError, match='no id of an utterance'):
            UtteranceId.parse(wrong)


@given(st.text().filter(lambda text: 'impro' not in text and 'script' not in text))
def test_any_other_text_is_no_id(text):
    with pytest.raises(ValueError, match='no id of an utterance'):
        UtteranceId.parse(text)


@pytest.mark.parametrize(
    'wrong',
    [
        'Ses00F_impro01_F000', 'Ses06F_impro01_F000', 'Ses01X_impro01_F000', 'Ses01F_impro01_f000',
        'Ses01F_impro1_F000', 'Ses01F_scripts01_1_F000', 'Ses01F_impro01', 'Ses01F_impro01_F00', 'Ses01F_impro01_F0000',
        'Ses01F_impro٠١_F000',  # digits, but not ours
    ],
)
def test_names_that_only_look_like_ids_are_refused(wrong):
    with pytest.raises(ValueError, match='Ses01F_impro01_M003'):
        UtteranceId.parse(wrong)


@pytest.mark.parametrize(
    ('dialog', 'session'),
    [('Ses03M_impro05a', 3), ('Ses03M_impro05b', 3), ('Ses03M_impro08b', 3), ('Ses05M_script01_1b', 5)],
)
def test_the_odd_dialogs_of_the_corpus_have_names_that_are_read(dialog, session):
    assert UtteranceId.parse(f'{dialog}_F012').dialog == Dialog(dialog, session, 'M')


def test_ids_without_a_number_are_told_from_nonsense():
    assert is_unnumbered('Ses01F_impro01_MXX0')
    assert is_unnumbered('Ses05M_script01_1b_FXX1')
    assert not is_unnumbered('Ses01F_impro01_M000')
    assert not is_unnumbered('MXX0')
