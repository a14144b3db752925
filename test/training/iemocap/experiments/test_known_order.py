# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The paper's further experiments, where the answer is known: what filter, speakers and pretraining are worth."""
import pytest

from smern_ros.spec import LABELS, SKELETON
from smern_ros.training.iemocap.experiments import synthetic
from smern_ros.training.iemocap.experiments.results import ExperimentStore
from smern_ros.training.iemocap.experiments.run_experiments import Work, run_experiments
from smern_ros.training.iemocap.experiments.runs import plan
from smern_ros.training.iemocap.experiments.synthetic import UNFILTERED, SyntheticCorpusSpec, ceiling, margin

MODEL = 'lstm_att'
CHANCE = 1 / len(LABELS)
PLAN = SyntheticCorpusSpec(utterances=400, skeleton=0.7, skeleton_unfiltered=0.3, frames=6, mocap_fraction=0)
PERSONAL = SyntheticCorpusSpec(utterances=800, skeleton=0.7, frames=6, mocap_fraction=0, personal=True)


@pytest.fixture(scope='module')
def measured(tmp_path_factory, small, quick):
    """measured(plan, protocol, ...) gives the scores of one repetition on all five folds together."""
    folders = {}

    def of(corpus_plan, protocol, **fields):
        if corpus_plan not in folders:
            folders[corpus_plan] = tmp_path_factory.mktemp('synthetic')
            synthetic.corpus(corpus_plan).save(folders[corpus_plan] / 'features')
        work = Work(folders[corpus_plan] / 'features', folders[corpus_plan] / 'out')
        runs = plan([MODEL], protocol, repetitions=1, settings=quick, overrides=small[MODEL], **fields)
        assert run_experiments(runs, work) == []
        return ExperimentStore(work.out).scores(runs)[0]

    return of


def test_the_filter_gives_back_what_noise_has_hidden(measured):
    filtered, unfiltered = measured(PLAN, 'random'), measured(PLAN, 'random', filtered=False)
    best = ceiling(PLAN, (UNFILTERED,)).uar
    assert unfiltered.uar <= best + margin(best, unfiltered.count) < filtered.uar
    assert filtered.uar <= ceiling(PLAN, (SKELETON,)).uar + margin(best, filtered.count)


def test_who_moves_in_a_way_of_their_own_is_known_only_if_learnt_from(measured):
    known = measured(PERSONAL, 'random')
    best = ceiling(PERSONAL, (SKELETON,)).uar
    assert known.uar == pytest.approx(best, abs=0.1)
    for protocol in ('across_speakers', 'leave_one_session_out'):
        unseen = measured(PERSONAL, protocol)
        assert unseen.uar == pytest.approx(CHANCE, abs=margin(CHANCE, unseen.count, deviations=4))


def test_what_was_learnt_of_others_helps_where_little_is_known_of_new_speakers(measured):
    scratch, pretrained = (
        measured(PLAN, 'new_speakers', fraction=0.025, pretrained=pretrained) for pretrained in (False, True)
    )
    assert pretrained.uar > scratch.uar + margin(scratch.uar, scratch.count)


def test_less_of_new_speakers_teaches_less(measured):
    little, much = (measured(PLAN, 'new_speakers', fraction=fraction) for fraction in (0.025, 0.5))
    assert much.uar > little.uar + margin(little.uar, little.count)
