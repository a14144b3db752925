# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The asset store, with a small wheel that the real pip finds in a local folder."""
import hashlib
import multiprocessing
import os
import zipfile

import pytest

from smern_ros.assets import FetchFailed, MissingAsset, Store, WrongAsset
from smern_ros.assets.manifest import AddressSource, Asset, FileHash, PackageSource, PartedSource
from smern_ros.assets.sources import join

CONTENT = {'model/weights.bin': bytes(range(256)) * 40, 'model/words.txt': b'a small vocabulary\n'}
WHEEL = 'tiny_weights-1.0-py3-none-any.whl'


def digest(data):
    return hashlib.sha256(data).hexdigest()


def write_wheel(path, content):
    package = path.name.partition('-')[0]
    with zipfile.ZipFile(path, 'w') as wheel:
        for member, data in content.items():
            wheel.writestr(f'{package}/{member}', data)
        for member, data in {
            'METADATA': f'Metadata-Version: 2.1\nName: {package.replace("_", "-")}\nVersion: 1.0\n',
            'WHEEL': 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
            'RECORD': '',
        }.items():
            wheel.writestr(f'{package}-1.0.dist-info/{member}', data)


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A folder that is all that pip can reach, with the package in it."""
    folder = tmp_path / 'registry'
    folder.mkdir()
    write_wheel(folder / WHEEL, CONTENT)
    monkeypatch.setenv('PIP_NO_INDEX', '1')
    monkeypatch.setenv('PIP_FIND_LINKS', str(folder))
    monkeypatch.setenv('PIP_CONFIG_FILE', os.devnull)
    return folder


def package(registry, **changes):
    data = (registry / WHEEL).read_bytes()
    fields = {
        'requirement': 'tiny-weights==1.0', 'file': WHEEL, 'size': len(data), 'sha256': digest(data),
        'members': {'weights.bin': 'tiny_weights/model/weights.bin', 'words.txt': 'tiny_weights/model/words.txt'},
    }
    return PackageSource(**{**fields, **changes})


def asset(*sources, **changes):
    files = tuple(
        FileHash(path.removeprefix('model/'), len(data), digest(data)) for path, data in CONTENT.items()
    )
    fields = {'purpose': 'a test', 'licence': 'none', 'origin': 'here', 'files': files, 'sources': sources}
    return Asset(name='tiny', **{**fields, **changes})


@pytest.fixture
def store(registry, tmp_path):
    return Store(tmp_path / 'cache', {'tiny': asset(package(registry))})


def in_parts(registry, *cuts):
    """A source of packages that hold the weights in parts."""
    weights, words = CONTENT['model/weights.bin'], CONTENT['model/words.txt']
    packages = []
    for i, (first, end) in enumerate(zip((0, *cuts), (*cuts, len(weights)), strict=True), start=1):
        file = f'tiny_part{i}-1.0-py3-none-any.whl'
        content = {f'weights.bin.part{i}': weights[first:end], **({'words.txt': words} if i == 1 else {})}
        write_wheel(registry / file, content)
        packages.append(package(
            registry, requirement=f'tiny-part{i}==1.0', file=file, sha256=digest((registry / file).read_bytes()),
            members={name: f'tiny_part{i}/{name}' for name in content},
        ))
    return PartedSource(tuple(packages))


def unplug(registry):
    (registry / WHEEL).unlink()


def test_what_was_not_fetched_names_the_command(store):
    with pytest.raises(MissingAsset, match='smern assets fetch tiny'):
        store.path('tiny')


def test_an_unknown_name_lists_the_known_ones(store):
    with pytest.raises(ValueError, match=r"'huge'.*tiny"):
        store.path('huge')


def test_a_fetched_asset_needs_no_network_again(store, registry):
    folder = store.fetch('tiny')
    unplug(registry)
    assert (folder / 'weights.bin').read_bytes() == CONTENT['model/weights.bin']
    assert store.fetch('tiny') == store.path('tiny') == store.verify('tiny') == folder


def test_progress_goes_from_nothing_to_a_verified_whole(store):
    steps = []
    store.fetch('tiny', lambda name, action, done, total: steps.append(action))
    assert [s for i, s in enumerate(steps) if s not in steps[:i]] == ['download', 'unpack', 'verify']


@pytest.mark.parametrize('damage', [
    lambda file: file.write_bytes(file.read_bytes()[:-1] + b'!'),
    lambda file: file.write_bytes(file.read_bytes()[:-1]),
    lambda file: file.unlink(),
])
def test_a_damaged_file_is_noticed_at_the_next_use_and_mended_by_fetching(store, damage):
    folder = store.fetch('tiny')
    damage(folder / 'weights.bin')
    with pytest.raises(WrongAsset, match=r'weights\.bin.*smern assets fetch tiny'):
        store.path('tiny')
    store.fetch('tiny')
    assert (store.verify('tiny') / 'weights.bin').read_bytes() == CONTENT['model/weights.bin']


def test_a_manipulated_file_of_the_same_size_and_time_is_not_used(store):
    file = store.fetch('tiny') / 'words.txt'
    stat = file.stat()
    file.write_bytes(file.read_bytes().replace(b'small', b'great'))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    for use in (store.path, store.verify):
        with pytest.raises(WrongAsset, match='sha256'):
            use('tiny')


@pytest.mark.parametrize('receipt', ['[]', '{"words.txt": 7, "weights.bin": [1]}', '{', 'null'])
def test_a_receipt_that_is_none_makes_nothing_pass(store, receipt):
    file = store.fetch('tiny') / 'words.txt'
    (store.folder / '.tiny.verified.json').write_text(receipt)
    assert store.path('tiny')
    (store.folder / '.tiny.verified.json').write_text(receipt)
    file.write_bytes(file.read_bytes().replace(b'small', b'great'))
    with pytest.raises(WrongAsset, match='sha256'):
        store.path('tiny')


def test_a_package_with_another_hash_is_refused_and_leaves_nothing(registry, tmp_path):
    store = Store(tmp_path / 'cache', {'tiny': asset(package(registry, sha256='0' * 64))})
    with pytest.raises(FetchFailed, match=r'tiny-weights==1\.0'):
        store.fetch('tiny')
    assert [p.name for p in store.folder.iterdir()] == ['.tiny.lock']


def test_a_member_with_another_hash_is_refused(registry, tmp_path):
    wrong = tuple(FileHash(f.path, f.size, '0' * 64) for f in asset().files)
    store = Store(tmp_path / 'cache', {'tiny': asset(package(registry), files=wrong)})
    with pytest.raises(FetchFailed, match='expected'):
        store.fetch('tiny')
    with pytest.raises(MissingAsset):
        store.path('tiny')


def test_the_next_source_is_tried_and_every_failure_told(registry, tmp_path):
    absent = AddressSource({'weights.bin': 'https://localhost:1/weights.bin'})
    good = Store(tmp_path / 'cache', {'tiny': asset(absent, package(registry))})
    assert (good.fetch('tiny') / 'words.txt').read_bytes() == CONTENT['model/words.txt']
    bad = Store(tmp_path / 'other', {'tiny': asset(absent, package(registry, requirement='tiny-weights==2.0'))})
    with pytest.raises(FetchFailed, match=r'(?s)localhost:1.*tiny-weights==2\.0'):
        bad.fetch('tiny')


def test_only_https_is_trusted_with_an_address(tmp_path):
    store = Store(tmp_path, {'tiny': asset(AddressSource({'weights.bin': 'file:///etc/passwd'}))})
    with pytest.raises(FetchFailed, match='no https'):
        store.fetch('tiny')


@pytest.mark.parametrize('moment', ['download', 'unpack', 'verify'])
def test_an_interrupted_fetch_leaves_nothing_and_can_be_repeated(store, moment):
    def interrupt(name, action, done, total):
        if action == moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.fetch('tiny', interrupt)
    with pytest.raises(MissingAsset):
        store.path('tiny')
    assert [p.name for p in store.folder.iterdir()] == ['.tiny.lock']
    store.fetch('tiny')


def test_what_a_killed_process_left_is_removed(store):
    left = store.folder / '.tiny.fetch-abc'
    left.mkdir(parents=True)
    (left / 'half').write_bytes(b'half a file')
    store.fetch('tiny')
    assert not left.exists()


def test_the_users_own_file_is_refused_and_never_replaced(store):
    own = store.folder / 'tiny'
    own.mkdir(parents=True)
    for path, data in CONTENT.items():
        (own / path.removeprefix('model/')).write_bytes(data[::-1])
    for use in (store.path, store.verify, store.fetch):
        with pytest.raises(WrongAsset, match='path as a parameter'):
            use('tiny')
    assert (own / 'words.txt').read_bytes() == CONTENT['model/words.txt'][::-1]


def test_the_users_own_copy_of_the_right_files_serves(store, registry):
    unplug(registry)
    own = store.folder / 'tiny'
    own.mkdir(parents=True)
    for path, data in CONTENT.items():
        (own / path.removeprefix('model/')).write_bytes(data)
    assert store.path('tiny') == store.fetch('tiny') == own


def test_another_accepted_content_serves(registry, tmp_path):
    other = FileHash('words.txt', 5, digest(b'other'))
    store = Store(tmp_path / 'cache', {'tiny': asset(package(registry), accepts=(other,))})
    (store.fetch('tiny') / 'words.txt').write_bytes(b'other')
    assert store.verify('tiny')


def _fetch_in_a_process(folder, source, barrier, results):
    unpacked = []
    barrier.wait()
    Store(folder, {'tiny': asset(source)}).fetch('tiny', lambda name, action, *_: unpacked.append(action == 'unpack'))
    results.put(any(unpacked))


def test_of_processes_that_fetch_at_once_one_downloads_and_all_succeed(registry, tmp_path):
    context = multiprocessing.get_context('fork')
    barrier, results = context.Barrier(3), context.Queue()
    processes = [
        context.Process(target=_fetch_in_a_process, args=(tmp_path / 'cache', package(registry), barrier, results))
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    downloads = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert sorted(downloads) == [False, False, True]


def test_the_folder_is_the_users_choice(monkeypatch, tmp_path):
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path / 'mine'))
    assert Store().folder == tmp_path / 'mine'
    monkeypatch.delenv('SMERN_ASSETS')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert Store().folder == tmp_path / 'smern_ros'


def test_parts_are_joined_in_the_order_of_their_numbers(tmp_path):
    for i in range(1, 13):
        (tmp_path / f'weights.bin.part{i}').write_text(f'{i},')
    (tmp_path / 'words.txt').write_text('no part')
    join(tmp_path)
    assert (tmp_path / 'weights.bin').read_text() == '1,2,3,4,5,6,7,8,9,10,11,12,'
    assert sorted(file.name for file in tmp_path.iterdir()) == ['weights.bin', 'words.txt']


def test_a_file_of_which_several_packages_hold_the_parts_is_fetched(registry, tmp_path):
    store = Store(tmp_path / 'cache', {'tiny': asset(in_parts(registry, 100))})
    folder = store.fetch('tiny')
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        name.removeprefix('model/'): data for name, data in CONTENT.items()
    }


def test_a_part_that_is_missing_or_another_leaves_nothing_and_the_next_source_is_asked(registry, tmp_path):
    parts = in_parts(registry, 100)
    (registry / 'tiny_part2-1.0-py3-none-any.whl').unlink()
    store = Store(tmp_path / 'cache', {'tiny': asset(parts)})
    with pytest.raises(FetchFailed, match='the packages tiny-part1==1.0, tiny-part2==1.0: pip failed'):
        store.fetch('tiny')
    with pytest.raises(MissingAsset):
        store.path('tiny')
    Store(tmp_path / 'cache', {'tiny': asset(parts, package(registry))}).fetch('tiny')
    assert store.path('tiny').is_dir()
