"""What is unlike all that was learnt counts little or nothing."""
import numpy as np
import pytest

from smern_ros.models.familiarity import Familiarity, fit


@pytest.fixture(scope='module')
def parts():
    """(400, 64) learnt, and 60 that are unlike it by two deviations in one of twelve directions."""
    generator = np.random.default_rng(0)
    ways = np.linalg.qr(generator.normal(size=(64, 12)))[0].T
    spread = np.linspace(1, 5, 12)
    learnt = generator.normal(size=(400, 12)) * spread
    unlike = generator.normal(size=(60, 12)) * spread
    unlike[:, 0] += 2
    return learnt @ ways, unlike @ ways


@pytest.fixture(scope='module')
def scaled(parts):
    learnt, unlike = parts
    return fit(learnt[::2], unlike[::2]).scaled(learnt[1::2], unlike[::2])


def test_the_score_is_zero_for_what_was_learnt_and_one_for_what_is_unlike(parts):
    learnt, unlike = parts
    found = fit(learnt, unlike)
    assert found.score(learnt).mean() == pytest.approx(0, abs=1e-4)
    assert found.score(unlike).mean() == pytest.approx(1, abs=1e-4)


def test_little_shrunk_it_is_the_linear_discriminant_of_scikit_learn(parts):
    analysis = pytest.importorskip('sklearn.discriminant_analysis')
    learnt, unlike = (part + np.random.default_rng(1).normal(size=part.shape) for part in parts)
    machine = analysis.LinearDiscriminantAnalysis(solver='lsqr', shrinkage=0.0)
    machine.fit(np.concatenate([learnt, unlike]), np.repeat([0, 1], [len(learnt), len(unlike)]))
    ours, theirs = fit(learnt, unlike, shrinkage=1e-9).direction, machine.coef_[0]
    assert ours @ theirs == pytest.approx(np.linalg.norm(ours) * np.linalg.norm(theirs), rel=1e-3)


def test_what_is_unlike_counts_less_also_where_it_was_not_fitted_on(parts, scaled):
    learnt, unlike = parts
    known = np.array([scaled.share(v) for v in learnt[1::2]])
    other = np.array([scaled.share(v) for v in unlike[1::2]])
    assert np.mean(known == 1) == pytest.approx(0.8, abs=0.01)
    assert other.mean() < known.mean() - 0.3


def test_the_farther_the_less_it_counts(parts, scaled):
    here, there = (part.mean(axis=0) for part in parts)
    shares = [scaled.share(here + step * (there - here)) for step in np.linspace(0, 5, 101)]
    assert shares[0] == 1 and shares[-1] == 0
    assert shares == sorted(shares, reverse=True) and any(0 < share < 1 for share in shares)


def test_without_a_scale_everything_counts(parts):
    assert fit(*parts).share(parts[1][0] * 1000) == 1


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_what_is_no_number_is_no_evidence(parts, scaled, value):
    broken = np.where(np.arange(64) == 3, value, parts[0][0])
    assert scaled.share(broken) == 0
    assert fit(*parts).share(broken) == 0


def test_where_nothing_unlike_is_beyond_the_known_evidence_stops_at_once(parts):
    learnt, unlike = parts
    found = fit(learnt, unlike).scaled(learnt, learnt[:0])
    assert found.near == found.far
    assert {found.share(v) for v in learnt} == {0.0, 1.0}


def test_a_checkpoint_keeps_it_in_few_bytes(parts, scaled):
    arrays = scaled.arrays()
    assert all(array.dtype == np.float32 for array in arrays.values())
    assert sum(array.nbytes for array in arrays.values()) < 1000
    again = Familiarity.from_arrays(arrays)
    for vector in parts[1]:
        assert again.share(vector) == pytest.approx(scaled.share(vector), abs=1e-4)


@pytest.mark.parametrize('change', [
    {'direction': np.zeros((2, 5), np.float32)}, {'direction': np.full(64, np.nan, np.float32)},
    {'scale': np.array([0, 2, 1], np.float32)}, {'scale': np.array([0, np.nan, 1], np.float32)},
    {'scale': np.array([np.inf, 1, 2], np.float32)}, {'scale': np.zeros(2, np.float32)},
])
def test_arrays_that_do_not_fit_are_refused(scaled, change):
    with pytest.raises(ValueError, match='familiarity'):
        Familiarity.from_arrays({**scaled.arrays(), **change})


def test_a_missing_array_is_named(scaled):
    with pytest.raises(ValueError, match='direction is missing'):
        Familiarity.from_arrays({'scale': scaled.arrays()['scale']})


def test_features_that_cannot_be_fitted_are_refused(parts):
    learnt, unlike = parts
    with pytest.raises(ValueError, match='wanted features'):
        fit(learnt, unlike[:, :5])
    with pytest.raises(ValueError, match='wanted features'):
        fit(learnt, unlike[:0])
    with pytest.raises(ValueError, match='not finite'):
        fit(np.where(np.arange(64) == 3, np.nan, learnt), unlike)
    with pytest.raises(ValueError, match='same mean'):
        fit(learnt, learnt)


def test_a_vector_of_another_encoder_is_refused(scaled):
    with pytest.raises(ValueError, match='64 features'):
        scaled.share(np.zeros(128, np.float32))
