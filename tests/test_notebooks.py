"""The notebooks themselves, executed in an empty working folder with no network."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

import lib
from lib.notebook.choices import Choices
from lib.sample import SAMPLE_NAME, sample_bytes
from lib.settings import Settings
from tools import make_zip
from tools.build_notebooks import ROOT, build
from tools.execute import execute, text_of

TINY = {"rnn_units": "8", "num_layers": "1", "embedding_size": "4"}
ONLY_LOOPBACK = """
import socket
_connect = socket.socket.connect
def _refuse(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a notebook under test reached for {address}")
    return _connect(self, address)
socket.socket.connect = _refuse
"""
COLAB = ONLY_LOOPBACK + f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import colab_stand_in
calls = colab_stand_in.install(upload={{"chosen.txt": b"a person's file\\n" * 40}}, drive_folder="drive")
"""
PATHS = {"input": "str(result.input_path)", "output": "str(result.output_path)", "sha256": "result.sha256"}
RUN = {**PATHS, "backend": "result.backend"}


def pictures(cell):
    """How many PNG pictures a cell shows."""
    return sum("image/png" in output.get("data", {}) for output in cell.outputs)


def cell(book, title):
    return next(cell for cell in book.cells if cell.source.startswith(f"#@title {title}"))


@pytest.fixture
def file(tmp_path):
    """A small file outside the working folder, and the working folder."""
    source = tmp_path / "elsewhere" / "notes.txt"
    source.parent.mkdir()
    source.write_bytes(b"the quick brown fox jumps over the lazy dog\n" * 20)
    work = tmp_path / "work"
    work.mkdir()
    return source, work


def test_a_file_goes_through_both_notebooks_and_comes_back(file):
    source, work = file
    book, made = execute("compress.ipynb", work, {"path": str(source), **TINY}, RUN, ONLY_LOOPBACK)
    assert (made["output"], made["backend"]) == ("files/notes.txt.lks", "numba")
    compressed = (work / "files" / "notes.txt.lks").stat().st_size
    assert compressed < source.stat().st_size
    result = text_of(cell(book, "4. Result"))
    assert f"{source.stat().st_size:,} bytes" in result and f"{compressed:,} bytes" in result
    assert all(name in result for name in ("gzip", "bzip2", "xz", "computed by", "numba", made["sha256"]))
    assert pictures(cell(book, "3. Compress")) == 1      # one plot, updated in place
    assert pictures(cell(book, "4. Result")) == 1        # the chart
    assert "notes.txt.lks" in text_of(cell(book, "5. Take"))
    assert (work / "files" / "notes.txt.lks.progress.png").read_bytes()[:4] == b"\x89PNG"

    # takes the newest .lks file
    book, back = execute("decompress.ipynb", work, {"backend": "numpy"}, RUN, ONLY_LOOPBACK)
    assert (work / back["output"]).read_bytes() == source.read_bytes()
    assert (back["output"], back["sha256"], back["backend"]) == ("files/notes.txt", made["sha256"], "numpy")
    result = text_of(cell(book, "4. Result"))
    assert "notes.txt" in result and "everywhere" in result
    assert "bit for bit" in result and "computed by" in result and "numpy" in result


def test_a_plot_that_cannot_be_kept_is_a_warning_and_the_output_stands(file):
    source, work = file
    (work / "files" / "notes.txt.lks.progress.png").mkdir(parents=True)
    book, made = execute("compress.ipynb", work, {"path": str(source), "preset": "fast"}, PATHS, ONLY_LOOPBACK)
    assert made["output"] == "files/notes.txt.lks" and (work / made["output"]).exists()
    assert "Warning: " in text_of(cell(book, "3. Compress"))


@pytest.mark.parametrize("name, said", [("clip.npy", "150 in 10 frames of 3 x 5"), ("slope.ppm", "WebP")])
def test_what_has_a_shape_is_shown(tmp_path, name, said):
    """A video of tokens, and an image: one picture more than for other files."""
    shutil.copy(ROOT / "tests" / "golden" / name, tmp_path)
    book, _ = execute("compress.ipynb", tmp_path, {"path": name, "preset": "fast"}, PATHS, ONLY_LOOPBACK)
    result = cell(book, "4. Result")
    assert pictures(result) == 2 and said in text_of(result)


def test_a_file_is_split_goes_through_the_notebooks_and_is_joined(file):
    source, work = file
    values = {"path": "str(result.path)", "made": "[path.name for path in result.made]"}
    book, cut = execute("splitter.ipynb", work, {"path": str(source), "parts": 2}, values, ONLY_LOOPBACK)
    assert cut["made"] == ["notes.txt.parts.json", "notes.txt.part1of2", "notes.txt.part2of2"]
    result = text_of(cell(book, "4. Result"))
    assert "notes.txt.part2of2" in result and "one after the other, in order" in result
    back = work / "back"
    with zipfile.ZipFile(work / "files" / "notes.txt.parts.zip") as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == {name: (work / "files" / name).read_bytes() for name in cut["made"]}
    for name in cut["made"][1:]:
        execute("compress.ipynb", work, {"path": f"files/{name}", **TINY}, RUN, ONLY_LOOPBACK)
        execute("decompress.ipynb", work, {"path": f"files/{name}.lks", "output_folder": "back"}, RUN, ONLY_LOOPBACK)
        assert (back / name).read_bytes() == (work / "files" / name).read_bytes()
    (work / cut["path"]).rename(back / "notes.txt.parts.json")
    _, joined = execute("splitter.ipynb", work, {"path": "back/notes.txt.parts.json", "output_folder": "whole"}, values, ONLY_LOOPBACK)
    assert (work / joined["path"]).read_bytes() == source.read_bytes()


def test_an_interrupted_cell_goes_on_when_it_is_run_again(file):
    """Three runs of the cell: whole, interrupted, again."""
    source, work = file
    source.write_bytes(source.read_bytes() * 5)
    stop_once = ONLY_LOOPBACK + """
from lib.notebook import runs
from lib.resume.keeper import Keeper
real, visits = Keeper.visit, [0]
def visit(self, state):
    visits[0] += 1
    if visits[0] == 300:
        runs.newest().stop()               # as Ctrl-C does in a cell that waits, and the button
    real(self, state)
Keeper.visit = visit
"""
    fields = {"path": str(source), **TINY, "primer": "none", "preset": "balanced"}
    with pytest.raises(CellExecutionError, match="Stopped"):
        execute("compress.ipynb", work, fields, {}, stop_once)
    kept, = (work / "files").iterdir()
    assert re.fullmatch(r"notes.txt-[0-9a-f]{8}.checkpoint", kept.name)
    book, made = execute("compress.ipynb", work, fields, PATHS, ONLY_LOOPBACK)
    assert f"going on from files/{kept.name}" in text_of(cell(book, "3. Compress"))
    whole = lib.compress(source, work / "whole", Settings(preset="balanced", primer="none").with_values(TINY))
    assert (work / made["output"]).read_bytes() == whole.output_path.read_bytes()
    assert not kept.exists()


def test_with_no_file_chosen_run_all_takes_the_sample(tmp_path):
    book, made = execute("compress.ipynb", tmp_path, {"preset": "fast"}, PATHS, ONLY_LOOPBACK)
    assert made["input"] == f"files/{SAMPLE_NAME}"
    assert (tmp_path / "files" / SAMPLE_NAME).read_bytes() == sample_bytes()
    widgets = [output for cell in book.cells for output in cell.get("outputs", [])
               if "application/vnd.jupyter.widget-view+json" in output.get("data", {})]
    assert widgets, "the form shows no widgets"


def test_in_vs_code_the_form_waits_for_a_file_and_a_path_in_it_is_one(file):
    source, work = file
    in_vs_code = f"__vsc_ipynb_file__ = {str(work / 'compress.ipynb')!r}\n{ONLY_LOOPBACK}"
    book, made = execute("compress.ipynb", work, {}, {"result": "result"}, in_vs_code)
    assert made["result"] is None and not list(work.iterdir())
    assert text_of(cell(book, "3. Compress")) == ""
    book, made = execute("compress.ipynb", work, {**TINY, "path": str(source)}, PATHS, in_vs_code)
    assert made["output"] == "files/notes.txt.lks" and (work / made["output"]).exists()
    assert "files/notes.txt.lks, in the folder of this notebook" in text_of(cell(book, "5. Take the file"))
    assert not any("download" in output["data"]["text/html"] for output in cell(book, "5. Take the file").outputs)


def test_the_splitter_takes_the_sample_too(tmp_path):
    _, made = execute("splitter.ipynb", tmp_path, {}, {"made": "[path.name for path in result.made]"}, ONLY_LOOPBACK)
    assert made["made"] == [f"{SAMPLE_NAME}.parts.json", *(f"{SAMPLE_NAME}.part{number}of4" for number in range(1, 5))]


def test_decompress_alone_in_an_empty_folder_makes_its_own_sample(tmp_path):
    _, back = execute("decompress.ipynb", tmp_path, {"output_folder": "restored"}, PATHS, ONLY_LOOPBACK)
    assert (tmp_path / back["output"]).read_bytes() == sample_bytes()


def test_a_wrong_setting_stops_at_the_form_and_names_it(tmp_path):
    with pytest.raises(CellExecutionError, match="rnn_units must be 8 to 8192, got -3"):
        execute("compress.ipynb", tmp_path, {"rnn_units": "-3"}, {}, ONLY_LOOPBACK)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name, fields", [("compress.ipynb", {field.name for field in dataclasses.fields(Settings)} - {"prior"}),
                                          ("decompress.ipynb", {"backend", "checkpoint_minutes"})])
def test_a_notebook_asks_for_what_its_file_does_not_say(name, fields):
    cells = [cell.source for cell in nbformat.read(ROOT / name, as_version=4).cells if cell.source.startswith("#@title 2")]
    asked = set(re.findall(r"^(\w+) = .*#@param", "\n".join(cells), re.M)) - {"change_the_network"}
    assert asked == fields | {field.name for field in dataclasses.fields(Choices)}


def test_the_networks_parameters_are_left_to_the_preset_unless_that_is_wanted(file):
    """They have a cell of their own, whose values are looked at where its box is ticked."""
    source, work = file
    fields, values = {"path": str(source), "preset": "balanced", "primer": "none"}, {"units": "result.parameters.rnn_units"}
    for wanted in (False, True):
        book = nbformat.read(ROOT / "compress.ipynb", as_version=4)
        scope = {}
        for part in (cell(book, "2. Choose"), cell(book, "2b. The network")):
            exec(part.source.replace("rnn_units = 'preset'", "rnn_units = '8'").replace("change_the_network = False",
                                                                                       f"change_the_network = {wanted}"), scope)
        assert scope["form"].settings().rnn_units == (8 if wanted else None)
    assert execute("compress.ipynb", work, fields | TINY, values, ONLY_LOOPBACK)[1] == {"units": 8}


def test_in_colab_the_upload_is_asked_for_and_the_result_downloaded(tmp_path):
    book, made = execute("compress.ipynb", tmp_path, TINY, {**PATHS, "calls": "calls"}, COLAB)
    assert made["input"] == "files/chosen.txt" and [path.name for path in tmp_path.iterdir()] == ["files"]
    assert made["calls"] == [["upload", None], ["download", "files/chosen.txt.lks"]]
    assert cell(book, "2. Choose").outputs == cell(book, "2b. The network").outputs == []          # Colab's own fields are the form


def test_in_colab_a_second_upload_of_a_name_is_another_file(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "chosen.txt").write_bytes(b"what was there before")
    _, made = execute("compress.ipynb", tmp_path, {**TINY, "preset": "fast"}, PATHS, COLAB)
    assert (made["input"], made["output"]) == ("files/2/chosen.txt", "files/2/chosen.txt.lks")
    assert (tmp_path / "files" / "chosen.txt").read_bytes() == b"what was there before"


def test_in_colab_drive_is_mounted_only_when_asked_for(tmp_path):
    (tmp_path / "drive" / "MyDrive").mkdir(parents=True)
    (tmp_path / "drive" / "MyDrive" / "kept.txt").write_bytes(b"kept on Drive " * 30)
    fields = {"input_from": "drive", "path": "kept.txt", "output_to": "drive", **TINY}
    _, made = execute("compress.ipynb", tmp_path, fields, {**PATHS, "calls": "[call for call, _ in calls]"}, COLAB)
    assert made["calls"] == ["mount", "mount", "mount", "flush"]       # input, checkpoint, output
    copy = tmp_path / "drive" / "MyDrive" / "Lockstep" / "kept.txt.lks"
    assert copy.read_bytes() == (tmp_path / "files" / "kept.txt.lks").read_bytes()


def test_in_colab_a_long_file_goes_on_from_drive_in_machines_that_know_nothing_of_each_other(file):
    """Split onto Drive; each part compressed, and decompressed, in a folder of its own; joined from what Drive has."""
    source, work = file
    drive = work / "drive" / "MyDrive" / "Lockstep"
    drive.parent.mkdir(parents=True)
    (drive.parent / "notes.txt").write_bytes(source.read_bytes())
    colab = COLAB.replace('"drive"', repr(str(work / "drive")))
    kept = {"input_from": "drive", "output_to": "drive"}

    def anew(notebook, number, **fields):
        machine = work / f"machine {number}"
        machine.mkdir()
        book, _ = execute(notebook, machine, {**kept, **fields}, {}, colab)
        return book

    book = anew("splitter.ipynb", 1, path="notes.txt", parts=2)
    names = ["notes.txt.parts.json", "notes.txt.part1of2", "notes.txt.part2of2"]
    assert sorted(path.name for path in drive.iterdir()) == sorted(names) and "next" in text_of(cell(book, "4. Result"))
    for number, name in enumerate(names[1:], 2):
        book = anew("compress.ipynb", number, path=name, **TINY)
    assert "This was part 2 of 2. Keep all .lks files" in text_of(cell(book, "5. Take"))
    parts = {name: (drive / name).read_bytes() for name in names[1:]}
    for path in [*map(drive.joinpath, parts), *drive.glob("*.state")]:
        path.unlink()
    for number, name in enumerate(names[1:], 4):
        book = anew("decompress.ipynb", number, path=f"{name}.lks")
        assert (drive / name).read_bytes() == parts[name]
        said = text_of(cell(book, "5. Take"))
        assert ("Next is notes.txt.part2of2.lks, which needs" if number == 4 else "splitter.ipynb joins them") in said
    (drive.parent / "notes.txt").unlink()
    anew("splitter.ipynb", 6, path="notes.txt.parts.json")
    assert (drive / "notes.txt").read_bytes() == source.read_bytes()


def test_notebooks_are_what_their_parts_say_and_carry_no_outputs():
    for name, text in build().items():
        assert (ROOT / name).read_text() == text, f"{name} is not up to date: make notebooks"
    for name in (*(path.name for path in ROOT.glob("*.ipynb")), "docs/network.ipynb"):
        book = nbformat.read(ROOT / name, as_version=4)
        nbformat.validate(book)
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in book.cells)


def zip_of_the_project(path):
    """A zip as a code host makes it: all in one folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for source in (*ROOT.glob("lib/**/*.py"), ROOT / "requirements.txt"):
            archive.write(source, Path("lockstep-main") / source.relative_to(ROOT))
    return path


def test_the_set_up_cell_takes_a_zip_of_the_project_and_installs_only_what_is_missing(tmp_path):
    zip_of_the_project(tmp_path / "lockstep-main.zip")
    outcome = run_set_up_cell(tmp_path, missing=["arithmetic-compressor", "msgpack"], colab=True)
    assert outcome["installed"] == ["msgpack", "arithmetic-compressor"]
    assert Path(outcome["lib"]).is_relative_to(tmp_path / "lockstep-project")


def test_the_set_up_cell_leaves_tensorflow_out_and_says_what_is_old(tmp_path):
    """Half a gigabyte, for networks in floating point alone; on TPUs it is not there."""
    zip_of_the_project(tmp_path / "lockstep.zip")
    outcome = run_set_up_cell(tmp_path, missing=["tensorflow"], colab=True)
    assert outcome["installed"] is None and "There is no TensorFlow here" in outcome["said"] and "older" not in outcome["said"]
    requirements = re.sub(r"^(numpy|tqdm)>=.*", r"\1>=99.1  # comment", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)
    with zipfile.ZipFile(tmp_path / "lockstep.zip", "a") as archive:
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("lockstep-main/requirements.txt", requirements)
    said = run_set_up_cell(tmp_path, missing=[], colab=True)["said"]
    assert re.search(r"numpy \d\S+ is older than 99.1", said) and "tqdm" in said and said.count("older") == 2


def test_make_zip_makes_what_the_set_up_cell_takes(tmp_path, monkeypatch):
    shutil.copytree(ROOT, tmp_path / "project", ignore=shutil.ignore_patterns(".*", "build", "docs", "benchmarks", "tests"))
    monkeypatch.setattr(make_zip, "ROOT", tmp_path / "project")
    make_zip.main()
    (tmp_path / "work").mkdir()
    shutil.move(tmp_path / "project" / "build" / "lockstep.zip", tmp_path / "work")
    outcome = run_set_up_cell(tmp_path / "work", missing=[], colab=True)
    assert Path(outcome["lib"]).is_relative_to(tmp_path / "work" / "lockstep-project")
    with zipfile.ZipFile(tmp_path / "work" / "lockstep.zip") as archive:
        names = archive.namelist()
    assert {"lockstep/compress.ipynb", "lockstep/lib/mixing/primers/text-1.txt"} <= set(names) and not [name for name in names if "pycache" in name]


def test_the_set_up_cell_fetches_the_project_at_its_tag(tmp_path):
    zip_of_the_project(tmp_path / "served" / "archive" / "refs" / "tags" / f"v{lib.__version__}.zip")
    (tmp_path / "work").mkdir()
    outcome = run_set_up_cell(tmp_path / "work", missing=[], colab=True, address=(tmp_path / "served").as_uri())
    assert Path(outcome["lib"]).is_relative_to(tmp_path / "work" / "lockstep-project")


def test_the_set_up_cell_asks_for_a_zip_where_the_project_cannot_be_reached(tmp_path):
    zipped = zip_of_the_project(tmp_path / "elsewhere" / "project.zip")
    (tmp_path / "work").mkdir()
    outcome = run_set_up_cell(tmp_path / "work", missing=[], colab=True, upload=zipped)
    assert Path(outcome["lib"]).is_relative_to(tmp_path / "work" / "lockstep-project")


def test_the_set_up_cell_installs_nothing_when_nothing_is_missing(tmp_path):
    (tmp_path / "lib").symlink_to(ROOT / "lib")
    (tmp_path / "requirements.txt").symlink_to(ROOT / "requirements.txt")
    assert run_set_up_cell(tmp_path, missing=[], colab=True)["installed"] is None


def test_the_set_up_cell_does_nothing_outside_colab(tmp_path):
    (tmp_path / "lib").symlink_to(ROOT / "lib")
    assert run_set_up_cell(tmp_path, missing=["msgpack"], colab=False)["installed"] is None


def test_the_set_up_cell_says_what_to_do_where_the_project_is_not(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as failure:
        run_set_up_cell(tmp_path, missing=[], colab=False)
    assert "open this notebook from the project's own folder" in failure.value.stderr


def run_set_up_cell(folder, missing, colab, address="file:///nowhere", upload=None):
    """Run the set-up cell of compress.ipynb alone in a fresh process, with pip replaced by a record.

    address: where the project is published. upload: a zip that the person chooses when asked.
    """
    book = nbformat.read(ROOT / "compress.ipynb", as_version=4)
    source, replaced = re.subn('"https://[^"]*"', repr(address), cell(book, "1. Set up").source)
    assert replaced == 1
    script = f"""
import importlib.metadata, json, subprocess, sys
sys.path.append({str(ROOT / "tests")!r})
import colab_stand_in
if {colab}:
    upload = {upload and str(upload)!r}
    colab_stand_in.install(upload and {{"project.zip": open(upload, "rb").read()}})
present = importlib.metadata.distributions
importlib.metadata.distributions = lambda: [p for p in present() if p.name.lower() not in {missing}]
installed = None
def record(command, check):
    global installed
    assert check and command[:4] == [sys.executable, "-m", "pip", "install"], command
    installed = command[5:]
subprocess.run = record
exec({source!r})
import lib
print(json.dumps({{"installed": installed, "lib": lib.__file__}}))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    return {"said": done.stdout, **json.loads(done.stdout.splitlines()[-1])}
