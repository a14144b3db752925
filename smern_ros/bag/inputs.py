"""Which of a bag's topics go into the graph, and as what."""
from __future__ import annotations

from smern_ros.bag.contents import Topic
from smern_ros.bag.definitions import Definitions
from smern_ros.bag.errors import BagError
from smern_ros.bag.reader import BagReader
from smern_ros.nodes import topics
from smern_ros.nodes.streams import STREAMS, Role, Stream

ROLES = (Role.IMAGES, Role.SOUND)


def find(bag: BagReader, *, image: str = '', audio: str = '', robot_speaking: str = '') -> dict[str, Stream]:
    """The graph's input for each topic of the bag that is one, by the topic's name in the bag.

    :param image: the name of the bag's topic with the camera; empty: as the graph calls it, in whatever namespace.
        Likewise `audio` and `robot_speaking`.
    :raises BagError: if there is neither camera nor sound, or a topic is of a type that the graph does not take.
    """
    found: dict[str, Stream] = {}
    named = {topics.IMAGE: image, topics.IMAGE_COMPRESSED: image, topics.AUDIO: audio,
             topics.ROBOT_SPEAKING: robot_speaking}
    for stream in STREAMS:
        if stream.role in ROLES and not named.get(stream.topic):
            found.update(dict.fromkeys(of(bag, stream), stream))
    for name in filter(None, (image, audio, robot_speaking)):
        topic = _named(bag, name)
        found[topic.name] = _taking(bag, topic, [s for s in STREAMS if named.get(s.topic) == name])
    if not any(stream.topic in (topics.IMAGE, topics.IMAGE_COMPRESSED, topics.AUDIO) for stream in found.values()):
        raise BagError(f'{bag.path} has no camera and no sound for the graph. Name them: --image, --audio. {has(bag)}')
    require_same_version(bag, list(found))
    return found


def of(bag: BagReader, stream: Stream) -> list[str]:
    """The name of a topic of the graph in the bag, if it is there.

    :raises BagError: if it is there in several namespaces, or of another type.
    """
    names = [name for name in bag.topics if name == f'/{stream.topic}' or name.endswith(f'/{stream.topic}')]
    if f'/{stream.topic}' in names:
        names = [f'/{stream.topic}']
    if len(names) > 1:
        raise BagError(f'{bag.path} has {" and ".join(names)}; name one: --image, --audio, --robot-speaking')
    for name in names:
        _taking(bag, bag.topics[name], [stream])
    return names


def has(bag: BagReader) -> str:
    """What there is, for whoever must choose."""
    listed = ', '.join(f'{t.name} ({t.type_name})' for t in list(bag.topics.values())[:30])
    return f'It has {listed}' if listed else 'It has no topics'


def require_same_version(bag: BagReader, names: list[str]) -> None:
    """:raises BagError: if a topic's messages had other fields when they were recorded than they have now."""
    definitions = Definitions()
    for name in names:
        told = bag.hashes.get(name, '')
        type_name = bag.topics[name].type_name
        if told.startswith('RIHS01_') and told != definitions.of(type_name).hash:
            raise BagError(f'{bag.path}: {name} was recorded with another version of {type_name} than this one')


def _named(bag: BagReader, name: str) -> Topic:
    topic = bag.topics.get(name) or bag.topics.get(f'/{name}')
    if topic is None:
        raise BagError(f'{bag.path} has no topic {name}. {has(bag)}')
    return topic


def _taking(bag: BagReader, topic: Topic, streams: list[Stream]) -> Stream:
    for stream in streams:
        if stream.type_name == topic.type_name:
            return stream
    wanted = ' or '.join(stream.type_name for stream in streams)
    raise BagError(f'{bag.path}: {topic.name} is of {topic.type_name[:80]}, which is not known here; wanted {wanted}')
