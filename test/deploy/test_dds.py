# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The nodes get a profile with room for images, unless the user has one."""
import contextlib
import socket
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from smern_ros.deploy import dds
from smern_ros.utils.resources import share

EPROSIMA = '{http://www.eprosima.com}'


@pytest.mark.parametrize(('distribution', 'variable'), [
    ('jazzy', 'FASTRTPS_DEFAULT_PROFILES_FILE'),
    ('kilted', 'FASTDDS_DEFAULT_PROFILES_FILE'),
    (None, 'FASTDDS_DEFAULT_PROFILES_FILE'),
])
def test_each_distribution_is_told_in_its_own_variable(distribution, variable):
    (name,) = dds.environment('local', {'ROS_DISTRO': distribution} if distribution else {})
    assert name == variable


@pytest.mark.parametrize(('folders', 'others', 'read'), [
    (['fastrtps'], {}, [dds.OLD_VARIABLE]),
    (['fastdds'], {}, [dds.VARIABLE]),
    (['fastrtps'], {'ROS_DISTRO': 'kilted'}, [dds.VARIABLE, dds.OLD_VARIABLE]),
    (['fastdds'], {'ROS_DISTRO': 'jazzy'}, [dds.OLD_VARIABLE]),  # which ROS gives to the new one, too
    ([], {'ROS_DISTRO': 'jazzy'}, [dds.OLD_VARIABLE]),
    ([], {}, [dds.VARIABLE, dds.OLD_VARIABLE]),
])
def test_the_variable_is_that_of_the_fast_dds_that_is_installed(tmp_path, monkeypatch, folders, others, read):
    for folder in folders:
        (tmp_path / 'share' / folder).mkdir(parents=True)
    monkeypatch.setattr('sys.prefix', str(tmp_path / 'none'))
    others = {**others, 'AMENT_PREFIX_PATH': f'/no/workspace:{tmp_path}'}
    assert dds.environment(dds.LOCAL, others) == dict.fromkeys(read, str(share('config', 'dds', 'local.xml')))
    opened = dds.environment(dds.MULTI_HOST, others, peers='127.0.0.1')
    assert opened.keys() == {*read, *dds.DISCOVERY} and len({opened[name] for name in read}) == 1


@pytest.mark.parametrize(('folder', 'read'), [('fastrtps', dds.OLD_VARIABLE), ('fastdds', dds.VARIABLE)])
def test_the_wheels_are_where_python_is(tmp_path, monkeypatch, folder, read):
    (tmp_path / 'share' / folder).mkdir(parents=True)
    monkeypatch.setattr('sys.prefix', str(tmp_path))
    assert dds.environment(dds.LOCAL, {}).keys() == {read}


def test_a_profile_in_a_variable_that_is_not_read_is_refused(tmp_path):
    (tmp_path / 'share/fastrtps').mkdir(parents=True)
    env = {'AMENT_PREFIX_PATH': str(tmp_path), dds.VARIABLE: '/mine.xml'}
    with pytest.raises(ValueError, match=rf'{dds.VARIABLE} names .*/mine\.xml.* reads {dds.OLD_VARIABLE}'):
        dds.environment(None, env)
    assert dds.environment(None, {**env, dds.OLD_VARIABLE: '/mine.xml'}) == {}


def test_the_home_folder_of_a_users_profile_is_told_to_fast_dds_which_does_not_know_it(monkeypatch):
    monkeypatch.setenv('HOME', '/home/me')
    assert dds.environment(None, {dds.VARIABLE: '~/mine.xml'}) == {dds.VARIABLE: '/home/me/mine.xml'}


def profile_of(profile, **network):
    return ElementTree.parse(dds.environment(profile, {}, **network)['FASTDDS_DEFAULT_PROFILES_FILE'])


def addresses(tree, of):
    return [a.text for parent in tree.iter(f'{EPROSIMA}{of}') for a in parent.iter(f'{EPROSIMA}address')]


@pytest.mark.parametrize(('profile', 'network'), [(dds.LOCAL, {}), (dds.MULTI_HOST, {'peers': '127.0.0.1'})])
def test_a_profile_is_one_that_every_participant_takes(profile, network):
    (participant,) = profile_of(profile, **network).iter(f'{EPROSIMA}participant')
    assert participant.get('is_default_profile') == 'true'


def test_the_local_profile_keeps_off_the_network():
    assert addresses(profile_of(dds.LOCAL), 'interfaceWhiteList') == ['127.0.0.1']


def test_several_hosts_call_those_that_are_named_and_listen_on_the_cards_that_lead_to_them():
    tree = profile_of(dds.MULTI_HOST, peers='127.0.0.2, 127.0.0.3')
    assert addresses(tree, 'initialPeersList') == ['127.0.0.1', '127.0.0.2', '127.0.0.3']
    assert set(addresses(tree, 'interfaceWhiteList')) == {'127.0.0.1'}
    by_name = profile_of(dds.MULTI_HOST, peers='localhost', interface='lo')
    assert set(addresses(by_name, 'interfaceWhiteList') + addresses(by_name, 'initialPeersList')) == {'127.0.0.1'}


def test_only_several_hosts_are_found_as_the_profile_says_and_not_as_ros_would():
    assert dds.DISCOVERY.items() <= dds.environment(dds.MULTI_HOST, {}, peers='127.0.0.1').items()
    assert not dds.DISCOVERY.keys() & dds.environment(dds.LOCAL, {}).keys()


def test_the_file_of_several_hosts_by_itself_lets_nothing_out():
    tree = ElementTree.parse(share('config', 'dds', 'multi_host.xml'))
    assert {address.text for address in tree.iter(f'{EPROSIMA}address')} == {'127.0.0.1'}


@pytest.mark.parametrize(('network', 'reason'), [
    ({}, 'dds_peers'),
    ({'peers': ' , '}, 'dds_peers'),
    ({'peers': 'no computer!'}, "'no computer!'"),
    ({'peers': '127.0.0.1', 'interface': 'none7'}, "'none7'.*its cards are.*lo"),
    ({'peers': '127.0.0.1', 'interface': '192.0.2.1'}, "'192.0.2.1'"),
])
def test_several_hosts_are_refused_where_nobody_could_be_reached(network, reason):
    with pytest.raises(ValueError, match=reason):
        dds.environment(dds.MULTI_HOST, {}, **network)


@pytest.mark.parametrize('profile', [dds.LOCAL, dds.NONE, None])
def test_peers_alone_open_nothing(profile):
    with pytest.raises(ValueError, match='multi_host'):
        dds.environment(profile, {}, peers='127.0.0.1')


def test_the_environment_chooses_and_an_argument_wins():
    def chosen(*args, **network):
        return Path(dds.environment(*args, **network)['FASTDDS_DEFAULT_PROFILES_FILE']).name

    assert chosen(None, {}) == 'local.xml', 'nothing leaves this host unless somebody chooses so'
    assert chosen('local', {'SMERN_DDS': 'multi_host'}) == 'local.xml'
    for profile, env in ((None, {'SMERN_DDS': 'multi_host'}), ('multi_host', {'SMERN_DDS': 'local'})):
        assert chosen(profile, env, peers='127.0.0.1').endswith('-dds.xml')


@pytest.mark.parametrize('variable', [dds.VARIABLE, dds.OLD_VARIABLE])
def test_a_profile_of_the_users_own_is_left_alone(variable):
    assert dds.environment('local', {variable: '/mine.xml'}) == {}


@pytest.mark.parametrize('variable', [dds.VARIABLE, dds.OLD_VARIABLE])
def test_peers_that_the_users_own_profile_would_overrule_are_refused(variable):
    with pytest.raises(ValueError, match=rf'{variable} names a profile, /mine\.xml.*unset it'):
        dds.environment(dds.MULTI_HOST, {variable: '/mine.xml'}, peers='127.0.0.1')


def test_another_middleware_is_kept_to_this_host_by_ros_and_opened_by_its_user():
    env = {'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'}
    assert dds.environment(None, env) == {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    assert dds.environment(dds.NONE, env) == {dds.CHOICE: dds.NONE}
    with pytest.raises(ValueError, match='is for rmw_fastrtps, but RMW_IMPLEMENTATION is rmw_cyclonedds_cpp'):
        dds.environment(dds.MULTI_HOST, env, peers='127.0.0.1')


@pytest.mark.parametrize('name', ['', 'rmw_fastrtps_cpp', 'rmw_fastrtps_dynamic_cpp'])
def test_each_middleware_with_fast_dds_gets_the_profile(name):
    assert dds.VARIABLE in dds.environment(dds.LOCAL, {'RMW_IMPLEMENTATION': name})


def test_none_sets_no_profile_and_nodes_are_told_so():
    chosen = dds.environment('none', {})
    assert chosen == {dds.CHOICE: dds.NONE} and dds.environment(None, chosen) == chosen


@pytest.mark.parametrize('domain', ['233', '-1', 'x', '1.0'])
def test_a_domain_that_dds_has_not_is_refused(domain):
    with pytest.raises(ValueError, match=f'ROS_DOMAIN_ID is .{domain}., but must be 0 to 232'):
        dds.environment(None, {'ROS_DOMAIN_ID': domain})
    assert dds.environment(None, {'ROS_DOMAIN_ID': '232'}) == dds.environment(None, {})


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValueError, match=r"'fast'.*SMERN_DDS.*local"):
        dds.environment(None, {'SMERN_DDS': 'fast'})


def test_a_free_domain_is_none_in_which_somebody_is():
    left = {dds.free_domain(), dds.free_domain()}
    with contextlib.ExitStack() as stack:
        for domain in set(range(1, 102)) - left:
            listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            with contextlib.suppress(OSError):  # somebody is there already
                listener.bind(('127.0.0.1', 7400 + 250 * domain + 10))
        assert {dds.free_domain() for _ in range(50)} <= left
