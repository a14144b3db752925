# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the demo: starts the graph, plays the media, records its output, writes the report, checks the result."""
from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from smern_ros.demo import console, report, result_check
from smern_ros.demo.recording import Recording
from smern_ros.deploy import dds, graph, processes
from smern_ros.deploy.processes import Override
from smern_ros.deploy.supervisor import EXIT_CONFIGURATION, Supervisor
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder, names

WEBCAM = 'webcam'
EXIT_SHOWN, EXIT_NOT_SHOWN = 0, 1
STATES_FILE, REPORT_FILE, LOG_FILE = 'emotion_states.jsonl', 'report.html', 'graph.log'
READY_WITHIN, SILENT_FOR, LAST_STATE_WITHIN = 120.0, 60.0, 12.0
"""s, longest: until all nodes are active; without any output; from the end of the media to the last final state."""
_QUIET_FOR = 1.0
"""s without output after which the run is complete."""
_SOURCE = 'media_source'
_HARMLESS = re.compile(r'\[(DEBUG|INFO)\]')


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """What to play, and where to write the results."""

    media: str                                  # a file, or WEBCAM
    name: str                                   # of the media, to show
    notice: str                                 # shown with the results
    out: Path
    command: str
    checkpoint: Path | None = None              # of the fusion node; None: the default
    overrides: Sequence[Override] = ()
    domain_id: int = field(default_factory=dds.free_domain)


class Demo:
    """One run of the demo. `say` prints a line."""

    def __init__(self, plan: DemoOptions, *, say: Callable[[str], object], colour: bool = False) -> None:
        self._plan = plan
        self._say = say
        self._colour = colour
        self._stopped = False
        self._recording = Recording()

    def request_stop(self) -> None:
        """Stop the recording; the report is still written. Safe in a signal handler."""
        self._stopped = True

    def run(self) -> int:
        """:return: 0 if a final state had all modalities, 1 if not, 2 if a node could not be configured."""
        plan = self._plan
        os.environ.update(dds.environment(dds.LOCAL), ROS_DOMAIN_ID=str(plan.domain_id))
        with ExitStack() as stack:
            self._log = stack.enter_context((plan.out / LOG_FILE).open('w', encoding='utf-8'))
            code = self._play_and_record(stack)
        if code is not None:
            return code
        check = result_check.check_demo(self._recording)
        self._write_report(check)
        self._say('')
        for text in (check.text, *check.missing):
            self._say(text)
        self._say(f'report  {plan.out / REPORT_FILE}')
        self._say(f'states  {plan.out / STATES_FILE}')
        return EXIT_SHOWN if check.shown else EXIT_NOT_SHOWN

    # --- the steps --------------------------------------------------------------------------------------------

    def _play_and_record(self, stack: ExitStack) -> int | None:
        """Start the graph, play and record. :return: None, or the exit code after a failure."""
        from smern_ros.demo.recorder import DemoRecorder  # after setting the environment: it loads DDS

        plan = self._plan
        *rest, source = processes.children(
            graph.select({_SOURCE: True}), overrides=[*_settings(plan), *plan.overrides],
        )
        source = dataclasses.replace(source, optional=False)  # the demo needs it
        self._say(f'starting {", ".join(child.name for child in rest)} in ROS domain {plan.domain_id}')
        supervisor = stack.enter_context(Supervisor(rest, output=self._on_line))
        recorder = DemoRecorder(
            plan.out / STATES_FILE,
            on_state=lambda state: self._say(console.format_state(state, self._recording, colour=self._colour)),
            on_words=lambda transcript: self._say(console.format_transcript(transcript, self._recording)),
            domain_id=plan.domain_id,
        )
        stack.callback(recorder.close)
        self._recording = recorder.recording

        if not self._wait_until_ready(recorder, supervisor, {child.name for child in rest}):
            return self._fail(supervisor)
        self._say(f'playing {plan.name}' + (' until Ctrl-C' if plan.media == WEBCAM else ''))
        self._say('\n' + console.HEADER)
        player = stack.enter_context(Supervisor([source], output=self._on_line))
        recorder.spin_until(lambda: (
            recorder.finished or self._stopped or recorder.quiet_for > SILENT_FOR
            or supervisor.wait(0) is not None or player.wait(0) is not None
        ))
        for one in (supervisor, player):
            if one.wait(0) == EXIT_CONFIGURATION:
                return self._fail(one)
        if recorder.quiet_for > SILENT_FOR:
            self._say(f'no output of the graph for {SILENT_FOR:.0f} s; stopping')
        recorder.spin_until(
            lambda: self._stopped or (recorder.is_settled and recorder.quiet_for > _QUIET_FOR),
            timeout=LAST_STATE_WITHIN,
        )
        return None

    def _wait_until_ready(self, recorder, supervisor: Supervisor, names: set[str]) -> bool:
        began = time.monotonic()
        reported: set[str] = set()

        def ready() -> bool:
            for name in sorted(recorder.active - reported):
                self._say(f'  {name:<16} ready after {time.monotonic() - began:4.1f} s')
                reported.add(name)
            return names <= recorder.active and recorder.has_all_publishers

        recorder.spin_until(lambda: ready() or self._stopped or supervisor.wait(0) is not None, timeout=READY_WITHIN)
        if not ready() and not self._stopped and supervisor.wait(0) is None:
            self._say(f'not ready after {READY_WITHIN:.0f} s: {", ".join(sorted(names - recorder.active))}')
        return ready() and not self._stopped

    def _fail(self, supervisor: Supervisor) -> int:
        self._say(f'the output of the nodes is in {self._plan.out / LOG_FILE}')
        return supervisor.stop() or EXIT_NOT_SHOWN

    # --- output -----------------------------------------------------------------------------------------------

    def _on_line(self, name: str, line: str) -> None:
        """On the thread of a supervisor: write the line to the log, and print warnings and errors."""
        self._log.write(f'[{name}] {line}\n')
        self._log.flush()
        if line.strip() and not _HARMLESS.match(line) and not line.endswith('has finished'):
            self._say(f'  [{name}] {line}')

    def _write_report(self, check: result_check.DemoCheck) -> None:
        plan = self._plan
        facts = report.Facts(
            media=plan.name,
            notice=plan.notice,
            command=plan.command,
            failure='' if check.shown else ' '.join((check.text, *check.missing)),
            machine=_machine(),
            more=tuple(_files(plan, self._recording)),
        )
        (plan.out / REPORT_FILE).write_text(report.render(self._recording, facts), encoding='utf-8')


def _settings(plan: DemoOptions) -> Iterator[Override]:
    yield Override.text(_SOURCE, 'media', plan.media)
    if plan.checkpoint:
        yield Override.text('fusion', 'checkpoint', str(plan.checkpoint.resolve()))


def _files(plan: DemoOptions, recording: Recording) -> Iterator[tuple[str, str]]:
    models = {state.model for state in (*recording.finals, *recording.states)}
    for folder in [plan.checkpoint] if plan.checkpoint else map(checkpoint_folder, names()):
        if json.loads((folder / 'config.json').read_text('utf-8'))['id'] in models:
            yield 'Model card', f'{folder / "README.md"}: training, results, limitations'
    yield 'All states', f'{plan.out / STATES_FILE}, one JSON object per line'
    yield 'Output of the nodes', str(plan.out / LOG_FILE)


def _machine() -> str:
    model = ''
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.is_file():
        found = re.search(r'^model name\s*:\s*(.+)$', cpuinfo.read_text(errors='replace'), re.MULTILINE)
        model = f', {found.group(1)}' if found else ''
    return f'{os.cpu_count()} cores, {platform.machine()}{model}'
