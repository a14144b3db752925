# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a bag go into the graph."""
import pytest
from support import bags

from smern_ros.bag.errors import BagError
from smern_ros.bag.reader import BagReader

pytestmark = pytest.mark.ros
AUDIO, IMAGE, JPEG = 'smern_ros/msg/AudioChunk', 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'

BOTH = {'/image_raw': IMAGE, '/image_raw/compressed': JPEG}


@pytest.fixture
def bag(tmp_path):
    """bag({'/audio': AUDIO}): a bag with such topics, each with a message but those of `empty`."""
    def make(types, empty=(), encoding='cdr'):
        folder = tmp_path / 'bag'
        folder.mkdir(exist_ok=True)
        sent = [(topic, bags.START_NS, b'') for topic in types if topic not in empty]
        bags.write_mcap(folder / f'{encoding}.mcap', sent, types=types, encoding=encoding)
        return BagReader(folder)

    return make


def found(bag, **names):
    from smern_ros.bag import input_topics

    return {name: stream.topic for name, stream in input_topics.find(bag, **names).items()}


def test_the_graphs_own_names_need_not_be_told(bag):
    types = {**bags.TYPES, '/image_raw': IMAGE, '/robot_speaking': 'std_msgs/msg/Bool'}
    assert found(bag(types)) == {
        '/audio': 'audio', '/image_raw': 'image_raw', '/robot_speaking': 'robot_speaking'}


def test_a_graph_in_a_namespace_is_found(bag):
    assert found(bag({'/robot/audio': AUDIO, '/robot/image_raw/compressed': JPEG})) == {
        '/robot/audio': 'audio', '/robot/image_raw/compressed': 'image_raw/compressed'}


@pytest.mark.parametrize('type_name, place', [(IMAGE, 'image_raw'), (JPEG, 'image_raw/compressed')])
def test_a_camera_of_another_name_goes_where_its_type_belongs(bag, type_name, place):
    assert found(bag({'/head/rgb': type_name}), image='head/rgb') == {'/head/rgb': place}


def test_two_graphs_in_one_bag_are_not_mixed(bag):
    with pytest.raises(BagError, match='/a/audio and /b/audio'):
        found(bag({'/a/audio': AUDIO, '/b/audio': AUDIO}))


@pytest.mark.parametrize('types, empty, expected', [
    (BOTH, ['/image_raw'], {'/image_raw/compressed': 'image_raw/compressed'}),
    (BOTH, ['/image_raw/compressed'], {'/image_raw': 'image_raw'}),
    ({'/image_raw': IMAGE, '/head/image_raw': IMAGE}, ['/image_raw'], {'/head/image_raw': 'image_raw'}),
    ({'/audio': AUDIO, '/robot/audio': AUDIO}, ['/audio'], {'/robot/audio': 'audio'}),
    ({'/a/audio': AUDIO, '/b/audio': AUDIO}, ['/a/audio'], {'/b/audio': 'audio'}),
], ids=['compressed', 'raw', 'namespace', 'sound', 'two'])
def test_an_empty_topic_never_wins_over_one_with_messages(bag, types, empty, expected):
    assert found(bag(types, empty=empty)) == expected


@pytest.mark.parametrize('other, type_name', [
    ('/robot/audio', 'audio_common_msgs/msg/AudioData'), ('/tts/speaker', 'std_msgs/msg/Float32'),
    ('/speaker', 'sensor_msgs/msg/LaserScan'), ('/vad/speech/detected', 'std_msgs/msg/Bool'),
    ('/speech/detected', 'std_msgs/msg/Bool'), ('/rear/image_raw', 'sensor_msgs/msg/PointCloud2'),
    ('/tts/speaker', 'std_msgs/msg/String'), ('/head/robot_speaking', 'std_msgs/msg/String'), ('/rear/audio', AUDIO),
])
def test_a_topic_that_only_ends_like_one_of_the_graphs_is_left_out_and_the_rest_is_played(bag, other, type_name):
    assert found(bag({'/audio': AUDIO, '/image_raw': IMAGE, other: type_name})) == {
        '/audio': 'audio', '/image_raw': 'image_raw'}


def test_what_is_left_out_for_its_type_is_told(bag):
    made = bag({'/audio': 'audio_common_msgs/msg/AudioData', '/image_raw': IMAGE})
    assert found(made) == {'/image_raw': 'image_raw'}
    assert made.notes == ['ignoring /audio: it has type audio_common_msgs/msg/AudioData']


@pytest.mark.parametrize('types', [{'/camera': 'foxglove.CompressedImage'}, {'/audio': AUDIO}, {'/image_raw': IMAGE}])
def test_topics_in_another_encoding_matter_only_if_they_are_asked_for(bag, types):
    bag(types, encoding='json')
    made = bag({'/audio': AUDIO})
    assert found(made) == {'/audio': 'audio'}
    assert made.topics['/audio'].encoding == 'cdr'
    assert [m.topic.encoding for m in made.messages(['/audio'])] == ['cdr']
    if '/camera' in types:
        with pytest.raises(BagError, match='/camera has type foxglove.CompressedImage in json; expected '):
            found(made, image='/camera')


def test_what_others_tell_of_the_voice_comes_from_the_namespace_of_the_sound(bag):
    types = {'/robot/audio': AUDIO, '/robot/robot_speaking': 'std_msgs/msg/Bool',
             '/robot/speaker': 'std_msgs/msg/String', '/tts/robot_speaking': 'std_msgs/msg/Bool'}
    assert found(bag(types)) == {'/robot/audio': 'audio', '/robot/robot_speaking': 'robot_speaking',
                                 '/robot/speaker': 'speaker'}


def test_a_camera_that_is_named_and_holds_compressed_images_only_is_found(bag):
    types = {'/eye/color': IMAGE, '/eye/color/compressed': JPEG}
    made = bag(types, empty=['/eye/color'])
    assert found(made, image='/eye/color/') == {'/eye/color/compressed': 'image_raw/compressed'}


@pytest.mark.parametrize('types, names, told', [
    ({'/scan': 'sensor_msgs/msg/LaserScan'}, {}, r'no camera and no audio.*/scan \(sensor_msgs/msg/LaserScan, 1 mess'),
    ({'/image_raw': 'sensor_msgs/msg/LaserScan'}, {}, r'no camera and no audio.*/image_raw \(sensor_msgs'),
    ({'/audio': AUDIO, '/cam': 'sensor_msgs/msg/PointCloud2'}, {'image': '/cam'}, 'expected sensor_msgs/msg/Image or'),
    ({'/audio': AUDIO}, {'image': '/eye'}, 'has no topic /eye'),
], ids=['none', 'type', 'wrong', 'absent'])
def test_what_the_graph_cannot_take_is_refused_with_what_there_is(bag, types, names, told):
    with pytest.raises(BagError, match=told):
        found(bag(types), **names)


@pytest.mark.parametrize('names, told', [({}, 'no camera and no audio.* 0 mess'), ({'audio': '/audio'}, 'no message')])
def test_a_bag_without_a_message_of_camera_or_sound_is_refused(bag, names, told):
    with pytest.raises(BagError, match=told):
        found(bag({'/audio': AUDIO}, empty=['/audio']), **names)


@pytest.mark.parametrize('share', [0.01, 0.5])
def test_a_bag_that_is_cut_off_before_its_first_message_is_called_so(tmp_path, share):
    file = bags.write_mcap(tmp_path / 'cut.mcap', bags.messages(50))
    file.write_bytes(file.read_bytes()[:round(file.stat().st_size * share)])
    with pytest.raises(BagError, match=r'no camera and no audio.*It has no topics\. .*cut\.mcap is cut off after'):
        found(BagReader(file))


def test_messages_of_another_version_of_ours_are_refused(bag):
    made = bag({'/audio': AUDIO})
    made.hashes['/audio'] = 'RIHS01_' + '0' * 64
    with pytest.raises(BagError, match='another version of smern_ros/msg/AudioChunk'):
        found(made)
