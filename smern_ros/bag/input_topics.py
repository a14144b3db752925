# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which of a bag's topics go into the graph, and as what."""
from __future__ import annotations

from collections.abc import Collection, Sequence

from smern_ros.bag.contents import Topic
from smern_ros.bag.definitions import Definitions
from smern_ros.bag.errors import BagError
from smern_ros.bag.reader import MAX_TOLD, BagReader
from smern_ros.ros import topics
from smern_ros.ros.streams import STREAMS, Role, Stream

IMAGES = tuple(stream for stream in STREAMS if stream.role is Role.IMAGES)
SOUND = tuple(stream for stream in STREAMS if stream.topic == topics.AUDIO)
ABOUT_SOUND = tuple(stream for stream in STREAMS if stream.role is Role.SOUND and stream.topic != topics.AUDIO)


def find(bag: BagReader, *, image: str = '', audio: str = '', robot_speaking: str = '') -> dict[str, Stream]:
    """The graph's input for each topic of the bag that is one, by the topic's name in the bag.

    What is of another type or encoding, or holds no message, is none; `bag.notes` gets what is left out.

    :param image: the name of the bag's topic with the camera; empty: as the graph calls it, in whatever namespace.
        Likewise `audio` and `robot_speaking`.
    :raises BagError: if there is neither camera nor sound, there are several, or a topic that is named is none.
    """
    found: dict[str, Stream] = {}
    for name, streams, option in ((image, IMAGES, '--image'), (audio, SOUND, '--audio')):
        found.update(_named(bag, name, streams) if name else _only(bag, streams, option))
    if not found:
        raise BagError(f'{bag.path} has no camera and no sound for the graph. '
                       f'Name them: --image, --audio. {has(bag)}')
    near = namespaces(found)
    for stream in ABOUT_SOUND:
        if stream.topic == topics.ROBOT_SPEAKING and robot_speaking:
            found.update(_named(bag, robot_speaking, [stream]))
        else:
            found.update(of(bag, stream, near))
    require_same_version(bag, list(found))
    return found


def namespaces(found: dict[str, Stream]) -> set[str]:
    """Where else to look for what belongs to these inputs."""
    return {'', *(_namespace(name, [stream]) for name, stream in found.items())}


def of(bag: BagReader, stream: Stream, near: Collection[str]) -> dict[str, Stream]:
    """The topic of the graph in the bag, if it is there with messages, in one of these namespaces.

    What only our graph publishes may be in another one, too, if it is the only one.
    """
    there = {_namespace(name, [stream]): name for name in _called(bag, [stream])}
    if len(there) == 1 and stream.role in (Role.EVIDENCE, Role.STATES):
        near = there
    for namespace in sorted(there.keys() & set(near), key=lambda one: (one == '', one)):
        return {there[namespace]: stream}
    return {}


def has(bag: BagReader) -> str:
    """What there is, for whoever must choose, and why there is not more."""
    listed = ', '.join(f'{t.name} ({_what(t)}, {t.count} messages)' for t in list(bag.topics.values())[:30])
    return '. '.join([f'It has {listed}' if listed else 'It has no topics', *map(str, bag.problems[:MAX_TOLD])])


def require_same_version(bag: BagReader, names: list[str]) -> None:
    """:raises BagError: if a topic's messages had other fields when they were recorded than they have now."""
    definitions = Definitions()
    for name in names:
        told = bag.hashes.get(name, '')
        type_name = bag.topics[name].type_name
        if told.startswith('RIHS01_') and told != definitions.of(type_name).hash:
            raise BagError(f'{bag.path}: {name} was recorded with another version of {type_name} than this one')


def _only(bag: BagReader, streams: Sequence[Stream], option: str) -> dict[str, Stream]:
    """The topics of these names in one namespace, that without a name first; each stream once."""
    called = _called(bag, streams)
    spaces = {_namespace(name, streams) for name in called}
    if '' not in spaces and len(spaces) > 1:
        raise BagError(f'{bag.path} has {" and ".join(called)}; name one: {option}')
    chosen: dict[str, tuple[str, Stream]] = {}
    for name, stream in sorted(called.items(), key=lambda one: not one[0].endswith(f'/{one[1].topic}')):
        if '' not in spaces or not _namespace(name, streams):
            chosen.setdefault(stream.topic, (name, stream))
    return dict(chosen.values())


def _called(bag: BagReader, streams: Sequence[Stream]) -> dict[str, Stream]:
    """What is called like one of these streams, is of their type, and holds messages; by name."""
    found: dict[str, Stream] = {}
    for topic in bag.topics.values():
        if not any(topic.name.endswith(f'/{stream.topic}') for stream in streams):
            continue
        stream = _taking(topic, streams)
        if stream is not None and topic.count:
            found[topic.name] = stream
        else:
            note = f'{topic.name} is left out: it ' + ('holds no message' if stream else f'is of {_what(topic)}')
            if note not in bag.notes:
                bag.notes.append(note)
    return found


def _named(bag: BagReader, name: str, streams: Sequence[Stream]) -> dict[str, Stream]:
    """The topic of that name. Where a camera is named that holds no raw images, its compressed ones.

    :raises BagError: if it is not there, is of a type that is not known here, or holds no message.
    """
    full = '/' + name.strip('/')
    compressed = bag.topics.get(f'{full}/compressed') if streams is IMAGES else None
    topic = bag.topics.get(full) or bag.topics.get(name)
    if compressed is not None and compressed.count and (topic is None or not topic.count):
        topic = compressed
    if topic is None:
        raise BagError(f'{bag.path} has no topic {name}. {has(bag)}')
    stream = _taking(topic, streams)
    if stream is None:
        wanted = ' or '.join(stream.type_name for stream in streams)
        raise BagError(f'{bag.path}: {topic.name} has type {_what(topic)}; expected {wanted}')
    if not topic.count:
        raise BagError(f'{bag.path}: {topic.name} holds no message. {has(bag)}')
    return {topic.name: stream}


def _taking(topic: Topic, streams: Sequence[Stream]) -> Stream | None:
    for stream in streams:
        if stream.type_name == topic.type_name and topic.encoding == 'cdr':
            return stream
    return None


def _namespace(name: str, streams: Sequence[Stream]) -> str:
    """Of a topic that is called like one of these streams; of another: where it lies."""
    for stream in sorted(streams, key=lambda stream: -len(stream.topic)):
        if name.endswith(f'/{stream.topic}'):
            return name.removesuffix(f'/{stream.topic}')
    return name.rpartition('/')[0]


def _what(topic: Topic) -> str:
    encoding = '' if topic.encoding == 'cdr' else f' in {topic.encoding[:40]}'
    return (topic.type_name[:80] or 'an unknown type') + encoding
