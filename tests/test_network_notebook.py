"""docs/network.ipynb, executed in an empty working folder with no network."""

import nbformat
import pytest
from test_notebooks import ONLY_LOOPBACK, pictures

from tools.build_notebooks import ROOT
from tools.execute import execute, text_of

NAME = "docs/network.ipynb"
VALUES = {"same": "same", "hashes": "hashes", "own": "own_comes_back", "sizes": "[len(DATA), len(coded), len(coded_half)]",
          "losses": "{name: curve.so_far()[-1] for name, curve in curves.items()}"}


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """(the notebook, values of its names, the folder it ran in)."""
    folder = tmp_path_factory.mktemp("empty")
    return *execute(NAME, folder, values=VALUES, prelude=ONLY_LOOPBACK), folder


def test_what_is_coded_in_it_comes_back_and_the_backends_agree(executed):
    _, values, folder = executed
    assert values["same"] == [True, True] and values["own"] is True
    assert set(values["hashes"]) == {"numba", "numpy"} and len(set(values["hashes"].values())) == 1
    original, coded, coded_half = values["sizes"]
    assert coded < coded_half < 0.7 * original
    assert list(folder.iterdir()) == []


def test_a_change_of_the_network_changes_the_loss(executed):
    _, values, _ = executed
    losses = {name: bits for name, (_, bits) in values["losses"].items()}
    assert {position for position, _ in values["losses"].values()} == {values["sizes"][0]}
    assert losses["rnn_units=128"] < losses["none"] < losses["rnn_units=16"]
    assert losses["none"] < losses["num_layers=1"] and losses["none"] < losses["start_learning_rate=0.001"]


def test_it_shows_plots_and_what_happens_without_the_model(executed):
    book, *_ = executed
    assert [pictures(cell) for cell in book.cells if cell.cell_type == "code" and pictures(cell)] == [1, 1, 1]
    refused = next(cell for cell in book.cells if cell.source.startswith("try:"))
    assert text_of(refused).startswith("ModelError: Feedforward (a model of one's own) is needed, and none is given; ")


def test_it_is_short():
    cells = [cell for cell in nbformat.read(ROOT / NAME, as_version=4).cells if cell.cell_type == "code"]
    assert len(cells) < 15
    assert max(len([line for line in cell.source.splitlines() if line]) for cell in cells) <= 15
