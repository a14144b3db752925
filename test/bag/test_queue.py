# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Between the network and the disk: bounded, in order, and nothing lost in secret."""
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.bag.queue import BoundedQueue, Received


@given(st.integers(0, 5000), st.lists(st.one_of(st.none(), st.integers(0, 2000)), max_size=40))
def test_what_is_in_comes_out_in_order_and_what_found_no_room_is_counted(limit, steps):
    queue, taken, came = BoundedQueue(limit), [], 0
    held = []
    for size in steps:
        if size is None:
            if held:
                taken.append(queue.take().time_ns)
                assert taken[-1] == held.pop(0)[0]
            continue
        fits = sum(s for _, s in held) + size <= limit
        queue.put(Received('/audio', came, bytes(size)))
        if fits:
            held.append((came, size))
        came += 1
        assert sum(s for _, s in held) <= limit
    queue.close()
    while (received := queue.take()) is not None:
        taken.append(received.time_ns)
    assert taken == sorted(taken)
    assert len(taken) + queue.dropped['/audio'] == came


def test_after_closing_what_waits_still_comes_and_nothing_new_goes_in():
    queue = BoundedQueue(100)
    queue.put(Received('/audio', 1, b'a'))
    queue.close()
    queue.put(Received('/audio', 2, b'b'))
    assert queue.take().time_ns == 1
    assert queue.take() is None
    assert queue.dropped['/audio'] == 1
