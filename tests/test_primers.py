"""Texts that contexts read before an input: as they were released, and used by both directions alike."""

import numpy as np
import pytest
from samples import TEXT

from lib import Settings, compress, decompress, inspect
from lib.errors import InstallationError
from lib.mixing import primers

ENGLISH = (b"There is a time in the life of every man when he looks back upon what he has done, and wonders whether it was "
           b"worth the trouble. The captain had reached that age. He sat by the window of the little house near the harbour.")


def compressed(tmp_path, data, name, **settings):
    (tmp_path / "in").write_bytes(data)
    packed = compress(tmp_path / "in", tmp_path / name, settings=Settings(preset="fast", **settings))
    decompress(packed.output_path, tmp_path / f"{name}.out")
    assert (tmp_path / f"{name}.out").read_bytes() == data
    return packed


def test_the_setting_knows_the_primers():
    assert Settings.__dataclass_fields__["primer"].metadata["choices"] == primers.NAMES


@pytest.mark.parametrize("name", primers.NAMES[1:])
def test_a_primer_is_as_it_was_released(name):
    codes = primers.read(name)
    assert codes.dtype == np.uint16 and codes.shape == (primers.length(name),)
    assert not np.isin(codes, [0, 13]).any()          # plain text, as no editor or checkout has changed it


@pytest.mark.parametrize("damage", [lambda text: text[:-1], lambda text: text.replace(b"\n", b"\r\n"), None])
def test_a_changed_or_missing_primer_is_refused(tmp_path, monkeypatch, damage):
    path = tmp_path / "text-1.txt"
    if damage:
        path.write_bytes(damage((primers.FOLDER / "text-1.txt").read_bytes()))
    monkeypatch.setattr(primers, "FOLDER", tmp_path)
    with pytest.raises(InstallationError, match="text-1.txt is missing or changed.*install Lockstep again"):
        primers.read("text-1")


def test_small_texts_gain_and_the_file_names_its_primer(tmp_path):
    without = compressed(tmp_path, ENGLISH, "without")
    primed = compressed(tmp_path, ENGLISH, "primed", primer="text-1")
    assert primed.compressed_bytes < 0.8 * without.compressed_bytes
    assert inspect(without.output_path).parameters.primer == "none"
    assert inspect(primed.output_path).parameters.primer == "text-1"


@pytest.mark.parametrize("contexts", ["text", "binary"])
def test_streams_of_any_number_and_kind_go_on_from_a_primer(tmp_path, contexts):
    text = ENGLISH + TEXT[:100]                       # no multiple of the streams: some end early
    primed = compressed(tmp_path, text, "primed", primer="text-1", contexts=contexts, batch_size=7)
    assert inspect(primed.output_path).plan.memory_bytes > 32 * primers.length("text-1")


def test_networks_that_have_read_took_the_place_of_primers_in_presets():
    assert {Settings(preset=preset).resolve(1000, "text").primer for preset in ("fast", "balanced", "best")} == {"none"}
    assert Settings(preset="balanced", primer="text-1").resolve(1000, "text").weights == "text-small-1"
