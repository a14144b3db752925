"""The nodes get a profile with room for images, unless the user has one."""
import xml.etree.ElementTree as ElementTree

import pytest

from smern_ros import dds

EPROSIMA = '{http://www.eprosima.com}'


@pytest.mark.parametrize(('distribution', 'variable'), [
    ('jazzy', 'FASTRTPS_DEFAULT_PROFILES_FILE'),
    ('kilted', 'FASTDDS_DEFAULT_PROFILES_FILE'),
    (None, 'FASTDDS_DEFAULT_PROFILES_FILE'),
])
def test_each_distribution_is_told_in_its_own_variable(distribution, variable):
    (name,) = dds.environment('local', {'ROS_DISTRO': distribution} if distribution else {})
    assert name == variable


@pytest.mark.parametrize('profile', [dds.LOCAL, dds.MULTI_HOST])
def test_a_profile_is_one_that_every_participant_takes(profile):
    path = dds.environment(profile, {})['FASTDDS_DEFAULT_PROFILES_FILE']
    (participant,) = ElementTree.parse(path).iter(f'{EPROSIMA}participant')
    assert participant.get('is_default_profile') == 'true'


def test_only_the_local_profile_keeps_off_the_network():
    def addresses(profile):
        path = dds.environment(profile, {})['FASTDDS_DEFAULT_PROFILES_FILE']
        return [a.text for a in ElementTree.parse(path).iter(f'{EPROSIMA}address')]

    assert addresses(dds.LOCAL) == ['127.0.0.1']
    assert addresses(dds.MULTI_HOST) == []


def test_the_environment_chooses_and_an_argument_wins():
    def chosen(*args):
        return dds.environment(*args)['FASTDDS_DEFAULT_PROFILES_FILE'].rpartition('/')[2]

    assert chosen(None, {}) == 'local.xml', 'nothing leaves this host unless somebody chooses so'
    assert chosen(None, {'SMERN_DDS': 'multi_host'}) == 'multi_host.xml'
    assert chosen('multi_host', {'SMERN_DDS': 'local'}) == 'multi_host.xml'


@pytest.mark.parametrize('variable', [dds.VARIABLE, dds.OLD_VARIABLE])
def test_a_profile_of_the_users_own_is_left_alone(variable):
    assert dds.environment('local', {variable: '/mine.xml'}) == {}


def test_none_sets_nothing():
    assert dds.environment('none', {}) == {}


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValueError, match=r"'fast'.*SMERN_DDS.*local"):
        dds.environment(None, {'SMERN_DDS': 'fast'})
