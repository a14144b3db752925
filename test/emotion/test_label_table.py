# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A table of labelled recordings is read as people write it, or refused with every line that is wrong."""
import pytest

from smern_ros.emotion import label_table
from smern_ros.emotion.label_table import LabelRow, TableError
from smern_ros.spec import LABELS


@pytest.fixture
def folder(tmp_path):
    """With two recordings; the table does not listen to them."""
    for name in ('one.wav', 'two, again.mp4'):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def table(folder, text, encoding='utf-8'):
    path = folder / 'anna.csv'
    path.write_text(text, encoding=encoding)
    return path


def test_columns_come_in_any_order_and_files_lie_beside_the_table(folder):
    path = table(folder, 'text,label,file\n well done ,happy,one.wav\n,sad,"two, again.mp4"\n')
    assert label_table.read(path) == [
        LabelRow('one.wav', folder / 'one.wav', 'happy', 'well done'),
        LabelRow('two, again.mp4', folder / 'two, again.mp4', 'sad', None),
    ]


def test_a_table_of_a_spreadsheet_with_its_mark_at_the_start_is_read(folder):
    path = table(folder, 'file,label\r\none.wav,angry\r\n', 'utf-8-sig')
    assert [row.label for row in label_table.read(path)] == ['angry']


def test_everything_that_is_wrong_is_told_at_once(folder):
    (folder / 'copy.wav').write_bytes((folder / 'one.wav').read_bytes())
    path = table(folder, 'file,label\none.wav,bored\nabsent.wav,sad\n,happy\ncopy.wav,sad\n')
    with pytest.raises(TableError) as caught:
        label_table.read(path)
    wrong = str(caught.value).splitlines()
    for line, why in zip(wrong, (
        f"line 2: one.wav has label 'bored'; expected one of {', '.join(LABELS)}",
        "line 3: there is no file 'absent.wav'",
        "line 4: there is no file ''", 'line 5: copy.wav is the same recording as one.wav',
    ), strict=True):
        assert line.startswith(f'{path}, {why}')


@pytest.mark.parametrize(('text', 'why'), [
    ('', r'the columns \(none\)'), ('file;label\none.wav;sad\n', 'the columns file;label; expected'),
    ('file,mood\none.wav,sad\n', 'the columns file, mood'), ('file,label\n', 'lists no recording'),
    ('file,label\none.wav\n', "has label ''"), ('file,label\none.wav,"sad\n', 'cannot be read as a table'),
])
def test_what_is_no_such_table_is_refused(folder, text, why):
    with pytest.raises(TableError, match=why):
        label_table.read(table(folder, text))


def test_a_table_of_endless_lines_is_not_read(folder):
    path = table(folder, 'file,label\n')
    with path.open('r+b') as file:
        file.truncate(label_table.LARGEST + 1)
    with pytest.raises(TableError, match='bytes'):
        label_table.read(path)


def test_no_table_and_no_text_are_refused(folder):
    (folder / 'bytes.csv').write_bytes(b'file,label\n\xff\xfe,sad\n')
    for name in ('absent.csv', 'bytes.csv', '.'):
        with pytest.raises(TableError, match='cannot be read as a table'):
            label_table.read(folder / name)
