# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Children are kept alive, shown, and never left behind. Real processes; what they write is what tests wait for."""
from __future__ import annotations

import asyncio
import errno
import os
import queue
import select
import signal
import subprocess
import sys
import time

import pytest

from smern_ros.deploy.supervisor import LONGEST_LINE, Backoff, Child, Supervisor, describe_exit

QUICK = Backoff(first=0.01, longest=0.02)
STAYS = 'import signal; print("up", flush=True); signal.pause()'
STUBBORN = 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); ' + STAYS
WAIT = 20.0


def python(name: str, code: str, **kwargs) -> Child:
    return Child(name, [sys.executable, '-c', code], **kwargs)


class Lines:
    """What children wrote, in order."""

    def __init__(self):
        self._lines = queue.Queue()

    def __call__(self, name: str, line: str) -> None:
        self._lines.put((name, line))

    def next(self) -> tuple[str, str]:
        return self._lines.get(timeout=WAIT)

    def until(self, name: str, part: str) -> list[tuple[str, str]]:
        seen = []
        while not seen or seen[-1][0] != name or part not in seen[-1][1]:
            seen.append(self.next())
        return seen


def is_running(pid: int) -> bool:
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(WAIT * 1000), f'{pid} still runs'
    finally:
        os.close(descriptor)


def test_every_line_comes_with_the_name_of_its_writer():
    lines = Lines()
    with Supervisor([python('a', 'print("one\\ntwo", end="")', may_finish=True)], output=lines) as supervisor:
        assert supervisor.wait(WAIT) == 0
    assert lines.until('smern', 'a has finished') == [('a', 'one'), ('a', 'two'), ('smern', 'a has finished')]


def test_output_without_an_end_of_line_is_shown_and_not_kept():
    lines, much = Lines(), 8 << 20
    code = f'import sys; sys.stdout.write("x" * {much}); sys.stdout.flush(); {STAYS}'
    with Supervisor([python('a', code)], output=lines):
        shown = 0
        while shown < much - LONGEST_LINE:  # while the child runs and no line has ended
            name, line = lines.next()
            assert name == 'a' and len(line) <= 3 * LONGEST_LINE
            shown += len(line)


def test_a_stop_that_is_asked_for_before_the_start_is_not_lost():
    supervisor = Supervisor([python('a', STAYS)], output=Lines())
    supervisor.request_stop()
    supervisor.start()
    code = supervisor.wait(WAIT)
    supervisor.stop()
    assert code == 0


def test_a_killed_child_is_started_again_and_it_is_said():
    lines = Lines()
    with Supervisor([python('a', STAYS)], output=lines, backoff=QUICK) as supervisor:
        lines.until('a', 'up')
        first = supervisor.pids['a']
        os.kill(first, signal.SIGKILL)
        assert lines.until('smern', 'died')[-1][1] == 'a died (killed by SIGKILL); starting it again in 0.01 s'
        lines.until('a', 'up')
        assert supervisor.pids['a'] != first


def test_a_child_that_died_is_started_by_its_other_command():
    lines, first, again = Lines(), 'print("first"); raise SystemExit(1)', 'print("again", flush=True); ' + STAYS
    child = python('a', first, command_again=[sys.executable, '-c', again])
    with Supervisor([child], output=lines, backoff=QUICK):
        assert ('a', 'first') in lines.until('a', 'again')


def test_a_child_that_must_run_is_started_again_even_if_it_ends_without_error():
    lines = Lines()
    with Supervisor([python('a', 'pass')], output=lines, backoff=QUICK):
        assert 'exit code 0' in lines.until('smern', 'a died')[-1][1]
        lines.until('smern', 'a died')


def test_waits_grow_up_to_a_limit():
    backoff = Backoff(first=0.5, factor=2, longest=3)
    assert [backoff.delay(n) for n in (1, 2, 3, 4, 5, 10_000)] == [0.5, 1, 2, 3, 3, 3]


def test_a_child_that_ran_well_for_long_is_started_again_soon():
    lines = Lines()
    patient = Backoff(first=0.01, factor=1000, longest=WAIT, healthy_after=0.0)
    with Supervisor([python('a', 'raise SystemExit(7)')], output=lines, backoff=patient):
        for _ in range(3):
            assert lines.until('smern', 'a died')[-1][1].endswith('in 0.01 s')


def test_a_configuration_error_stops_everything_with_its_exit_code():
    lines = Lines()
    with Supervisor([python('a', STAYS), python('b', 'raise SystemExit(2)')], output=lines) as supervisor:
        assert supervisor.wait(WAIT) == 2
        assert supervisor.pids == {}
    assert 'stopping' in lines.until('smern', 'b cannot run as it is configured')[-1][1]


def test_a_program_that_does_not_exist_is_a_configuration_error():
    lines = Lines()
    with Supervisor([Child('a', ['/no/such/program'])], output=lines) as supervisor:
        assert supervisor.wait(WAIT) == 2
    assert '/no/such/program' in lines.until('smern', 'a cannot be started')[-1][1]


def test_the_others_go_on_without_an_optional_child_that_cannot_be_configured():
    lines = Lines()
    children = [python('a', STAYS), python('b', 'raise SystemExit(2)', optional=True)]
    with Supervisor(children, output=lines) as supervisor:
        lines.until('smern', 'going on without it')
        assert supervisor.wait(0) is None
        assert supervisor.stop() == 0


def test_even_stubborn_children_are_gone_within_three_seconds():
    lines = Lines()
    supervisor = Supervisor([python('a', STUBBORN), python('b', STAYS), python('c', STUBBORN)], output=lines)
    supervisor.start()
    assert {lines.next()[0] for _ in range(3)} == {'a', 'b', 'c'}
    pids = supervisor.pids
    began = time.monotonic()
    assert supervisor.stop() == 0
    assert time.monotonic() - began < 3.0
    assert not any(is_running(pid) for pid in pids.values())


def test_a_stop_does_not_wait_for_a_restart_that_is_due_later():
    lines = Lines()
    with Supervisor([python('a', 'raise SystemExit(1)')], output=lines, backoff=Backoff(first=600)) as supervisor:
        lines.until('smern', 'a died')
        began = time.monotonic()
        assert supervisor.stop() == 0
        assert time.monotonic() - began < 1.0


def test_children_die_with_a_supervisor_that_is_killed():
    code = (
        'import sys\n'
        'from smern_ros.deploy.supervisor import Child, Supervisor\n'
        f'child = Child("a", [sys.executable, "-c", {STUBBORN!r}])\n'
        'lines = lambda name, line: print(supervisor.pids[name], flush=True)\n'
        'supervisor = Supervisor([child], output=lines)\n'
        'supervisor.start(); supervisor.wait()\n'
    )
    with subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True) as process:
        child = int(process.stdout.readline())
        assert is_running(child)
        process.kill()
    wait_until_gone(child)


@pytest.mark.parametrize('error', [
    OSError(errno.ENOSPC, 'no space left'), UnicodeEncodeError('ascii', 'ä', 0, 1, 'no'),
])
def test_output_that_cannot_be_written_holds_up_no_child_and_no_end(error):
    """It writes more than a pipe holds, and then lives until it is told to end."""
    lines = Lines()

    def output(name, line):
        if line.startswith('x'):
            raise error
        lines(name, line)

    with Supervisor([python('a', "print('x' * 200_000 + chr(10)); " + STAYS)], output=output) as supervisor:
        lines.until('a', 'up')
        assert supervisor.stop() == 0


def test_whoever_inherited_a_childs_output_holds_up_neither_its_restart_nor_the_end():
    lines = Lines()
    leaves = 'import subprocess, os; print(subprocess.Popen(["sleep", "1000"], start_new_session=True).pid, flush=True)'
    with Supervisor([python('a', leaves + '; os._exit(3)')], output=lines, backoff=QUICK) as supervisor:
        heirs = [int(lines.next()[1])]
        lines.until('smern', 'died')
        heirs.append(int(lines.next()[1]))
        assert supervisor.stop() == 0
    while not lines._lines.empty():
        name, line = lines.next()
        heirs += [int(line)] if name == 'a' else []
    for heir in heirs:
        os.kill(heir, signal.SIGKILL)


def test_a_start_that_fails_for_want_of_room_is_tried_again(monkeypatch):
    lines, real, tries = Lines(), asyncio.create_subprocess_exec, []

    async def start(*args, **kwargs):
        tries.append(args)
        if len(tries) == 1:
            raise OSError(errno.EAGAIN, 'no room')
        return await real(*args, **kwargs)

    monkeypatch.setattr(asyncio, 'create_subprocess_exec', start)
    with Supervisor([python('a', STAYS)], output=lines, backoff=QUICK):
        lines.until('smern', 'cannot be started')
        lines.until('a', 'up')


def test_names_must_differ():
    with pytest.raises(ValueError, match='a name of its own'):
        Supervisor([python('a', STAYS), python('a', STAYS)])


def test_exit_codes_in_words():
    assert describe_exit(3) == 'exit code 3'
    assert describe_exit(-9) == 'killed by SIGKILL'
    assert describe_exit(-63) == 'killed by signal 63'
