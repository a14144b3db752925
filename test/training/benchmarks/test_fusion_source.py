# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint is measured as a robot runs it, with any of the modalities missing; here on a little of the data."""
import numpy as np
import pytest

from smern_ros.emotion.checkpoint import SUBSETS
from smern_ros.emotion.shipped_checkpoints import DEFAULT, checkpoint_folder, names
from smern_ros.training.benchmarks import fusion


@pytest.fixture(scope='module')
def experiments(shared_data, cache):
    return list(fusion.experiments(shared_data, cache, trial=True))


def of(experiment, predictions):
    return {(row.name, row.detail, row.table.title[:8]): p for row, p in zip(experiment.rows, predictions, strict=True)}


def test_every_subset_stands_beside_the_best_of_its_modalities_and_its_temperature_changes_no_choice(experiments):
    joined = experiments[1]
    found = of(joined, joined.run(fusion.HELD_OUT, 0))
    labels = found['audio', '', 'The chec'].labels
    assert np.bincount(labels).tolist() == [3, 3, 3, 3]
    for subset in SUBSETS:
        name = subset.replace('+', ' + ')
        fused, before, after = (found[name, detail, title] for detail, title in (
            ('', 'The chec'), (fusion.BEFORE, 'How sure'), ('', 'How sure')))
        assert (name, fusion.BEST_ALONE, 'The chec') in found
        assert np.array_equal(fused.probabilities, after.probabilities)
        assert np.array_equal(before.probabilities.argmax(axis=1), after.probabilities.argmax(axis=1))
        assert np.allclose(before.probabilities.sum(axis=1), 1, atol=1e-5)


def test_each_modality_alone_is_measured_on_every_source(experiments):
    alone = experiments[0]
    found = dict(zip([row.name for row in alone.rows], alone.run(fusion.HELD_OUT, 0), strict=True))
    assert {name.partition(':')[0] for name in found} == {'audio', 'text', 'skeleton'}
    assert all(len(p.ids) == len(set(p.ids)) >= 4 for p in found.values())


def test_the_table_says_whether_its_rule_holds(experiments):
    note = experiments[1].rows[0].table.note()
    assert 'best of its modalities alone' in note


def test_another_checkpoint_is_another_experiment(experiments, shared_data, tmp_path):
    copy = tmp_path / 'other'
    copy.mkdir()
    for file in checkpoint_folder().iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / 'config.json').write_text((copy / 'config.json').read_text() + '\n')
    other = list(fusion.experiments(shared_data, tmp_path, True, copy))
    assert other[0].config != experiments[0].config


def test_every_shipped_checkpoint_has_a_table_of_what_it_reads_and_the_default_one_alone_more(experiments):
    rows = {}
    for experiment in experiments:
        for row in experiment.rows:
            rows.setdefault(row.table.title, []).append(row.name)
    alone = {name: rows.pop(f'The checkpoint {name}, one modality alone') for name in names()}
    assert all(f' {DEFAULT}, ' in title or f' {DEFAULT} may be' in title for title in rows)
    commercial = alone[f'{DEFAULT}-commercial']
    assert {row.partition(':')[0] for row in commercial} == {'audio', 'text'}
    assert {'audio: nemo', 'audio: ravdess'} < set(commercial), 'corpora that it never learnt from'
