# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bags for tests: what was said, as messages in CDR, and bags of it as others write them."""
from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from mcap.writer import Writer as McapWriter
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from smern_ros.bag.definitions import Definitions
from smern_ros.bag.writer import BagWriter
from smern_ros.utils.resources import share

AUDIO, STATE = '/audio', '/emotion_state'
TYPES = {AUDIO: 'smern_ros/msg/AudioChunk', STATE: 'smern_ros/msg/EmotionState'}
START_NS = 1_700_000_000_000_000_000
PROFILE = {
    'history': 'keep_last', 'depth': 10, 'reliability': 'reliable', 'durability': 'transient_local',
    'deadline': {'sec': 0, 'nsec': 0}, 'lifespan': {'sec': 0, 'nsec': 0}, 'liveliness': 'automatic',
    'liveliness_lease_duration': {'sec': 0, 'nsec': 0}, 'avoid_ros_namespace_conventions': False,
}
QOS = Qos(
    QosHistory.KEEP_LAST, 10, QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL, QosTime(0, 0), QosTime(0, 0),
    QosLiveliness.AUTOMATIC, QosTime(0, 0), False,
)
Recorded = tuple[str, int, bytes]
"""Topic, time in ns, message in CDR."""


def store():
    """The message types, for rosbags: it needs no ROS to pack and unpack them."""
    types = get_typestore(Stores.ROS2_KILTED)
    for file in share('msg').glob('*.msg'):
        types.register(get_types_from_msg(file.read_text('utf-8'), f'smern_ros/msg/{file.stem}'))
    return types


def messages(count: int, size: int = 1024) -> list[Recorded]:
    """Sound and states by turns, each another. :param size: bytes of sound in a chunk."""
    types, rng = store(), np.random.default_rng(0)
    kinds = types.types
    made = []
    for k in range(count):
        now_ns = START_NS + k * 32_000_000
        stamp = kinds['builtin_interfaces/msg/Time'](now_ns // 10**9, now_ns % 10**9)
        header = kinds['std_msgs/msg/Header'](stamp, f'frame {k}')
        if k % 2 == 0:
            sound = rng.integers(0, 256, size, np.uint8)
            message = kinds[TYPES[AUDIO]](header, 16000, 1, 's16le', sound)
        else:
            p = rng.dirichlet(np.ones(4)).astype(np.float32)
            message = kinds[TYPES[STATE]](
                header, 'p1', f'u{k}', stamp, stamp, True, ['angry', 'happy', 'neutral', 'sad'], p, 'happy', 0.5,
                ['audio'], np.ones(1, np.float32), np.zeros(1, np.float32), p, 0.1, 'größer', ['skeleton'],
            )
        topic = AUDIO if k % 2 == 0 else STATE
        made.append((topic, now_ns, bytes(types.serialize_cdr(message, TYPES[topic]))))
    return made


def write(folder: Path, recorded: Sequence[Recorded]) -> Path:
    """By our writer."""
    with BagWriter(folder, about={'recorded_by': 'a test'}) as bag:
        for topic, type_name in TYPES.items():
            bag.add_topic(topic, type_name, PROFILE)
        for one in recorded:
            bag.write(*one)
    return folder


def write_foreign(
    folder: Path, recorded: Sequence[Recorded], *, plugin=StoragePlugin.MCAP, compression=CompressionMode.NONE,
    version=8, types: dict[str, str] = TYPES,
) -> Path:
    """As `ros2 bag` writes them: the other storage, older versions, compressed, other names and types."""
    definitions = Definitions()
    bag = Writer(folder, version=version, storage_plugin=plugin)
    bag.set_compression(compression, CompressionFormat.ZSTD)
    with bag:
        connections = {}
        for topic, type_name in types.items():
            definition = definitions.of(type_name)
            connections[topic] = bag.add_connection(
                topic, type_name, msgdef=definition.text, rihs01=definition.hash, offered_qos_profiles=[QOS]
            )
        for topic, time_ns, data in recorded:
            bag.write(connections[topic], time_ns, data)
    return folder


def write_mcap(
    file: Path, recorded: Sequence[Recorded], *, types: dict[str, str] = TYPES, encoding='cdr', **layout,
) -> Path:
    """One file by the mcap package. :param layout: of its Writer: chunks, compression, indexes."""
    with file.open('wb') as stream:
        writer = McapWriter(stream, **layout)
        writer.start('ros2')
        ids = {topic: writer.register_channel(topic, encoding, writer.register_schema(type_name, 'ros2msg', b''))
               for topic, type_name in types.items()}
        for topic, time_ns, data in recorded:
            writer.add_message(ids[topic], time_ns, data, time_ns)
        writer.finish()
    return file


def write_db3(file: Path, recorded: Sequence[Recorded], *, types: dict[str, str] = TYPES, journal='memory') -> Path:
    """One file with the tables of Humble. What is in its journal or log is in a copy beside it, as after a kill."""
    building = file.with_suffix('.building')
    database = sqlite3.connect(building, isolation_level=None)
    database.execute(f'PRAGMA journal_mode = {journal}')
    database.executescript(
        'CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL);'
        'CREATE TABLE metadata(id INTEGER PRIMARY KEY, metadata_version INTEGER NOT NULL, metadata TEXT NOT NULL);'
        'CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, '
        'serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL);'
        'CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, '
        'data BLOB NOT NULL);'
        'CREATE INDEX timestamp_idx ON messages (timestamp ASC);'
    )
    numbers = {topic: k for k, topic in enumerate(types, 1)}
    database.executemany("INSERT INTO topics VALUES (?, ?, ?, 'cdr', '')",
                         [(numbers[topic], topic, type_name) for topic, type_name in types.items()])
    half = len(recorded) // 2
    for k, part in enumerate((recorded[:half], recorded[half:])):
        database.execute('BEGIN')
        database.executemany('INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)',
                             [(numbers[topic], time_ns, data) for topic, time_ns, data in part])
        database.execute('COMMIT')
        if k == 0:
            database.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    for beside in ('', '-wal'):
        source = Path(f'{building}{beside}')
        if source.exists():
            Path(f'{file}{beside}').write_bytes(source.read_bytes())
    database.close()
    building.unlink()
    return file


def write_metadata(folder: Path, files: Sequence[str], version: int = 9, **more) -> None:
    """As `ros2 bag` of Foxy (4), Humble (5), Iron (8) or Jazzy and Kilted (9) writes it."""
    qos = yaml.safe_dump([PROFILE]) if version < 9 else [PROFILE]
    told = {
        'version': version, 'storage_identifier': 'mcap', 'duration': {'nanoseconds': 1},
        'starting_time': {'nanoseconds_since_epoch': START_NS}, 'message_count': 12,
        'topics_with_message_count': [
            {'topic_metadata': {'name': topic, 'type': type_name, 'serialization_format': 'cdr',
                                'offered_qos_profiles': qos}, 'message_count': 6}
            for topic, type_name in TYPES.items()],
        'compression_format': '', 'compression_mode': '', 'relative_file_paths': list(files), **more,
    }
    (folder / 'metadata.yaml').write_text(yaml.safe_dump({'rosbag2_bagfile_information': told}))
