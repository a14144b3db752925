# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a bag says of message types is what they are."""
import pytest

from smern_ros.bag.definitions import Definitions
from smern_ros.utils.resources import share


@pytest.mark.parametrize('file', sorted(share('msg').glob('*.msg')), ids=lambda file: file.stem)
def test_our_messages_are_told_word_by_word_with_their_comments(file):
    text = Definitions().of(f'smern_ros/msg/{file.stem}').text
    assert text.startswith(file.read_text('utf-8'))


def test_what_a_message_is_made_of_is_told_once_with_it():
    text = Definitions().of('smern_ros/msg/SkeletonArray').text
    told = [line.removeprefix('MSG: ') for line in text.splitlines() if line.startswith('MSG: ')]
    assert sorted(told) == ['builtin_interfaces/Time', 'geometry_msgs/Point', 'smern_ros/Skeleton', 'std_msgs/Header']
    assert share('msg', 'Skeleton.msg').read_text('utf-8') in text


def test_an_unknown_type_is_refused_by_name():
    with pytest.raises(ValueError, match="'robot_msgs/msg/Mood'"):
        Definitions().of('robot_msgs/msg/Mood')


@pytest.mark.ros
def test_the_hash_is_the_one_that_a_publisher_announces(probe):
    from smern_ros.ros.streams import STREAMS

    definitions = Definitions()
    for stream in STREAMS:
        probe.publisher(stream.type, stream.topic, stream.qos)
        (info,) = probe.node.get_publishers_info_by_topic(probe.node.resolve_topic_name(stream.topic))
        assert info.topic_type == stream.type_name
        assert str(info.topic_type_hash) == definitions.of(stream.type_name).hash
