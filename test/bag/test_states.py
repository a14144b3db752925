# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two runs said the same, or in what they differ."""
import dataclasses

import pytest

from smern_ros.bag.states import FinalState, RunStates, compare, table

FINAL = FinalState(
    'u1', 1_000_000_000, 3_000_000_000, 'p1', 'happy', ('angry', 'happy'), (0.25, 0.75), ('audio', 'skeleton'),
)


def said(*finals, words='how nice', frames=(1_500_000_000, 2_000_000_000)):
    one = RunStates({f.utterance_id: f for f in finals}, dict.fromkeys((f.utterance_id for f in finals), words))
    for stamp_ns in frames:
        one.add_frame(stamp_ns)
    return one


def changed(**changes):
    return dataclasses.replace(FINAL, **changes)


def test_a_run_is_the_same_as_itself():
    (row,) = compare(said(FINAL), said(FINAL))
    assert row.same and row.change == 0 and row.frames == (2, 2)


def test_the_last_digits_of_a_probability_do_not_matter():
    (row,) = compare(said(FINAL), said(changed(probabilities=(0.2504, 0.7496))))
    assert row.same and row.change == pytest.approx(0.0004)


@pytest.mark.parametrize('other', [
    said(changed(probabilities=(0.252, 0.748))), said(changed(start_ns=1)), said(changed(end_ns=3_000_000_001)),
    said(changed(person_id='p2')), said(changed(modalities=('audio',))), said(FINAL, words='how mice'), said(),
    said(changed(labels=('sad', 'happy'))),
])
def test_whatever_else_differs_is_told(other):
    recorded = said(FINAL)
    (row,) = compare(recorded, other)
    assert not row.same
    lines = list(table([row]))
    assert 'DIFFERS' in lines[1] and lines[-1].startswith('0 of 1')


def test_an_utterance_of_either_run_has_its_row_in_the_order_of_time():
    later = changed(utterance_id='u2', start_ns=5_000_000_000, end_ns=6_000_000_000)
    rows = compare(said(later), said(FINAL))
    assert [(r.utterance_id, r.recorded is None, r.replayed is None) for r in rows] == [
        ('u1', True, False), ('u2', False, True)]
    assert not any(row.same for row in rows)
