# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
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
from mcap.data_stream import RecordBuilder
from mcap.records import Channel, DataEnd, Footer, Header, Message, Schema
from mcap.writer import CompressionType, IndexType
from rosbags.rosbag2 import CompressionMode, StoragePlugin
from support import bags

from smern_ros.bag import mcap_file, order
from smern_ros.bag.contents import CutOff
from smern_ros.bag.definitions import Definitions
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


LAYOUTS = {
    'indexed': {},
    'no message index': {'index_types': IndexType.CHUNK},
    'no index': {'index_types': IndexType.NONE},
    'topics told once': {'repeat_channels': False, 'repeat_schemas': False},
    'no summary': {'index_types': IndexType.NONE, 'repeat_channels': False, 'repeat_schemas': False,
                   'use_statistics': False, 'use_summary_offsets': False},
    'no chunks': {'use_chunking': False},
    'fastwrite': {'use_chunking': False, 'index_types': IndexType.NONE, 'repeat_channels': False,
                  'repeat_schemas': False, 'use_statistics': False, 'use_summary_offsets': False, 'enable_crcs': False},
}


@pytest.mark.parametrize('method', CompressionType)
@pytest.mark.parametrize('layout', LAYOUTS.values(), ids=LAYOUTS)
def test_all_layouts_of_mcap_files_are_read(tmp_path, layout, method):
    file = bags.write_mcap(tmp_path / 'bag.mcap', RECORDED, compression=method, chunk_size=3000, **layout)
    assert read(file) == RECORDED
    assert {name: topic.count for name, topic in BagReader(file).topics.items()} == dict.fromkeys(bags.TYPES, 6)


def test_what_tells_of_a_topic_may_come_after_its_messages(tmp_path):
    file = RecordBuilder()
    Header('ros2', '').write(file)
    Message(1, 7, b'first', 7, 0).write(file)
    Channel(1, '/audio', 'cdr', {}, 1).write(file)
    Schema(1, b'', 'ros2msg', bags.TYPES['/audio']).write(file)
    Message(1, 8, b'second', 8, 0).write(file)
    DataEnd(0).write(file)
    Footer(0, 0, 0).write(file)
    (tmp_path / 'bag.mcap').write_bytes(MAGIC + file.end() + MAGIC)
    assert read(tmp_path / 'bag.mcap') == [('/audio', 7, b'first'), ('/audio', 8, b'second')]
    assert BagReader(tmp_path / 'bag.mcap').topics['/audio'].type_name == bags.TYPES['/audio']


# --- several files --------------------------------------------------------------------------------------------------

SAME_TIME = [(topic, bags.START_NS, data) for topic, _, data in RECORDED]
"""So that the order of the files is all that there is."""


def split(folder, numbers, recorded=SAME_TIME, suffix='mcap'):
    """A file for each message."""
    folder.mkdir(exist_ok=True)
    write = bags.write_mcap if suffix == 'mcap' else bags.write_db3
    return [write(folder / f'bag_{number}.{suffix}', [one]).name
            for number, one in zip(numbers, recorded, strict=False)]


@pytest.mark.parametrize('suffix', ['mcap', 'db3'])
def test_files_without_metadata_are_read_in_the_order_of_their_numbers(tmp_path, suffix):
    split(tmp_path / 'bag', range(12), suffix=suffix)
    assert read(tmp_path / 'bag') == SAME_TIME


@pytest.mark.parametrize('version', [4, 5, 8, 9])
def test_files_are_read_in_the_order_of_the_metadata_of_any_version(tmp_path, version):
    names = split(tmp_path / 'bag', [10, 2, 1, 0])
    bags.write_metadata(tmp_path / 'bag', [f'bag/{name}' for name in names] if version < 5 else names, version)
    assert read(tmp_path / 'bag') == SAME_TIME[:4]


@pytest.mark.parametrize('path', ['bag\\{}', 'C:\\Users\\me\\bag\\{}', './{}', '/elsewhere/bag/{}'])
def test_paths_of_windows_and_of_other_folders_name_files_of_this_one(tmp_path, path):
    names = split(tmp_path / 'bag', [1, 0])
    bags.write_metadata(tmp_path / 'bag', [path.format(name) for name in names])
    bag = BagReader(tmp_path / 'bag')
    assert [(m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics)] == SAME_TIME[:2]
    assert bag.notes == []


def test_a_file_that_the_metadata_does_not_tell_is_read_last_and_it_is_said(tmp_path):
    names = split(tmp_path / 'bag', [3, 2, 11])
    bags.write_metadata(tmp_path / 'bag', names[:2])
    bag = BagReader(tmp_path / 'bag')
    assert [m.data for m in bag.messages(bag.topics)] == [data for _, _, data in SAME_TIME[:3]]
    assert bag.notes == [f'{tmp_path}/bag/bag_11.mcap is not listed in metadata.yaml; playing it, too']


def test_a_file_that_is_missing_costs_what_was_in_it_and_it_is_said(tmp_path):
    names = split(tmp_path / 'bag', [0, 1, 2])
    bags.write_metadata(tmp_path / 'bag', names)
    (tmp_path / 'bag/bag_1.mcap').unlink()
    bag, got = BagReader(tmp_path / 'bag'), []
    with pytest.raises(BagError, match='no file .*bag_1.mcap'):
        got.extend(m.data for m in bag.messages(bag.topics))
    assert got == [SAME_TIME[0][2], SAME_TIME[2][2]]


@pytest.mark.parametrize('told', [True, False])
def test_hidden_files_of_other_systems_are_no_part_of_a_bag(tmp_path, told):
    names = split(tmp_path / 'bag', [0, 1])
    for name in names:
        (tmp_path / 'bag' / f'._{name}').write_bytes(b'\0\x05\x16\x07Mac OS X')
    (tmp_path / 'bag/.DS_Store').write_bytes(b'\0')
    if told:
        bags.write_metadata(tmp_path / 'bag', names)
    assert read(tmp_path / 'bag') == SAME_TIME[:2]


@pytest.mark.parametrize('content', [
    b'', MAGIC[:5], MAGIC, MAGIC + b'\x01\x10\0\0', b'SQLite', b'SQLite format 3\0', b'xyz',
])
@pytest.mark.parametrize('number', [0, 1, 2])
def test_an_unfinished_file_ends_nothing(tmp_path, content, number):
    names = split(tmp_path / 'bag', [k for k in range(3) if k != number])
    (tmp_path / f'bag/bag_{number}.mcap').write_bytes(content)
    bags.write_metadata(tmp_path / 'bag', sorted([*names, f'bag_{number}.mcap']))
    bag, got = BagReader(tmp_path / 'bag'), []
    with pytest.raises(BagError, match=f'bag_{number}.mcap'):
        got.extend((m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics))
    assert got == SAME_TIME[:2]


@pytest.mark.parametrize('plugin', StoragePlugin)
def test_files_that_are_compressed_as_a_whole_are_refused_with_what_to_do(tmp_path, plugin):
    folder = bags.write_foreign(tmp_path / 'bag', RECORDED, plugin=plugin, compression=CompressionMode.FILE)
    (file,) = folder.glob('*.zstd')
    for path in (folder, file):
        with pytest.raises(BagError, match=f'unzstd {file}'):
            BagReader(path)
    unpacked = zstd.decompress(file.read_bytes())
    file.with_suffix('').write_bytes(unpacked)  # which is what unzstd does
    assert read(folder) == RECORDED
    (folder / 'metadata.yaml').unlink()
    assert read(folder) == RECORDED
    file.with_suffix('').unlink()
    split(folder, [7])
    with pytest.raises(BagError, match=f'unzstd {file}'):  # one of several
        BagReader(folder)


@pytest.mark.parametrize('plugin', StoragePlugin)
def test_compressed_messages_are_known_without_metadata(tmp_path, plugin):
    folder = bags.write_foreign(tmp_path / 'bag', RECORDED, plugin=plugin, compression=CompressionMode.MESSAGE)
    (folder / 'metadata.yaml').unlink()
    (file,) = folder.iterdir()
    assert read(folder) == read(file) == RECORDED
    other = tmp_path / 'mixed.mcap'
    bags.write_mcap(other, [(t, n, zstd.compress(d) if k % 3 else d) for k, (t, n, d) in enumerate(RECORDED)])
    assert read(other) == RECORDED


@pytest.mark.parametrize('write', [bags.write, lambda *a: bags.write_foreign(*a, plugin=StoragePlugin.SQLITE3)])
def test_the_versions_of_types_are_known_without_metadata(tmp_path, write):
    folder = write(tmp_path / 'bag', RECORDED)
    (folder / 'metadata.yaml').unlink()
    assert BagReader(folder).hashes == {
        topic: Definitions().of(type_name).hash for topic, type_name in bags.TYPES.items()}


def test_a_message_that_is_packed_badly_costs_itself(tmp_path):
    broken = [(t, n, zstd.compress(d)[:-9] if k == 4 else d) for k, (t, n, d) in enumerate(RECORDED)]
    bag, got = BagReader(bags.write_mcap(tmp_path / 'bag.mcap', broken)), []
    with pytest.raises(BagError, match='a message of /audio .* is damaged'):
        got.extend((m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics))
    assert got == RECORDED[:4] + RECORDED[5:]


@pytest.mark.parametrize('text', [
    '', '\n', 'no yaml: [', '[]', 'rosbag2_bagfile_information: 3', '[' * 2000, ' ' * 2_000_000, '\0', 'a: \xff',
    'rosbag2_bagfile_information:', 'rosbag2_bagfile_information: {version: 9}',
    'rosbag2_bagfile_information: {relative_file_paths: bag.mcap}',
    'rosbag2_bagfile_information: {relative_file_paths: []}',
    'rosbag2_bagfile_information: !!python/object/apply:os.system ["touch stolen"]',
    # Written out, its only name has a gigabyte.
    'rosbag2_bagfile_information: {x: [&a [y,y,y,y,y,y,y,y,y,y], '
    + ', '.join(f'&{b} [' + ','.join([f'*{a}'] * 10) + ']' for a, b in zip('abcdefgh', 'bcdefghi', strict=True))
    + '], relative_file_paths: [*i]}',
    # Merged, it has a thousand million million fields.
    'rosbag2_bagfile_information: {x: [&a {y: 1}, '
    + ', '.join(f'&{b} {{<<: [' + ','.join([f'*{a}'] * 10) + ']}'
                for a, b in zip('abcdefghijklmn', 'bcdefghijklmno', strict=True)) + ']}',
], ids=['empty', 'blank', 'broken', 'list', 'number', 'deep', 'large', 'zero', 'text', 'nothing', 'version', 'name',
        'no files', 'code', 'aliases', 'merges'])
def test_the_files_are_found_without_metadata_that_can_be_understood(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    split(tmp_path / 'bag', range(12))
    (tmp_path / 'bag/metadata.yaml').write_text(text, 'latin-1')
    bag = BagReader(tmp_path / 'bag')
    assert [(m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics)] == SAME_TIME
    assert len(bag.notes) == 1 and 'metadata.yaml' in bag.notes[0] and len(bag.notes[0]) < 500
    assert not (tmp_path / 'stolen').exists()


# --- order of time --------------------------------------------------------------------------------------------------

def by_topic():
    return sorted(RECORDED, key=lambda one: one[0])


def shaken():
    return [RECORDED[k] for k in (2, 0, 1, 4, 3, 7, 6, 5, 9, 11, 10, 8)]


@pytest.mark.parametrize('made', [lambda: RECORDED[::-1], by_topic, shaken], ids=['backwards', 'by topic', 'shaken'])
@pytest.mark.parametrize('layout', [
    {'chunk_size': 1}, {'chunk_size': 3000}, {}, {'index_types': IndexType.NONE, 'chunk_size': 3000},
    {'use_chunking': False},
], ids=['a chunk each', 'chunks', 'one chunk', 'no index', 'no chunks'])
def test_messages_come_in_the_order_of_time_however_they_lie_in_the_file(tmp_path, made, layout):
    assert read(bags.write_mcap(tmp_path / 'bag.mcap', made(), **layout)) == RECORDED


def test_messages_come_in_the_order_of_time_however_they_lie_in_the_files(tmp_path):
    split(tmp_path / 'bag', range(12), RECORDED[::-1])
    bags.write_db3(tmp_path / 'bag/bag_0.db3', RECORDED[::-1])  # of the same name as another: it is not read
    assert read(tmp_path / 'bag') == RECORDED
    assert read(tmp_path / 'bag/bag_0.db3') == RECORDED


def test_no_more_is_held_than_may_be_and_what_is_late_for_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(order, 'MAX_HELD', 5000)
    sound = [one for one in bags.messages(40) if one[0] == bags.AUDIO]
    mixed = [sound[k + 10 * turn] for k in range(10) for turn in range(2)]  # each chunk has early and late ones
    bag, got = BagReader(bags.write_mcap(tmp_path / 'bag.mcap', mixed, chunk_size=2000)), []
    with pytest.raises(BagError, match='some were played late'):
        got.extend((m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics))
    assert sorted(got, key=lambda one: one[1]) == sound


# --- databases that were not closed ---------------------------------------------------------------------------------

def test_what_is_still_in_the_log_of_a_database_is_read_and_nothing_is_changed(tmp_path):
    recorded = bags.messages(400)
    file = bags.write_db3(tmp_path / 'bag.db3', recorded, journal='wal')
    log = tmp_path / 'bag.db3-wal'
    before = file.read_bytes(), log.read_bytes()
    assert len(log.read_bytes()) > 100_000
    assert read(tmp_path) == read(file) == recorded
    assert before == (file.read_bytes(), log.read_bytes())


def test_what_is_in_the_log_is_read_on_a_disk_that_cannot_be_written_to(tmp_path):
    import subprocess

    recorded = bags.messages(40)
    disk = tmp_path / 'disk'
    disk.mkdir()
    bags.write_db3(disk / 'bag.db3', recorded, journal='wal')
    bags.write_db3(disk / 'closed.db3', recorded)
    mounted = subprocess.run(['mount', '--bind', disk, disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f'no disk can be mounted here: {mounted.stderr.strip()}')
    try:
        subprocess.run(['mount', '-o', 'remount,bind,ro', disk], check=True)
        assert read(disk / 'bag.db3') == recorded
        assert read(disk / 'closed.db3') == recorded
        assert sorted(file.name for file in disk.iterdir()) == ['bag.db3', 'bag.db3-wal', 'closed.db3']
    finally:
        subprocess.run(['umount', disk], check=True)


def test_a_transaction_that_was_not_finished_is_no_part_of_a_bag(tmp_path):
    import sqlite3

    file = bags.write_db3(tmp_path / 'bag.db3', RECORDED, journal='delete')
    database = sqlite3.connect(file, isolation_level=None)
    database.execute('PRAGMA cache_size = 1')  # so that it reaches the disk before it is finished
    database.execute('PRAGMA cache_spill = ON')
    database.execute('BEGIN')
    database.executemany('INSERT INTO messages (topic_id, timestamp, data) VALUES (1, 1, ?)', [(bytes(5000),)] * 50)
    (tmp_path / 'killed').mkdir()
    for name in ('bag.db3', 'bag.db3-journal'):
        shutil.copy(tmp_path / name, tmp_path / 'killed' / name)
    database.close()
    assert (tmp_path / 'killed/bag.db3').stat().st_size > 200_000
    assert read(tmp_path / 'killed') == RECORDED


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
    record(0x07, struct.pack('<HI', 0, 2**31) + b'abc'),
    chunk(zstd.compress(record(0x07, struct.pack('<HI', 0, 2**23) + bytes(2**23))), 2**23 + 15),  # an index in a chunk
    record(0x05, b'short'),
], ids=['huge', 'bomb', 'large', 'damaged', 'unknown', 'nested', 'topicless', 'name', 'index', 'packed index', 'short'])
def test_what_cannot_be_is_refused_before_memory_is_taken_for_it(tmp_path, monkeypatch, content):
    monkeypatch.setattr(mcap_file, 'MAX_FIELDS', 1 << 14)  # to be quick
    file = tmp_path / 'hostile.mcap'
    file.write_bytes(MAGIC + content)
    tracemalloc.start()
    try:
        with pytest.raises(BagError):
            read(file)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_a_chunk_of_too_many_messages_is_left_out_and_the_others_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(mcap_file, 'MAX_IN_CHUNK', 2)
    bag, got = BagReader(bags.write_mcap(tmp_path / 'bag.mcap', RECORDED[:7], chunk_size=3000)), []
    with pytest.raises(BagError, match='more than 2 messages in a chunk'):
        got.extend((m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics))
    assert got == RECORDED[5:7]


@pytest.mark.parametrize('name', ['../other/other.mcap', '/tmp/../{outside}', '..', '.', ''])
def test_no_file_outside_of_the_bag_is_read_for_it(tmp_path, name):
    bags.write(tmp_path / 'other', RECORDED)
    folder = bags.write(tmp_path / 'bag', [])
    told = {'relative_file_paths': [name.format(outside=tmp_path / 'other/other.mcap')]}
    (folder / 'metadata.yaml').write_text(yaml.safe_dump({'rosbag2_bagfile_information': told}))
    bag, got = BagReader(folder), []
    with pytest.raises(BagError, match='no file'):
        got.extend((m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics))
    assert got == []


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
    whole = (folder / 'bag.db3').read_bytes()
    content = bytearray(whole)
    content[len(content) // 4:len(content) // 2] = b'\xff' * (len(content) // 2 - len(content) // 4)
    (folder / 'bag.db3').write_bytes(content)
    with pytest.raises(BagError):
        read(folder)


@pytest.mark.parametrize('size', [20, 5000])
def test_a_database_that_is_cut_off_gives_what_is_whole_and_says_so(tmp_path, size):
    recorded = bags.messages(300, size)
    whole = bags.write_db3(tmp_path / 'whole.db3', recorded).read_bytes()
    file = tmp_path / 'bag.db3'
    most = 0
    for end in range(len(whole) // 3, len(whole), len(whole) // 70 + 1):  # within a page and between two
        file.write_bytes(whole[:end - end % 4096 if end % 2 else end])
        bag, got = BagReader(file), []
        with pytest.raises(CutOff, match='bag.db3 is damaged or cut off'):
            got.extend((m.topic.name, m.time_ns, m.data) for m in bag.messages(bag.topics))
        assert got == recorded[:len(got)]
        most = max(most, len(got))
    assert most > 200
