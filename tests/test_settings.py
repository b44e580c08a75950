"""lib.settings: bounds, text, presets, and settings in a file header."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import learned
from lib.errors import LockstepError, SettingsError
from lib.parameters import Parameters
from lib.presets import NETWORK, PRESETS, values_of
from lib.settings import Settings, coding_parameters, default_of

# The SHA-256 of each released preset's values. Lines are added, never changed: files refer to them.
RELEASED_PRESETS = {
    1: "ebea7b874c2ade28a6b5f690976575928b6fbcb9a30168b88cf4aa0028b21087",
    2: "37a10053bf52a1b5d087f03f655609ed030e4637dc981b62cd4e8355f8c56860",
    3: "6e88911c38249011bb22b66efc4d302169f6f7edcb459fb185655971379d9605",
    4: "c37caa3c6689cff1bba766b197d52a59e5340241751bce3e0c42864c8e1b4b17",
    5: "e0487944720eced998c77700257f0b113026aac778c3748fb5ab997190bd3b49",
    6: "705129ce04e9729a85eede9f5b8b344078d97cb92baf4abbf0544904be802f57",
    7: "7d12ec0ab01619dcd4aca399af17628ddd81efda6b72fcc3249a07a0d614d113",
    8: "158aa23a7e825942ee6b2d6ba3840be43d26c9be232f659bd19da9dc8c204fb3",
    9: "1eadd0661dcaa8e385ade762f1eed9e04aed4a3d3969e7b54c6571be6f596c8f",
    10: "4d981f5fcf5d894a0bdfdb47e95a1ae7c2d2d18688cfbecee815174d3fbc8429",
    11: "254612f11ea64c6558ea7a690b262b586415e4aedbd38cbbd1a31ca3763f212f",
    12: "9f9fb01ad66f87f3dff475dc2c3ca201403e69f2f7671fb6b557b75c69f93fa0",
    13: "b7a069f95c0639f2f6d82127ef2b25b7ea2bc8a9642a1aebc278d74744e67fe4",
    14: "544b1df90a88c5fce823334da87c3728ad949a6c47b5436db42cd7f2e3bd74f0",
    15: "e7d46ccf6ac5bfb83309e5b5868a8e4c03e7df4cfc434341cf9651d26dfbf2f7",
    16: "d60005116e374538ebe18fd395fffc8e5ac59d69404e09e6a91310b7d964745b",
    17: "e5653d748d748f44370f7d69c30dc4ec501cc0cebad8af9b93996333f7f57384",
    18: "5d1281ba75783970bcca9dabc6ac3fd0e4722f04e7e72160bef3f9ad16667b2b",
    19: "70293f2059b665373ed8ff517ce1658db251fbce11bf3e421905401512b8942e",
    20: "0a315516d88bc379e5af0086bd803bd36c2294eb81c15faa064cbf42772e520f",
    21: "0b3cbe82c7e31783c481d102d84bdf95ca4e3effd9ebe42d097055d6f2689503",
    22: "bdb722d9d5fb7587774ee3a6d0e1cebd6e7a9441d9dedd957a2bc0f28d0299b7",
    23: "9f8b1cad35d9d9423d3ed98d4d4fedd0759804b144a2482c952a815f8adf166b",
    24: "40c5fa047b6a5da15bcfdce191462071a6bc500caa290568b10b1b1767f67873",
    25: "64219c40f6848b454056c98c7ab33f3a4195ddb3184148ff1e3f4d46662750be",
    32: "1fe2ae7c08dba730d3a5f92d3367f687615457087cf9e58274089391a89a10d7",
    33: "8b642510ca983eb0656c2b6e84e9bedba9278c439768b9cb0b0b4b88283a2c25",
}
# The number of each parameter in file headers. Lines are added, never changed.
HEADER_IDS = dict(image_neighbours=19, batch_size=1, seq_length=2, update_interval=3, rnn_units=4, num_layers=5, embedding_size=6,
                  start_learning_rate=7, end_learning_rate=8, adam_beta_2=9, seed=10, arithmetic=11, coder=12,
                  contexts=13, table_bits=14, primer=15, prior=16, context_size=17, context_frames=18, update_delay=20, weights=21)
NUMERIC = [parameter for parameter in coding_parameters() if parameter.metadata["kind"] is not str]


def by_name(parameter):
    return parameter.name


@st.composite
def complete_settings(draw):
    """Any set of values that can be coded with."""
    values = {}
    for parameter in coding_parameters():
        facts = parameter.metadata
        if facts["choices"]:
            values[parameter.name] = draw(st.sampled_from(facts["choices"]))
        elif facts["pattern"]:
            values[parameter.name] = draw(st.from_regex(facts["pattern"][0], fullmatch=True))
        else:
            numbers = st.integers if facts["kind"] is int else st.floats
            values[parameter.name] = draw(numbers(facts["minimum"], facts["maximum"]))
    if values["contexts"] != "none":
        values["coder"] = "numba"
    else:
        values["prior"] = "none"
    if values["contexts"] == "none" and not values["num_layers"]:
        values["num_layers"] = 1
    if values["contexts"] in ("video", "image", "sound", "jpeg", "packed"):
        values["primer"] = "none"
    if values["contexts"] in ("jpeg", "packed"):
        values["num_layers"] = 0
    if values["arithmetic"] != "exact" or not values["num_layers"] or values["weights"] == "prior" and values["prior"] == "none":
        values["weights"] = "none"
    if values["weights"] in learned.NAMES:
        values |= {name: value for name, value in learned.values_of(values["weights"]).items() if "rate" not in name}
    values["update_interval"] = min(values["update_interval"], values["seq_length"])
    values["update_delay"] = min(values["update_delay"], values["update_interval"]) if values["arithmetic"] == "exact" else 0
    if values["contexts"] == "image":
        values["context_size"] = 0
    return Parameters(**values)


@pytest.mark.parametrize("values, message", [
    (dict(rnn_units=-3), "rnn_units must be 8 to 8192, got -3"),
    (dict(rnn_units="-3"), "rnn_units must be 8 to 8192, got -3"),
    (dict(rnn_units=8.5), "rnn_units must be 8 to 8192, a whole number, got 8.5"),
    (dict(rnn_units="many"), "rnn_units must be 8 to 8192, a whole number, got 'many'"),
    (dict(num_layers=True), "num_layers must be 0 to 8, a whole number, got True"),
    (dict(num_layers=float("inf")), "num_layers must be 0 to 8, a whole number, got inf"),
    (dict(seed=[1]), "seed must be 0 to 2147483647, a whole number, got [1]"),
    (dict(start_learning_rate=float("nan")), "start_learning_rate must be 1e-07 to 1.0, a number, got nan"),
    (dict(end_learning_rate="nan"), "end_learning_rate must be 1e-07 to 1.0, a number, got 'nan'"),
    (dict(end_learning_rate=10 ** 400), f"end_learning_rate must be 1e-07 to 1.0, a number, got {10 ** 400}"),
    (dict(arithmetic="float64"), "arithmetic must be one of exact, float32, float16, got 'float64'"),
    (dict(coder=1), "coder must be one of numba, arithmetic-compressor, got 1"),
    (dict(preset="worst"), "preset must be one of auto, fast, balanced, best, gpu, network, got 'worst'"),
    (dict(contexts="music"), "contexts must be one of none, text, binary, video, image, sound, got 'music'"),
    (dict(time_limit=0.5), "time_limit must be 1 to 10000000, got 0.5"),
    (dict(num_layers=0, contexts="none"),
     "num_layers=0 and contexts=none leave no predictor; change one of them"),
    (dict(coder="arithmetic-compressor", contexts="text"),
     "coder=arithmetic-compressor works only without contexts; use preset=network, or leave the coder to the preset"),
    (dict(backend="torch"), "backend must be one of auto, numba, numpy, tensorflow, jax, got 'torch'"),
    (dict(update_interval=4, update_delay=5), "update_delay must be at most update_interval (4), got 5"),
    (dict(update_delay=5, arithmetic="float32"), "update_delay needs arithmetic=exact; leave it at 0"),
    (dict(seq_length=4, update_interval=5), "update_interval must be at most seq_length (4), got 5"),
], ids=str)
def test_a_value_out_of_bounds_is_refused_by_name(values, message):
    with pytest.raises(SettingsError) as refused:
        Settings(**values)
    assert str(refused.value) == message
    assert isinstance(refused.value, LockstepError) and isinstance(refused.value, ValueError)


@pytest.mark.parametrize("parameter", NUMERIC, ids=by_name)
def test_bounds_belong_to_the_range_and_what_lies_beyond_does_not(parameter):
    facts = parameter.metadata
    for bound, beyond in ((facts["minimum"], -1), (facts["maximum"], 1)):
        assert getattr(Settings(**{parameter.name: bound}), parameter.name) == bound
        with pytest.raises(SettingsError, match=f"^{parameter.name} must be "):
            Settings(**{parameter.name: bound + beyond})


@pytest.mark.parametrize("value", [64, np.int32(64), np.uint8(64), 64.0, np.float64(64), "64", " 64 "], ids=repr)
def test_any_whole_number_becomes_an_int(value):
    units = Settings(rnn_units=value).rnn_units
    assert units == 64 and type(units) is int


@pytest.mark.parametrize("value", [1, np.float32(1), "1", "1e0"], ids=repr)
def test_any_number_becomes_a_float_where_one_is_asked_for(value):
    rate = Settings(start_learning_rate=value).start_learning_rate
    assert rate == 1.0 and type(rate) is float


def test_text_is_read_as_name_and_value():
    settings = Settings().with_text(["rnn_units=64", " start_learning_rate = 2e-3 ", "coder=arithmetic-compressor",
                                     "backend=numpy"])
    assert settings == Settings(rnn_units=64, start_learning_rate=0.002, coder="arithmetic-compressor", backend="numpy")


@pytest.mark.parametrize("text, message", [
    ("rnn_units", "a setting is written name=value, got 'rnn_units'"),
    ("rnn_unit=5", "there is no setting 'rnn_unit'; did you mean rnn_units?"),
    ("colour=5", "there is no setting 'colour'; the settings are adam_beta_2, "),
    ("rnn_units=1=2", "rnn_units must be 8 to 8192, a whole number, got '1=2'"),
    ("update_interval=9", "update_interval must be at most seq_length (4), got 9"),
])
def test_text_that_is_no_setting_is_refused(text, message):
    with pytest.raises(SettingsError) as refused:
        Settings(seq_length=4).with_text([text])
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("unset", [None, "", "preset"])
def test_a_parameter_can_be_left_to_the_preset_again(unset):
    assert Settings(rnn_units=64, seed=5).with_values({"rnn_units": unset}) == Settings(seed=5)


@pytest.mark.parametrize("name", ["preset", "backend"])
@pytest.mark.parametrize("unset", [None, ""])
def test_what_belongs_to_a_run_is_auto_where_nothing_is_said(name, unset):
    assert getattr(Settings(), name) == getattr(Settings(**{name: None}), name) == default_of(name) == "auto"
    assert Settings(backend="numpy", preset="network").with_values({name: unset}) == dataclasses.replace(
        Settings(backend="numpy", preset="network"), **{name: "auto"})


@pytest.mark.parametrize("preset", ["auto", "fast", "balanced", "best", "network"])
@pytest.mark.parametrize("symbol_count", [0, 1, 24_999, 25_000, 10 ** 12])
@pytest.mark.parametrize("chosen", [{}, dict(rnn_units=9, contexts="none", num_layers=1, coder="arithmetic-compressor"),
                                    dict(batch_size=500), dict(seq_length=1), dict(update_interval=256),
                                    dict(table_bits=12)], ids=str)
def test_resolve_fills_in_every_value_and_keeps_what_was_chosen(preset, symbol_count, chosen):
    complete = Settings(preset=preset, **chosen).resolve(symbol_count)
    assert None not in dataclasses.astuple(complete)
    assert {name: getattr(complete, name) for name in chosen} == chosen


def test_presets_with_contexts_fit_streams_and_tables_to_the_input_and_the_network_preset_does_not():
    counts = (0, 1_000, 399_999, 1_999_999, 2_000_000, 4_000_000, 8_000_000, 10 ** 9)
    balanced = [Settings(preset="balanced", primer="none").resolve(count) for count in counts]
    assert [settings.batch_size for settings in balanced] == [1, 1, 1, 1, 2, 4, 8, 16]
    assert [settings.table_bits for settings in balanced] == [14, 15, 24, 26, 26, 26, 26, 26]
    assert [Settings(preset="balanced", primer="text-1").resolve(count).table_bits for count in counts] == [23, 23, 25, 26, 26, 26, 26, 26]
    assert {Settings(preset="fast").resolve(count).batch_size for count in counts} == {1}
    assert {Settings(preset="network").resolve(count).batch_size for count in counts} == {4}


@pytest.mark.parametrize("preset, network, contexts", [
    ("fast", False, True), ("balanced", True, True), ("best", True, True), ("network", True, False)])
@pytest.mark.parametrize("kind", ["text", "binary"])
def test_what_a_preset_codes_with(preset, kind, network, contexts):
    complete = Settings(preset=preset).resolve(10_000, kind)
    assert (complete.has_network, complete.has_contexts) == (network, contexts)
    assert complete.contexts == (kind if contexts else "none")
    assert Settings(preset=preset, contexts="text").resolve(10_000, "binary").contexts == "text"


@pytest.mark.parametrize("chosen, expected", [
    ({}, False), (dict(contexts="text"), False), (dict(batch_size=2, table_bits=20), False), (dict(num_layers=0), False),
    (dict(num_layers=2), True), (dict(rnn_units=9), True), (dict(seed=5), True), (dict(arithmetic="float32"), True)])
def test_a_parameter_of_the_network_is_told_from_others(chosen, expected):
    assert Settings(**chosen).chooses_network == expected


def test_defaults_are_those_of_the_balanced_preset_or_say_what_they_go_by():
    balanced = Settings(preset="balanced").resolve(10_000)
    for parameter in coding_parameters():
        shown = default_of(parameter.name)
        assert shown == getattr(balanced, parameter.name) or shown in ("by size", "by the data")


def test_a_header_holds_only_what_differs_from_the_preset():
    newest, nothing = Settings(preset="network").resolve(0).to_header()
    assert nothing == {} and newest == NETWORK
    changed = Settings(preset="network", rnn_units=64, coder="arithmetic-compressor").resolve(0)
    assert changed.to_header() == (newest, {4: 64, 12: "arithmetic-compressor"})


@pytest.mark.parametrize("number", PRESETS)
def test_a_preset_as_it_is_takes_no_more_than_its_number(number):
    assert Parameters(**values_of(number)).to_header() == (number, {})
    assert Parameters.from_header(number, {}) == Parameters(**values_of(number))


def test_a_header_does_not_hold_what_computed_the_file():
    complete = Settings(rnn_units=64).resolve(0)
    assert Settings(rnn_units=64, backend="numpy").resolve(0) == complete
    assert Parameters.from_header(*complete.to_header()) == complete


@pytest.mark.parametrize("parameter", coding_parameters(), ids=by_name)
def test_what_a_file_says_itself_cannot_be_chosen_to_decode_it(parameter):
    value = getattr(Settings().resolve(0), parameter.name)
    with pytest.raises(SettingsError, match=f"^the file says {parameter.name} itself; .* only how to run can be chosen"):
        Settings(**{parameter.name: value}).check_for_decoding()
    Settings(backend="numpy").check_for_decoding()


@given(complete_settings())
def test_settings_come_back_from_a_header(settings):
    assert Parameters.from_header(*settings.to_header()) == settings


@pytest.mark.parametrize("number, overrides, message", [
    (0, {}, "preset 0"),
    (999, {}, "preset 999"),
    (1, {99: 1}, "parameter 99"),
    (1, {"rnn_units": 64}, "parameter rnn_units"),
    (1, {4: 7}, "rnn_units must be 8 to 8192, got 7"),
    (1, {4: 8193}, "rnn_units must be 8 to 8192, got 8193"),
    (1, {4: [64]}, "rnn_units must be 8 to 8192, got [64]"),
    (1, {4: None}, "rnn_units must be 8 to 8192"),
    (1, {7: float("nan")}, "start_learning_rate must be 1e-07 to 1.0, a number, got nan"),
    (1, {11: b"float32"}, "arithmetic must be one of exact, float32, float16"),
    (1, {12: None}, "coder must be one of numba, arithmetic-compressor"),
    (1, {2: 2, 3: 3}, "update_interval must be at most seq_length (2), got 3"),
], ids=str)
def test_a_header_that_cannot_be_used_is_refused(number, overrides, message):
    with pytest.raises(SettingsError) as refused:
        Parameters.from_header(number, overrides)
    assert message in str(refused.value)


def test_released_presets_and_header_numbers_never_change():
    assert {number: hashlib.sha256(json.dumps(dict(PRESETS[number]), sort_keys=True).encode()).hexdigest()
            for number in RELEASED_PRESETS} == RELEASED_PRESETS
    assert {parameter.name: parameter.metadata["header_id"] for parameter in coding_parameters()} == HEADER_IDS


def test_header_numbers_are_unique():
    numbers = [parameter.metadata["header_id"] for parameter in coding_parameters()]
    assert len(set(numbers)) == len(numbers)


def test_settings_and_presets_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().rnn_units = 64
    with pytest.raises(TypeError):
        PRESETS[1]["rnn_units"] = 64
