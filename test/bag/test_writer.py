# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A bag as others read it, and a disk that runs full."""
import contextlib
import resource
import subprocess
from collections import Counter

import numpy as np
import pytest
import yaml
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.rosbag2 import Reader
from support import bags

from smern_ros.bag.definitions import Definitions
from smern_ros.bag.errors import BagError, DiskFull
from smern_ros.bag.reader import BagReader
from smern_ros.bag.writer import BagWriter

SECOND_OF_SOUND = 32_000
"""Bytes."""


def by_rosbags(folder):
    with Reader(folder) as bag:
        return [(c.topic, time_ns, bytes(data)) for c, time_ns, data in bag.messages(bag.connections)]


@contextlib.contextmanager
def files_of_at_most(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / 'disk'
    disk.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f'no disk can be mounted here: {mounted.stderr.strip()}')
    yield disk
    subprocess.run(['umount', disk], check=True)


def test_rosbags_reads_what_was_written(tmp_path):
    recorded = bags.messages(40)
    assert by_rosbags(bags.write(tmp_path / 'bag', recorded)) == recorded


def test_an_independent_reader_unpacks_every_field_by_the_definitions_in_the_bag(tmp_path):
    recorded = bags.messages(40)
    bags.write(tmp_path / 'bag', recorded)
    types = bags.store()
    with (tmp_path / 'bag/bag.mcap').open('rb') as file:
        read = list(make_reader(file, decoder_factories=[DecoderFactory()], validate_crcs=True)
                    .iter_decoded_messages())
    assert [(r.channel.topic, r.message.log_time) for r in read] == [one[:2] for one in recorded]
    for one, (topic, _, data) in zip(read, recorded, strict=True):
        expected = types.deserialize_cdr(data, bags.TYPES[topic])
        seen = one.decoded_message
        assert seen.header.frame_id == expected.header.frame_id
        assert seen.header.stamp.nanosec == expected.header.stamp.nanosec
        if topic == bags.AUDIO:
            assert bytes(seen.data) == expected.data.tobytes()
        else:
            assert (seen.utterance_id, seen.model, list(seen.labels)) == (
                expected.utterance_id, expected.model, list(expected.labels))
            np.testing.assert_array_equal(np.float32(seen.probabilities), expected.probabilities)


def test_the_definitions_in_the_bag_are_ours(tmp_path):
    bags.write(tmp_path / 'bag', bags.messages(4))
    with (tmp_path / 'bag/bag.mcap').open('rb') as file:
        summary = make_reader(file).get_summary()
    schemas = {s.name: s for s in summary.schemas.values()}
    assert set(schemas) == set(bags.TYPES.values())
    assert {c.topic: c.metadata['topic_type_hash'] for c in summary.channels.values()} == {
        topic: Definitions().of(type_name).hash for topic, type_name in bags.TYPES.items()}
    for name, schema in schemas.items():
        assert schema.encoding == 'ros2msg'
        assert schema.data.decode() == Definitions().of(name).text


def test_metadata_has_the_fields_that_ros2_bag_looks_for(tmp_path):
    recorded = bags.messages(10)
    bags.write(tmp_path / 'bag', recorded)
    told = yaml.safe_load((tmp_path / 'bag/metadata.yaml').read_text())['rosbag2_bagfile_information']
    assert set(told) == {
        'version', 'storage_identifier', 'duration', 'starting_time', 'message_count', 'topics_with_message_count',
        'compression_format', 'compression_mode', 'relative_file_paths', 'files', 'custom_data', 'ros_distro',
    }
    assert (told['version'], told['storage_identifier'], told['message_count']) == (9, 'mcap', 10)
    assert '*' not in (tmp_path / 'bag/metadata.yaml').read_text()  # no aliases
    assert told['relative_file_paths'] == ['bag.mcap'] == [file['path'] for file in told['files']]
    assert told['starting_time'] == {'nanoseconds_since_epoch': bags.START_NS}
    assert told['duration'] == {'nanoseconds': recorded[-1][1] - bags.START_NS}
    topics = {t['topic_metadata']['name']: t for t in told['topics_with_message_count']}
    assert {name: t['message_count'] for name, t in topics.items()} == Counter(one[0] for one in recorded)
    for name, type_name in bags.TYPES.items():
        metadata = topics[name]['topic_metadata']
        assert set(metadata) == {
            'name', 'type', 'serialization_format', 'offered_qos_profiles', 'type_description_hash'}
        assert (metadata['type'], metadata['serialization_format']) == (type_name, 'cdr')
        assert metadata['type_description_hash'] == Definitions().of(type_name).hash
        (profile,) = metadata['offered_qos_profiles']
        assert set(profile) == {
            'history', 'depth', 'reliability', 'durability', 'deadline', 'lifespan', 'liveliness',
            'liveliness_lease_duration', 'avoid_ros_namespace_conventions'}
        assert (profile['reliability'], profile['durability']) == ('reliable', 'transient_local')


def test_an_existing_folder_is_never_written_to(tmp_path):
    bags.write(tmp_path / 'bag', bags.messages(4))
    before = (tmp_path / 'bag/bag.mcap').read_bytes()
    with pytest.raises(BagError, match='exists'):
        BagWriter(tmp_path / 'bag', about={})
    assert (tmp_path / 'bag/bag.mcap').read_bytes() == before


def test_nobody_else_may_look_into_a_recording(tmp_path):
    assert bags.write(tmp_path / 'bag', bags.messages(2)).stat().st_mode & 0o077 == 0


def assert_whole_up_to_the_end(folder, recorded):
    """All that is there was recorded, from the first on, and everybody can read it."""
    read = by_rosbags(folder)
    assert 0 < len(read) < len(recorded)
    assert read == recorded[:len(read)]
    bag = BagReader(folder)
    assert [(m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics)] == read
    told = yaml.safe_load((folder / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    assert told['message_count'] == len(read)
    assert told['duration']['nanoseconds'] == read[-1][1] - read[0][1]
    with (folder / 'bag.mcap').open('rb') as file:
        assert [m.log_time for _, _, m in make_reader(file).iter_messages()] == [time_ns for _, time_ns, _ in read]
    assert sorted(file.name for file in folder.iterdir()) == ['bag.mcap', 'metadata.yaml']


@pytest.mark.faults
def test_a_full_disk_ends_the_bag_and_what_it_holds_is_read_by_all(small_disk):
    recorded = bags.messages(400, SECOND_OF_SOUND)
    with pytest.raises(DiskFull, match='No space left on device. The bag is closed and valid'):
        bags.write(small_disk / 'bag', recorded)
    assert_whole_up_to_the_end(small_disk / 'bag', recorded)


@pytest.mark.faults
@pytest.mark.parametrize('size', [2_500_000, 3_300_000, 4_000_000])
def test_a_file_that_may_not_grow_is_as_a_full_disk_wherever_it_ends(tmp_path, size):
    recorded = bags.messages(400, SECOND_OF_SOUND)
    with files_of_at_most(size), pytest.raises(DiskFull, match='File too large'):
        bags.write(tmp_path / 'bag', recorded)
    assert_whole_up_to_the_end(tmp_path / 'bag', recorded)


@pytest.mark.faults
def test_where_the_end_has_no_room_either_one_more_chunk_makes_it(tmp_path):
    recorded = bags.messages(200, SECOND_OF_SOUND)
    with BagWriter(tmp_path / 'whole', about={}) as whole:
        for topic, type_name in bags.TYPES.items():
            whole.add_topic(topic, type_name, bags.PROFILE)
        sizes = []
        for one in recorded:
            whole.write(*one)
            sizes.append(whole.size)
    with files_of_at_most(sorted(set(sizes))[-1] + 5), pytest.raises(DiskFull, match='closed and valid'):
        bags.write(tmp_path / 'bag', recorded)
    assert_whole_up_to_the_end(tmp_path / 'bag', recorded)


@pytest.mark.faults
def test_a_disk_that_is_full_when_the_index_is_written_costs_the_last_chunks_only(tmp_path):
    recorded = bags.messages(300, SECOND_OF_SOUND)
    whole = bags.write(tmp_path / 'whole/bag', recorded)
    size = (whole / 'bag.mcap').stat().st_size
    with files_of_at_most(size - 1), pytest.raises(DiskFull):
        bags.write(tmp_path / 'bag', recorded)
    assert_whole_up_to_the_end(tmp_path / 'bag', recorded)
    assert len(by_rosbags(tmp_path / 'bag')) > 200
