# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern predict` on real speech and film: one JSON line an utterance, whatever is missing."""
import json
import shutil

import pytest

from smern_ros import assets
from smern_ros.cli.main import main
from smern_ros.spec import LABELS

pytestmark = pytest.mark.weights


def predict(capsys, *arguments):
    """Exit code, the JSON lines and what was said on standard error."""
    code = main(['predict', *map(str, arguments)])
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    from smern_ros.demo import clip

    return clip.compose(assets.path(clip.VIDEO_ASSET), assets.path(clip.SPEECH_ASSET),
                        tmp_path_factory.mktemp('clip'), clip.Layout(sentences=('0880', '0930'), lead=1.0))


def test_a_film_with_speech_gives_a_line_with_all_modalities_for_each_utterance(capsys, clip):
    code, lines, _ = predict(capsys, clip)
    assert code == 0 and len(lines) >= 2
    for line in lines:
        # Of the woman head and shoulders alone are seen.
        assert line['modalities'] == ['audio', 'text'] and line['unfamiliar'] == ['skeleton'] and line['text']
        assert line['labels'] == list(LABELS) and sum(line['probabilities']) == pytest.approx(1, abs=1e-4)
        assert sum(line['modality_weights']) == pytest.approx(1, abs=1e-4)
        assert 0 <= line['start'] < line['end'] <= 20
    assert [line['start'] for line in lines] == sorted(line['start'] for line in lines)


def test_given_words_replace_those_recognised(capsys, clip):
    _, lines, _ = predict(capsys, clip, '--text', 'i am furious', '--no-pose')
    assert {line['text'] for line in lines} == {'i am furious'}
    assert {tuple(line['modalities']) for line in lines} == {('audio', 'text')}


def test_words_alone_need_no_file(capsys):
    code, (line,), _ = predict(capsys, '--text', 'i am so happy to see you')
    assert code == 0 and line['modalities'] == ['text']


def test_sound_alone_and_film_alone_are_judged_by_what_they_hold(capsys, shared_data):
    sound = next(iter(sorted((shared_data / 'emodb4/wav').glob('*.wav'))))
    film, unlike = (shared_data / f'video_upperbody/asl_gestures/{name}.mkv' for name in ('no', 'book'))
    code, (*lines, told), _ = predict(capsys, sound, film, unlike, '--no-asr')
    assert code == 0
    assert {(line['file'], tuple(line['modalities'])) for line in lines} == {
        (str(sound), ('audio',)), (str(film), ('skeleton',))
    }
    assert told['file'] == str(unlike) and 'out-of-distribution skeleton' in told['error']


def test_without_the_weights_of_the_speech_encoder_voices_are_judged_and_it_is_told(
    capsys, shared_data, tmp_path, monkeypatch
):
    shutil.copytree(assets.path('minilm-l6-int8'), tmp_path / 'minilm-l6-int8')
    monkeypatch.setenv('SMERN_ASSETS', str(tmp_path))
    sounds = sorted((shared_data / 'emodb4/wav').glob('*.wav'))[:2]
    code, lines, said = predict(capsys, *sounds, '--no-asr')
    assert code == 0 and [line['modalities'] for line in lines] == [['audio']] * 2
    assert said.count('smern assets fetch whisper-tiny.en') == 1


def test_words_of_another_language_are_told_and_are_no_evidence(capsys, shared_data):

    try:
        assets.path('whisper-base')
    except assets.MissingAsset as error:
        pytest.skip(str(error))
    sound = shared_data / 'emodb4/wav/03a01Wa.wav'
    _, (line,), _ = predict(capsys, sound, '--asr-model', 'whisper-base', '--asr-language', 'auto')
    assert (line['language'], line['modalities']) == ('de', ['audio']) and 'Eisschrank' in line['text']


@pytest.mark.parametrize('options, said', [
    (['--asr-language', 'de'], 'only English'), (['--asr-compute-type', 'int4'], 'int4'),
    (['--asr-device', 'tpu'], 'tpu'), (['--asr-model', '/no/model'], '/no/model'),
])
def test_a_recogniser_that_cannot_be_had_is_refused_before_any_file_is_read(capsys, tmp_path, options, said):
    code, lines, errors = predict(capsys, tmp_path / 'absent.wav', *options)
    assert (code, lines) == (2, []) and said in errors and 'absent' not in errors


def test_a_broken_file_is_named_and_the_others_are_judged(capsys, tmp_path, clip):
    nonsense = tmp_path / 'nonsense.mp4'
    nonsense.write_bytes(b'no film at all' * 100)
    code, lines, said = predict(capsys, nonsense, tmp_path / 'absent.mp4', clip, '--no-asr', '--no-pose')
    assert code == 1 and {line['file'] for line in lines} == {str(clip)}
    assert 'nonsense.mp4' in said and 'absent.mp4' in said and 'Traceback' not in said


def test_a_wrong_checkpoint_says_what_to_do(capsys, tmp_path):
    code, lines, said = predict(capsys, '--text', 'hello', '--checkpoint', tmp_path)
    assert code == 2 and not lines and 'make checkpoint' in said


def test_an_error_from_deep_below_names_the_file(capsys, tmp_path, monkeypatch):
    import soundfile

    from smern_ros.emotion import offline

    def fail(*_, **__):
        raise ValueError('so not')

    soundfile.write(tmp_path / 'voice.wav', [0.0] * 16000, 16000)
    monkeypatch.setattr(offline.Analyser, 'add_audio', fail)
    code, _, said = predict(capsys, tmp_path / 'voice.wav', '--no-asr')
    assert code == 1 and said == f'smern predict: {tmp_path / "voice.wav"}: so not\n'


def test_sound_is_judged_alike_in_whatever_file_it_comes(capsys, tmp_path, shared_data):
    import soundfile

    samples, rate = soundfile.read(shared_data / 'emodb4/wav/03a01Wa.wav', dtype='int16')
    plain, piped, mp3 = tmp_path / 'plain.wav', tmp_path / '18:30:05.wav', tmp_path / 'voice.mp3'
    soundfile.write(plain, samples, rate)
    content = plain.read_bytes()
    size = content.index(b'data') + 4
    piped.write_bytes(content[:4] + b'\x24\0\0\x80' + content[8:size] + b'\0\0\0\x80' + content[size + 4:])
    soundfile.write(mp3, samples, rate, format='MP3', subtype='MPEG_LAYER_III')
    code, lines, said = predict(capsys, plain, piped, mp3, '--no-asr')
    assert code == 0 and said == '' and len(lines) == 3
    assert lines[0]['probabilities'] == lines[1]['probabilities'] and lines[0]['label'] == lines[2]['label']
