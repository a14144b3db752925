"""Bags of anybody: what ros2 bag writes is read, what was cut off gives what is there, the rest is refused in words."""
import os
import shutil
import struct
import tracemalloc

import pytest
import yaml
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import CompressionMode, StoragePlugin
from support import bags

from smern_ros.bag.contents import CutOff
from smern_ros.bag.errors import BagError
from smern_ros.bag.reader import BagReader

RECORDED = bags.messages(12)
MAGIC = b'\x89MCAP0\r\n'
REUSED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path):
    bag = BagReader(path)
    return [(m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics)]


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Bytes of an MCAP file with an index."""
    folder = bags.write(tmp_path_factory.mktemp('bags') / 'bag', RECORDED)
    return (folder / 'bag.mcap').read_bytes()


def record(kind, content):
    return struct.pack('<BQ', kind, len(content)) + content


def string(text):
    return struct.pack('<I', len(text)) + text


def chunk(content, size, method=b'zstd'):
    head = struct.pack('<QQQI', 0, 1, size, 0) + string(method) + struct.pack('<Q', len(content))
    return record(0x06, head + content)


# --- whatever ros2 bag wrote ----------------------------------------------------------------------------------------

@pytest.mark.parametrize('plugin, compression', [
    (StoragePlugin.MCAP, CompressionMode.NONE), (StoragePlugin.MCAP, CompressionMode.STORAGE),
    (StoragePlugin.MCAP, CompressionMode.MESSAGE), (StoragePlugin.SQLITE3, CompressionMode.NONE),
    (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
])
def test_bags_of_both_storages_and_all_compressions_by_message_or_chunk_are_read(tmp_path, plugin, compression):
    folder = bags.write_foreign(tmp_path / 'bag', RECORDED, plugin=plugin, compression=compression)
    assert read(folder) == RECORDED
    bag = BagReader(folder)
    assert {name: (t.type_name, t.count) for name, t in bag.topics.items()} == {
        name: (type_name, 6) for name, type_name in bags.TYPES.items()}


@pytest.mark.parametrize('plugin', StoragePlugin)
def test_one_file_of_a_bag_is_a_bag(tmp_path, plugin):
    folder = bags.write_foreign(tmp_path / 'bag', RECORDED, plugin=plugin).rename(tmp_path / 'a bag?#%41')
    (file,) = (f for f in folder.iterdir() if f.name != 'metadata.yaml')
    assert read(file) == RECORDED


@pytest.mark.parametrize('method', CompressionType)
def test_chunks_of_another_writer_are_read_with_its_checksums(tmp_path, method):
    with (tmp_path / 'bag.mcap').open('wb') as file:
        writer = McapWriter(file, compression=method, chunk_size=3000)
        writer.start('ros2')
        ids = {}
        for topic, type_name in bags.TYPES.items():
            schema = writer.register_schema(type_name, 'ros2msg', b'')
            ids[topic] = writer.register_channel(topic, 'cdr', schema)
        for topic, time_ns, data in RECORDED:
            writer.add_message(ids[topic], time_ns, data, time_ns)
        writer.finish()
    assert read(tmp_path / 'bag.mcap') == RECORDED


def test_a_bag_of_several_files_is_read_in_their_order(tmp_path):
    folder = tmp_path / 'bag'
    folder.mkdir()
    for k, part in enumerate((RECORDED[:5], RECORDED[5:])):
        source = bags.write(tmp_path / f'part{k}', part)
        shutil.copy(source / f'part{k}.mcap', folder / f'bag_{k}.mcap')
    told = {'relative_file_paths': ['bag/bag_0.mcap', 'bag_1.mcap']}
    (folder / 'metadata.yaml').write_text(yaml.safe_dump({'rosbag2_bagfile_information': told}))
    assert read(folder) == RECORDED


def test_files_that_are_compressed_as_a_whole_are_refused_with_what_to_do(tmp_path):
    folder = bags.write_foreign(tmp_path / 'bag', RECORDED, compression=CompressionMode.FILE)
    with pytest.raises(BagError, match='unzstd'):
        BagReader(folder)


# --- cut off --------------------------------------------------------------------------------------------------------

@REUSED
@given(st.data())
def test_a_bag_that_is_cut_off_anywhere_gives_what_is_whole_and_says_so(whole, tmp_path, data):
    file = tmp_path / 'cut.mcap'
    file.write_bytes(whole[:data.draw(st.integers(len(MAGIC), len(whole) - 1))])
    bag, got = BagReader(file), []
    try:
        for message in bag.messages(bag.topics):
            got.append((message.topic.name, message.time_ns, message.data))
    except CutOff as error:
        assert str(file) in str(error)
    else:
        assert len(got) == len(RECORDED)  # only the index is missing
    assert got == RECORDED[:len(got)]


def test_a_recording_that_was_killed_has_no_metadata_and_is_read_up_to_there(tmp_path):
    recorded = bags.messages(200, 32_000)
    folder = bags.write(tmp_path / 'bag', recorded)
    (folder / 'metadata.yaml').unlink()
    file = folder / 'bag.mcap'
    file.write_bytes(file.read_bytes()[:2_500_000])
    bag, got = BagReader(folder), []
    with pytest.raises(CutOff):
        got.extend((m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics))
    assert 0 < sum(topic.count for topic in bag.topics.values()) < len(recorded)


# --- hostile --------------------------------------------------------------------------------------------------------

@REUSED
@given(st.lists(st.tuples(st.integers(8, 10**6), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_file_with_wrong_bytes_is_read_or_refused_and_never_believed(whole, tmp_path, changes):
    content = bytearray(whole)
    for place, value in changes:
        content[8 + place % (len(content) - 8)] = value
    file = tmp_path / 'wrong.mcap'
    file.write_bytes(content)
    try:
        read(file)
    except BagError as error:
        assert len(str(error)) < 1000


@REUSED
@given(st.lists(st.tuples(st.sampled_from([2, 3, 4, 5, 6, 0x0B]), st.binary(max_size=200)), max_size=6))
def test_records_of_random_bytes_are_refused_or_nothing(tmp_path, records):
    file = tmp_path / 'random.mcap'
    file.write_bytes(MAGIC + b''.join(record(*one) for one in records))
    try:
        assert read(file) == []
    except BagError as error:
        assert str(file) in str(error)


@pytest.mark.parametrize('content', [
    struct.pack('<BQ', 0x05, 2**60) + b'abc',                                     # a message larger than the file
    chunk(zstd.compress(bytes(2**29)), 100),                                      # more than it tells
    chunk(zstd.compress(bytes(2**29)), 2**29),                                    # more than is ever taken
    chunk(b'not compressed', 100),
    chunk(b'', 10, method=b'rle'),
    chunk(chunk(b'', 0, method=b''), 53, method=b''),                             # one within the other
    record(0x05, struct.pack('<HIQQ', 7, 0, 0, 0)),                               # of a topic that is not told
    record(0x04, struct.pack('<HH', 1, 0) + struct.pack('<I', 2**31) + b'topic'),  # a name of two gigabytes
    record(0x04, struct.pack('<HH', 1, 0) + string(b'/audio') + string(b'json') + string(b'')),
], ids=['huge', 'bomb', 'large', 'damaged', 'unknown', 'nested', 'topicless', 'name', 'json'])
def test_what_cannot_be_is_refused_before_memory_is_taken_for_it(tmp_path, content):
    file = tmp_path / 'hostile.mcap'
    file.write_bytes(MAGIC + content)
    tracemalloc.start()
    try:
        with pytest.raises(BagError):
            read(file)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize('text', [
    'no yaml: [', '[]', 'rosbag2_bagfile_information: 3', '[' * 2000, ' ' * 2_000_000,
    'rosbag2_bagfile_information: {relative_file_paths: bag.mcap}',
    'rosbag2_bagfile_information: {relative_file_paths: []}',
    'rosbag2_bagfile_information: !!python/object/apply:os.system ["touch stolen"]',
    # Written out, its only name has a gigabyte.
    'rosbag2_bagfile_information: {x: [&a [y,y,y,y,y,y,y,y,y,y], '
    + ', '.join(f'&{b} [' + ','.join([f'*{a}'] * 10) + ']' for a, b in zip('abcdefgh', 'bcdefghi', strict=True))
    + '], relative_file_paths: [*i]}',
], ids=['broken', 'list', 'number', 'deep', 'large', 'text', 'empty', 'code', 'aliases'])
def test_metadata_that_is_none_is_refused(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    folder = bags.write(tmp_path / 'bag', RECORDED)
    (folder / 'metadata.yaml').write_text(text)
    with pytest.raises(BagError):
        BagReader(folder)
    assert not (tmp_path / 'stolen').exists()


@pytest.mark.parametrize('name', ['../other/other.mcap', '/tmp/../{outside}', '..', '.', ''])
def test_no_file_outside_of_the_bag_is_read_for_it(tmp_path, name):
    bags.write(tmp_path / 'other', RECORDED)
    folder = bags.write(tmp_path / 'bag', RECORDED)
    told = {'relative_file_paths': [name.format(outside=tmp_path / 'other/other.mcap')]}
    (folder / 'metadata.yaml').write_text(yaml.safe_dump({'rosbag2_bagfile_information': told}))
    with pytest.raises(BagError, match='no file'):
        BagReader(folder)


def test_what_is_no_bag_is_refused_and_no_pipe_is_waited_for(tmp_path):
    (tmp_path / 'text.mcap').write_text('hello')
    (tmp_path / 'empty').mkdir()
    os.mkfifo(tmp_path / 'pipe.mcap')
    for name in ('text.mcap', 'empty', 'pipe.mcap', 'absent'):
        with pytest.raises(BagError, match=name):
            BagReader(tmp_path / name)


def test_a_database_that_is_no_bag_or_a_damaged_one_is_refused(tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / 'other.db3') as database:
        database.execute('CREATE TABLE songs (name TEXT)')
        database.execute('CREATE VIEW messages AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) '
                         "SELECT id, 1 AS topic_id, id AS timestamp, x'00' AS data FROM n")
        database.execute('CREATE TABLE topics (id, name, type, serialization_format)')
    with pytest.raises(BagError, match='no bag'):
        BagReader(tmp_path / 'other.db3')
    folder = bags.write_foreign(tmp_path / 'bag', bags.messages(400), plugin=StoragePlugin.SQLITE3)
    content = bytearray((folder / 'bag.db3').read_bytes())
    content[len(content) // 4:len(content) // 2] = b'\xff' * (len(content) // 2 - len(content) // 4)
    (folder / 'bag.db3').write_bytes(content)
    with pytest.raises(BagError):
        read(folder)
