# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A page escapes what it is given, and does not leave out what it was not given."""
import jinja2
import pytest
from markupsafe import Markup

from smern_ros.utils import pages


@pytest.fixture
def template(tmp_path):
    path = tmp_path / 'own.html'
    path.write_text("{% extends 'page.html' %}{% block content %}{{ text }}{% endblock %}")
    return path


def test_texts_are_escaped_and_markup_is_not(template):
    page = pages.render(template, title='<t>', program='p', facts=[('Command', 'a "b"')], text=Markup('<hr>'))
    assert '<title>&lt;t&gt;</title>' in page and '<hr>' in page and '<code>a &#34;b&#34;</code>' in page
    assert "default-src 'none'" in page and 'prefers-color-scheme: dark' in page


def test_a_missing_value_is_an_error(template):
    with pytest.raises(jinja2.UndefinedError, match='text'):
        pages.render(template, title='t', program='p', facts=[])
