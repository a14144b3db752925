# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A node's ROS arguments reach ROS with each parameter as its declared type."""
from pathlib import Path

import pytest
import yaml

from smern_ros.deploy.ros_arguments import typed

DECLARED = {'text_timeout': float, 'speaker': str, 'queue': int}


def given(*arguments):
    with typed(arguments, 'fusion', DECLARED) as words:
        return words


@pytest.mark.parametrize(('rule', 'expected'), [
    ('text_timeout:=2', 'text_timeout:=2.0'),
    ('text_timeout:="2"', 'text_timeout:=2.0'),
    ('speaker:=no', 'speaker:="no"'),
    ('speaker:="no"', 'speaker:="no"'),
    ("speaker:='no'", 'speaker:="no"'),
    ('speaker:=', 'speaker:=""'),
    ('speaker:=a:=b: c # [d', 'speaker:="a:=b: c # [d"'),
    ('speaker:=*.mp4', 'speaker:="*.mp4"'),
    (f'speaker:={"long " * 100}', f'speaker:="{"long " * 100}"'),
    ('queue:=3.0', 'queue:=3'),
    ('fusion:queue:=3.0', 'fusion:queue:=3'),
    ('asr:queue:=what', 'asr:queue:=what'),
    ('use_sim_time:=on', 'use_sim_time:=true'),
    ('qos_overrides./x.publisher.depth:=5', 'qos_overrides./x.publisher.depth:=5'),
    ('no rule', 'no rule'),
])
@pytest.mark.parametrize('option', ['-p', '--param'])
def test_a_parameter(option, rule, expected):
    assert given('node', '--ros-args', option, rule) == ['node', '--ros-args', option, expected]


@pytest.mark.parametrize(('rule', 'reason'), [
    ('text_timeout:=soon', "-p text_timeout:=soon: text_timeout: 'soon' is not a number"),
    ('queue:=[1]', 'queue is a list'),
    ('speaker:="open', 'its quote is not closed'),
    ('fusion:text_timeuot:=2', 'unknown parameter text_timeuot; did you mean text_timeout?'),
])
def test_what_it_cannot_be_is_refused_with_the_argument(rule, reason):
    with pytest.raises(ValueError) as refused:
        given('--ros-args', '-p', rule)
    assert reason in str(refused.value)


def test_what_the_node_does_not_have_is_told_and_left_alone_since_a_launch_file_may_give_it_to_all_nodes(capsys):
    assert given('--ros-args', '-p', 'text_timeuot:=2') == ['--ros-args', '-p', 'text_timeuot:=2']
    said = capsys.readouterr().err
    assert 'text_timeuot:=2 is ignored: unknown parameter text_timeuot; did you mean text_timeout?' in said


def test_what_is_not_for_ros_is_left_alone():
    words = ['-p', 'text_timeout:=2', '--ros-args', '-r', 'a:=b', '--', '-p', 'text_timeout:=2', '--params-file', '/no']
    assert given(*words) == words
    assert given('--ros-args', '-p') == ['--ros-args', '-p']


@pytest.mark.parametrize(('names', 'section'), [
    ([], 'fusion'), (['-r', '__ns:=/robot'], '/robot/fusion'), (['-r', '__node:=judge'], 'judge'),
    (['--remap', 'fusion:__node:=judge', '-r', '__ns:=/a/b'], '/a/b/judge'),
])
def test_a_file_is_read_for_the_node_as_it_is_called(tmp_path, names, section):
    path = tmp_path / 'mine.yaml'
    path.write_text(f'{section}: {{ros__parameters: {{text_timeout: 2, speaker: no}}}}')
    with typed(['--ros-args', *names, '--params-file', str(path)], 'fusion', DECLARED) as words:
        content = yaml.safe_load(Path(words[-1]).read_text())
    assert content == {section: {'ros__parameters': {'text_timeout': 2.0, 'speaker': 'no'}}}
    assert not Path(words[-1]).exists(), 'nothing is left of it'


def test_what_ros_says_of_a_file_names_the_users(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text('fusion: {ros__parameters: {}}')
    with (
        pytest.raises(ValueError, match=f'ROS cannot read {path}'),
        typed(['--ros-args', '--params-file', str(path)], 'fusion', DECLARED) as words,
    ):
        raise RuntimeError(f'ROS cannot read {words[-1]}')
