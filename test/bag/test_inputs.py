"""Which topics of a bag go into the graph."""
import pytest
from support import bags

from smern_ros.bag.errors import BagError
from smern_ros.bag.reader import BagReader

pytestmark = pytest.mark.ros
AUDIO, IMAGE, JPEG = 'smern_ros/msg/AudioChunk', 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'


@pytest.fixture
def bag(tmp_path):
    """bag({'/audio': AUDIO}): a bag with such topics."""
    def make(types, **kwargs):
        return BagReader(bags.write_foreign(tmp_path / 'bag', [], types=types, **kwargs))

    return make


def found(bag, **names):
    from smern_ros.bag import inputs

    return {name: stream.topic for name, stream in inputs.find(bag, **names).items()}


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


@pytest.mark.parametrize('types, names, told', [
    ({'/scan': 'sensor_msgs/msg/LaserScan'}, {}, r'no camera and no sound.*/scan \(sensor_msgs/msg/LaserScan\)'),
    ({'/image_raw': 'sensor_msgs/msg/LaserScan'}, {}, '/image_raw is of sensor_msgs/msg/LaserScan, which is not known'),
    ({'/audio': AUDIO, '/cam': 'sensor_msgs/msg/PointCloud2'}, {'image': '/cam'}, 'wanted sensor_msgs/msg/Image or'),
    ({'/audio': AUDIO}, {'image': '/eye'}, 'has no topic /eye'),
], ids=['none', 'type', 'wrong', 'absent'])
def test_what_the_graph_cannot_take_is_refused_with_what_there_is(bag, types, names, told):
    with pytest.raises(BagError, match=told):
        found(bag(types), **names)


def test_messages_of_another_version_of_ours_are_refused(bag):
    made = bag({'/audio': AUDIO})
    made.hashes['/audio'] = 'RIHS01_' + '0' * 64
    with pytest.raises(BagError, match='another version of smern_ros/msg/AudioChunk'):
        found(made)
