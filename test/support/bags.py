"""Bags for tests: what was said, as messages in CDR, and bags of it as others write them."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from smern_ros.bag.definitions import Definitions
from smern_ros.bag.writer import BagWriter
from smern_ros.share import share

AUDIO, STATE = '/audio', '/emotion_state'
TYPES = {AUDIO: 'smern_ros/msg/AudioChunk', STATE: 'smern_ros/msg/EmotionState'}
START_NS = 1_700_000_000_000_000_000
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
                ['audio'], np.ones(1, np.float32), np.zeros(1, np.float32), p, 0.1, 'größer',
            )
        topic = AUDIO if k % 2 == 0 else STATE
        made.append((topic, now_ns, bytes(types.serialize_cdr(message, TYPES[topic]))))
    return made


def write(folder: Path, recorded: Sequence[Recorded]) -> Path:
    """By our writer."""
    with BagWriter(folder, about={'recorded_by': 'a test'}) as bag:
        for topic, type_name in TYPES.items():
            bag.add_topic(topic, type_name, QOS)
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
