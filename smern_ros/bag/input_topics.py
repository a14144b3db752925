# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds the topics of a bag that are inputs of the graph."""
from __future__ import annotations

from collections.abc import Collection, Sequence

from smern_ros.bag.contents import Topic
from smern_ros.bag.definitions import Definitions
from smern_ros.bag.errors import BagError
from smern_ros.bag.reader import MAX_REPORTED, BagReader
from smern_ros.ros import topics
from smern_ros.ros.streams import STREAMS, Role, Stream

IMAGES = tuple(stream for stream in STREAMS if stream.role is Role.IMAGES)
SOUND = tuple(stream for stream in STREAMS if stream.topic == topics.AUDIO)
SPEECH_INPUTS = tuple(stream for stream in STREAMS if stream.role is Role.SOUND and stream.topic != topics.AUDIO)


def find(bag: BagReader, *, image: str = '', audio: str = '', robot_speaking: str = '') -> dict[str, Stream]:
    """Inputs of the graph in the bag, by the topic's name in the bag.

    Topics of another type or encoding, and those without messages, are ignored with a note in `bag.notes`.

    :param image: the camera's topic in the bag; empty: the name in the graph, in any namespace.
        Likewise `audio` and `robot_speaking`.
    :raises BagError: if there is neither camera nor audio, there are several, or a given topic is no such input.
    """
    found: dict[str, Stream] = {}
    for name, streams, option in ((image, IMAGES, '--image'), (audio, SOUND, '--audio')):
        found.update(_named(bag, name, streams) if name else _only(bag, streams, option))
    if not found:
        raise BagError(f'{bag.path} has no camera and no audio for the graph. '
                       f'Name them: --image, --audio. {has(bag)}')
    near = namespaces(found)
    for stream in SPEECH_INPUTS:
        if stream.topic == topics.ROBOT_SPEAKING and robot_speaking:
            found.update(_named(bag, robot_speaking, [stream]))
        else:
            found.update(of(bag, stream, near))
    require_same_version(bag, list(found))
    return found


def namespaces(found: dict[str, Stream]) -> set[str]:
    """Namespaces of these inputs, and the empty one."""
    return {'', *(_namespace(name, [stream]) for name, stream in found.items())}


def of(bag: BagReader, stream: Stream, near: Collection[str]) -> dict[str, Stream]:
    """The topic of the graph in the bag, if it has messages, in one of the namespaces `near`.

    A topic that only the graph publishes may also be in another namespace, if there is only one such topic.
    """
    by_namespace = {_namespace(name, [stream]): name for name in _candidates(bag, [stream])}
    if len(by_namespace) == 1 and stream.role in (Role.EVIDENCE, Role.STATES):
        near = by_namespace
    for namespace in sorted(by_namespace.keys() & set(near), key=lambda one: (one == '', one)):
        return {by_namespace[namespace]: stream}
    return {}


def has(bag: BagReader) -> str:
    """Text that lists the topics and problems of the bag, for error messages."""
    listed = ', '.join(f'{t.name} ({_type(t)}, {t.count} messages)' for t in list(bag.topics.values())[:30])
    return '. '.join([f'It has {listed}' if listed else 'It has no topics', *map(str, bag.problems[:MAX_REPORTED])])


def require_same_version(bag: BagReader, names: list[str]) -> None:
    """:raises BagError: if the type of a topic had other fields at the time of recording."""
    definitions = Definitions()
    for name in names:
        recorded = bag.hashes.get(name, '')
        type_name = bag.topics[name].type_name
        if recorded.startswith('RIHS01_') and recorded != definitions.of(type_name).hash:
            raise BagError(f'{bag.path}: {name} was recorded with another version of {type_name}; '
                           'replay it with that version of its package')


def _only(bag: BagReader, streams: Sequence[Stream], option: str) -> dict[str, Stream]:
    """The topics of these streams in one namespace, preferably the empty one; each stream once."""
    candidates = _candidates(bag, streams)
    spaces = {_namespace(name, streams) for name in candidates}
    if '' not in spaces and len(spaces) > 1:
        raise BagError(f'{bag.path} has {" and ".join(candidates)}; choose one by {option}')
    chosen: dict[str, tuple[str, Stream]] = {}
    for name, stream in sorted(candidates.items(), key=lambda one: not one[0].endswith(f'/{one[1].topic}')):
        if '' not in spaces or not _namespace(name, streams):
            chosen.setdefault(stream.topic, (name, stream))
    return dict(chosen.values())


def _candidates(bag: BagReader, streams: Sequence[Stream]) -> dict[str, Stream]:
    """Topics with the name and type of one of these streams, and with messages; by name."""
    found: dict[str, Stream] = {}
    for topic in bag.topics.values():
        if not any(topic.name.endswith(f'/{stream.topic}') for stream in streams):
            continue
        stream = _matching(topic, streams)
        if stream is not None and topic.count:
            found[topic.name] = stream
        else:
            note = f'ignoring {topic.name}: it has ' + ('no messages' if stream else f'type {_type(topic)}')
            if note not in bag.notes:
                bag.notes.append(note)
    return found


def _named(bag: BagReader, name: str, streams: Sequence[Stream]) -> dict[str, Stream]:
    """The topic of that name; for a camera without raw images, its compressed ones.

    :raises BagError: if it does not exist, has another type, or has no messages.
    """
    full = '/' + name.strip('/')
    compressed = bag.topics.get(f'{full}/compressed') if streams is IMAGES else None
    topic = bag.topics.get(full) or bag.topics.get(name)
    if compressed is not None and compressed.count and (topic is None or not topic.count):
        topic = compressed
    if topic is None:
        raise BagError(f'{bag.path} has no topic {name}. {has(bag)}')
    stream = _matching(topic, streams)
    if stream is None:
        wanted = ' or '.join(stream.type_name for stream in streams)
        raise BagError(f'{bag.path}: {topic.name} has type {_type(topic)}; expected {wanted}')
    if not topic.count:
        raise BagError(f'{bag.path}: {topic.name} has no messages. {has(bag)}')
    return {topic.name: stream}


def _matching(topic: Topic, streams: Sequence[Stream]) -> Stream | None:
    for stream in streams:
        if stream.type_name == topic.type_name and topic.encoding == 'cdr':
            return stream
    return None


def _namespace(name: str, streams: Sequence[Stream]) -> str:
    """Namespace of a topic: its name without that of one of these streams, else without the last part."""
    for stream in sorted(streams, key=lambda stream: -len(stream.topic)):
        if name.endswith(f'/{stream.topic}'):
            return name.removesuffix(f'/{stream.topic}')
    return name.rpartition('/')[0]


def _type(topic: Topic) -> str:
    encoding = '' if topic.encoding == 'cdr' else f' in {topic.encoding[:40]}'
    return (topic.type_name[:80] or 'an unknown type') + encoding
