# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Real people in one picture: they keep their ids while they hide and cross, and it is known when one has left."""
from __future__ import annotations

import pytest
from support import crowd
from support.crowd import Actor, standing, walking

from smern_ros.skeleton.pose import create
from smern_ros.skeleton.tracking import PresenceTracker
from smern_ros.spec import Joint
from smern_ros.values import SECOND

pytestmark = pytest.mark.weights


@pytest.fixture(scope='module')
def look(shared_data):
    """Looks at a film with the default estimator: what is seen in each frame, as lists of skeletons."""
    from smern_ros import assets

    try:
        model = assets.path('pose-landmarker-full')
    except assets.MissingAsset as error:
        pytest.skip(str(error))

    def run(seconds, *actors):
        estimator = create('mediapipe', model=model)
        try:
            images = crowd.film(shared_data, seconds, *actors)
            return [estimator.estimate(image, k * SECOND // crowd.RATE) for k, image in enumerate(images)]
        finally:
            estimator.close()

    return run


def names(frames, *actors):
    """For each id the clips of those who bore it: one, unless ids were exchanged."""
    found: dict[str, set[str]] = {}
    for k, people in enumerate(frames):
        for person in people:
            u = float(person.image_positions[Joint.THORAX, 0])
            found.setdefault(person.person_id, set()).add(crowd.who(actors, k / crowd.RATE, u))
    return found


def test_who_is_hidden_for_half_a_second_is_the_same_person_and_so_is_the_other(look):
    actors = (Actor('walk', standing(230)), Actor('no', lambda t: None if 0.8 <= t < 1.3 else 700))
    frames = look(2.0, *actors)
    assert names(frames, *actors) == {'p1': {'walk'}, 'p2': {'no'}}
    alone = [{p.person_id for p in people} for people in frames[25:39]]
    assert alone == [{'p1'}] * 14
    assert {p.person_id for p in frames[-1]} == {'p1', 'p2'}


@pytest.mark.parametrize('front', ['milk', 'hungry'])
def test_two_who_cross_keep_their_ids_whoever_passes_in_front(look, front):
    actors = [Actor('milk', walking(150, 270)), Actor('hungry', walking(780, -270))]
    actors.sort(key=lambda actor: actor.clip == front)
    frames = look(2.2, *actors)
    assert {'p1': {'milk'}, 'p2': {'hungry'}} == names(frames[:12] + frames[-12:], *_shifted(actors, frames))
    assert {p.person_id for people in frames for p in people} == {'p1', 'p2'}
    assert max(len(people) for people in frames) == 2


def _shifted(actors, frames):
    """The actors of the first and the last twelve frames, told as one film."""
    cut = (len(frames) - 24) / crowd.RATE
    return [Actor(a.clip, lambda t, at=a.at: at(t if t < 11.5 / crowd.RATE else t + cut)) for a in actors]


def test_it_is_told_once_when_somebody_comes_and_once_when_they_have_left(look):
    actors = (Actor('walk', standing(230)), Actor('again', walking(700, 500, since=0.8)))
    presence, told = PresenceTracker(), []
    for k, people in enumerate(look(3.2, *actors)):
        here = presence.update(k * SECOND // crowd.RATE, people, track_timeout=1.0)
        if here is not None:
            told.append((k / crowd.RATE, [p.person_id for p in here]))
    assert [set(ids) for _, ids in told] == [{'p1', 'p2'}, {'p1'}]
    (came, _), (left, _) = told
    assert came == 0.0
    assert 2.2 < left < 2.8  # out of the picture at 1.5 s, an occlusion before
