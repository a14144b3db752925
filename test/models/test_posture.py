"""The posture is of what is seen alone; where it is moved to is read off it, and so is whether somebody moves."""
import pytest
import torch

from smern_ros import models
from smern_ros.models.posture import numbers, posture


def somebody(swing, frames=40):
    """(1, frames, 30), all joints 2 deviations off the mean on average, and (1, frames, 10) bool, all visible."""
    times = torch.arange(frames) / 30
    x = 2 + swing * torch.sin(2 * torch.pi * 1.5 * times)[None, :, None].expand(1, -1, 30)
    return x, torch.ones(1, frames, 10, dtype=torch.bool)


def test_it_is_the_mean_place_of_each_joint_and_one_number_of_movement():
    numbers_of = posture(*somebody(0.5))
    assert numbers_of.shape == (1, 31) and numbers(10) == 31
    assert torch.allclose(numbers_of[0, :30], torch.full((30,), 2.0))


def test_who_moves_more_has_a_higher_number_and_who_stands_still_a_finite_one():
    still, little, much = (float(posture(*somebody(swing))[0, 30]) for swing in (0.0, 0.1, 0.5))
    assert -2 < still < little - 1 < much - 2


def test_a_hidden_joint_takes_no_part_and_is_no_rest():
    x, visible = somebody(0.5)
    visible[:, :, 4] = False
    visible[:, 20:, 7] = False
    x = x.masked_fill(~visible.repeat_interleave(3, dim=2), 0.0)
    numbers_of = posture(x, visible)[0]
    assert numbers_of[12:15].tolist() == [0.0, 0.0, 0.0]
    assert torch.allclose(numbers_of[21:24], torch.full((3,), 2.0), atol=1e-5)
    assert float(numbers_of[30]) == pytest.approx(float(posture(*somebody(0.5))[0, 30]), abs=1e-3)


def test_smacn_reads_it_only_if_asked():
    torch.manual_seed(0)
    with_it, without = (models.build('smacn', posture=choice).eval() for choice in (True, False))
    extra = sum(p.numel() for p in with_it.parameters()) - sum(p.numel() for p in without.parameters())
    assert extra == 31 * 64 + 64 + 64 * 256
    with torch.no_grad():
        for weight in with_it.attention.parameters():
            weight.zero_()
        for unit in with_it.units:
            unit.weight.zero_()
            unit.bias.zero_()
    still, moved = (with_it.features(*somebody(swing)) for swing in (0.0, 0.5))
    assert not torch.allclose(still, moved)  # the attention's vector is zero for both


def test_a_posture_that_is_no_choice_is_refused_by_name():
    with pytest.raises(ValueError, match='posture is .upright.; it must be one of False, True'):
        models.build('smacn', posture='upright')
