# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: it is drawn, nothing is fetched, and nothing is wider than a phone."""
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from smern_ros.demo.recording import Picture
from smern_ros.demo.report import Facts, render

FLAGS = (
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--hide-scrollbars',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
)
PROBE = """<script>
  const wide = [...document.querySelectorAll('body *')].filter(e =>
    !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1);
  const pictures = [...document.querySelectorAll('image')];
  Promise.all(pictures.map(i => new Promise(done => {
    const image = new Image();
    image.onload = () => done(image.naturalWidth); image.onerror = () => done(0);
    image.src = i.getAttribute('href');
  }))).then(widths => {
    const bar = document.querySelector('.bar.sad i');
    document.title = JSON.stringify({
      page: document.documentElement.scrollWidth, wide: wide.map(e => e.outerHTML.slice(0, 80)), widths,
      fetched: performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length,
      bar: getComputedStyle(bar).backgroundColor, ink: getComputedStyle(document.body).color,
    });
  });
</script>"""


@pytest.fixture(scope='module')
def chromium() -> str:
    path = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
    if path is None:
        pytest.skip('no chromium; on Debian: apt install chromium')
    return path


@pytest.fixture
def page(recording, tmp_path):
    import cv2

    _, jpeg = cv2.imencode('.jpg', np.full((180, 320, 3), 90, np.uint8))
    for picture in recording.pictures:
        assert isinstance(picture, Picture)
        picture.jpeg = jpeg.tobytes()
    long = 'Donaudampfschifffahrtsgesellschaft' * 4
    first = next(iter(recording.transcripts))
    recording.transcripts[first] = replace(recording.transcripts[first], text=f'he said {long} and went')
    file = tmp_path / 'report.html'
    html = render(recording, Facts(media=long, notice='Two people.', command=f'smern demo --media {long}'))
    # The page's own policy forbids scripts; the probe needs one.
    html, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', '', html)
    assert count == 1
    file.write_text(html.replace('</body>', PROBE + '</body>'), encoding='utf-8')
    return file


def seen(chromium: str, page, tmp_path, *flags: str) -> dict:
    import json
    from html import unescape

    run = subprocess.run(
        [chromium, *FLAGS, *flags, f'--user-data-dir={tmp_path / "profile"}', '--virtual-time-budget=5000',
         '--dump-dom', page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )
    return json.loads(unescape(re.search(r'<title>(.*?)</title>', run.stdout, re.DOTALL).group(1)))


@pytest.mark.parametrize('width', [1200, 500])  # a headless window is never narrower than 500
def test_everything_fits_and_is_drawn(chromium, page, tmp_path, width):
    found = seen(chromium, page, tmp_path, f'--window-size={width},900')
    assert found['wide'] == []
    assert found['page'] <= width
    assert found['widths'] == [320] * 10
    assert found['fetched'] == 0
    assert found['bar'] == 'rgb(0, 114, 178)'


def test_it_is_dark_where_the_reader_wants_it_dark(chromium, page, tmp_path):
    light = seen(chromium, page, tmp_path, '--blink-settings=preferredColorScheme=1')
    dark = seen(chromium, page, tmp_path, '--blink-settings=preferredColorScheme=0')
    assert light['ink'] == 'rgb(29, 33, 38)'
    assert dark['ink'] == 'rgb(232, 230, 225)'
