"""The notebooks as people meet them: Jupyter in a browser, a real upload, a real download."""

import json
import re
import zipfile

import pytest

lab = pytest.importorskip("lab", reason="Playwright is not installed")
pytestmark = pytest.mark.skipif(lab.chromium() is None, reason="there is no Chromium here (Debian: chromium)")

TEXT = (lab.ROOT / "README.md").read_bytes()
LONG = TEXT + b"".join(path.read_bytes() for path in sorted((lab.ROOT / "lib" / "mixing").rglob("*.py")))       # some seconds
LASTING = b"".join(b"%d bottles of beer on the wall, %d bottles of beer. " % (number, number) for number in range(9_000))     # minutes
GOES_ON = re.compile(r"\d+%, .* left, ")           # what is said of a run
SURFACES = {"JupyterLab": "lab/tree", "Notebook 7": "notebooks"}


@pytest.fixture(scope="module")
def opened():
    with lab.browser() as browser:
        yield browser


@pytest.fixture
def work(tmp_path):
    return lab.workplace(tmp_path)


@pytest.fixture
def chosen(tmp_path_factory):
    """A file of the person's own, and a folder for downloads."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "tale.txt").write_bytes(TEXT)
    return folder / "tale.txt", folder


@pytest.fixture
def person(opened, work):
    """Somebody at Jupyter: `person(notebook)` opens one and runs all of its cells."""
    with lab.lab(work) as address:
        pages = []

        def at(notebook, surface="JupyterLab"):
            someone = lab.Person(opened)
            pages.append(someone.page)
            someone.open(f"{address}/{SURFACES[surface]}/{notebook}")
            someone.run_all()
            return someone

        yield at
        for page in pages:
            page.close()


def begin(someone, file):
    """Begin a run that takes minutes."""
    someone.upload(file)
    someone.choose("small")
    someone.press("Compress")
    someone.sees(GOES_ON)


@pytest.mark.parametrize("surface", SURFACES)
def test_a_file_is_uploaded_compressed_downloaded_and_comes_back(person, work, chosen, surface):
    file, downloads = chosen
    file.write_bytes(LONG)
    someone = person("compress.ipynb", surface)
    someone.sees("Choose a file. Most servers")
    someone.picture(f"{surface} 1-form")
    someone.upload(file)
    someone.sees(re.compile(r"auto takes \w+ for"))
    someone.choose("quick")
    someone.press("Compress")
    someone.sees(GOES_ON)
    someone.page.locator("img.widget-image, .widget-image img").first.wait_for()
    someone.picture(f"{surface} 2-running")
    someone.sees(re.compile(r"\d+ % smaller|\d+% smaller"))
    assert someone.is_in_sight("smaller") and someone.is_in_sight("Download tale.txt.lks")
    someone.picture(f"{surface} 3-result")
    packed = someone.receives("tale.txt.lks", downloads)
    assert someone.download("tale.txt.lks", downloads / "again").read_bytes() == packed.read_bytes()
    assert packed.read_bytes() == (work / "files" / "tale.txt.lks").read_bytes() and packed.stat().st_size < len(LONG) / 4

    someone = person("decompress.ipynb", surface)
    someone.sees("Choose a file. Most servers")
    someone.upload(packed)
    someone.sees("tale.txt.lks says that it holds tale.txt")
    someone.press("Decompress")
    someone.sees("is the original, bit for bit")
    someone.picture(f"{surface} 4-decompressed", below="is the original, bit for bit")
    assert someone.receives("tale.txt", downloads).read_bytes() == LONG          # the first is still there


def test_what_is_wrong_is_said_beside_the_field_and_in_one_box(person, work):
    someone = person("compress.ipynb")
    someone.unfold("Options")
    someone.fill_in("rnn_units", "4")
    someone.sees("rnn_units must be 8 to 8192, got 4")
    assert someone.page.locator("button.jupyter-button:has-text('Compress')").is_disabled()
    someone.picture("JupyterLab 5-wrong-value")
    someone.fill_in("rnn_units", "")
    someone.fill_in("path", "nowhere.txt")
    someone.press("Compress")
    someone.sees("The input cannot be used")
    someone.picture("JupyterLab 6-error", below="The input cannot be used")
    assert not someone.page.get_by_text("Stopped: ").count()
    assert not someone.page.get_by_text("Traceback").is_visible()
    someone.page.get_by_text("Details for reporting it").click()
    assert someone.page.get_by_text("Traceback").is_visible()


def test_a_damaged_file_gets_a_red_verdict_and_nothing_is_made(person, work, chosen):
    file, downloads = chosen
    damaged = bytearray((lab.ROOT / "tests" / "golden" / "fast.txt.lks").read_bytes())
    damaged[-20] ^= 1
    (downloads / "fast.txt.lks").write_bytes(damaged)
    someone = person("decompress.ipynb")
    someone.upload(downloads / "fast.txt.lks")
    someone.press("Decompress")
    someone.sees("The file is damaged or not Lockstep's")
    someone.picture("JupyterLab 10-damaged", below="The file is damaged or not Lockstep's")
    assert {path.name for path in (work / "files").iterdir()} <= {"fast.txt.lks", "exact.txt.partial"}


def test_a_run_that_is_stopped_goes_on(person, work, chosen):
    file, downloads = chosen
    file.write_bytes(LASTING)
    someone = person("compress.ipynb")
    begin(someone, file)
    someone.press("Stop")
    someone.sees("Nothing is lost: ")
    someone.picture("JupyterLab 7-stopped")
    kept, = (work / "files").glob("*.checkpoint")
    assert not list((work / "files").glob("*.lks"))
    someone.press("Compress")
    someone.sees(f"going on from files/{kept.name}")
    someone.press("Stop")
    someone.sees("Nothing is lost: ")


def test_a_reloaded_page_finds_the_run_again_and_a_saved_notebook_its_result(person, work, chosen):
    """Run All in mid-run, in the page itself, after a reload and in a second tab: one run, in sight in each."""
    file, downloads = chosen
    file.write_bytes(LASTING)
    someone = person("compress.ipynb")
    begin(someone, file)
    someone.run_all()
    someone.sees(GOES_ON)
    someone.reload()
    someone.run_all()
    someone.sees(GOES_ON)
    someone.picture("JupyterLab 9-found-again")
    other = person("compress.ipynb")
    other.sees(GOES_ON)
    other.press("Stop")
    for page in (someone, other):
        page.sees("Nothing is lost: ")
    file.write_bytes(TEXT)
    someone.upload(file)
    someone.choose("quick")
    someone.press("Compress")
    someone.sees(re.compile(r"\d+% smaller"))
    someone.receives("tale.txt.lks", downloads)
    someone.page.wait_for_timeout(2_000)                        # until the script that let it go is taken away again
    someone.save()
    saved = json.loads((work / "compress.ipynb").read_text())
    html = "".join("".join(output["data"].get("text/html", "")) for cell in saved["cells"] for output in cell.get("outputs", []) if "data" in output)
    assert "% smaller" in html and "Download tale" in html and "application/javascript" not in str(saved)
    someone.reload(without_kernel=True)
    someone.sees(re.compile(r"\d+% smaller"))
    someone.picture("JupyterLab 11-reopened")


def test_a_file_is_split_and_joined(person, work, chosen):
    file, downloads = chosen
    someone = person("splitter.ipynb")
    someone.upload(file)
    someone.fill_in("parts", "2")
    someone.press("Split or join")
    someone.sees("Keep tale.txt.parts.json for joining them.")
    someone.picture("JupyterLab 8-split")
    with zipfile.ZipFile(someone.download("tale.txt.parts.zip", downloads)) as packed:
        assert sorted(packed.namelist()) == ["tale.txt.part1of2", "tale.txt.part2of2", "tale.txt.parts.json"]
    (work / "files" / "tale.txt").unlink()
    someone.press("Another file")
    someone.unfold("Options")
    someone.fill_in("path", "files/tale.txt.parts.json")
    someone.sees("tale.txt in 2 parts: 2 lie beside tale.txt.parts.json, 0 are compressed.")
    someone.press("Split or join")
    someone.sees("Download tale.txt (")
    assert someone.download("tale.txt", downloads).read_bytes() == TEXT


def test_a_reloaded_app_can_do_the_same_again(opened, work, chosen):
    """The kernel of the page before goes, and with it the run that would keep the output for itself."""
    file, downloads = chosen
    file.write_bytes(LASTING)
    with lab.app(work) as address:
        someone = lab.Person(opened)
        for _ in range(2):
            someone.page.goto(f"{address}/compress.ipynb")
            begin(someone, file)
        someone.press("Stop")
        someone.sees("Nothing is lost: ")
        someone.page.close()


def test_the_app_has_no_code_and_does_the_same(opened, work, chosen):
    file, downloads = chosen
    with lab.app(work) as address:
        someone = lab.Person(opened)
        someone.page.goto(f"{address}/compress.ipynb")
        someone.upload(file)
        someone.choose("quick")
        someone.press("Compress")
        someone.sees("Download tale.txt.lks")
        someone.sees("gzip")
        someone.picture("app 1-result")
        for text in ("notebook.compress(form)", "Run All", "Colab", "of this notebook"):
            assert not someone.page.get_by_text(text).count(), text
        packed = someone.download("tale.txt.lks", downloads)
        someone.page.goto(f"{address}/decompress.ipynb")
        someone.upload(packed)
        someone.press("Decompress")
        someone.sees("is the original, bit for bit")
        assert someone.download("tale.txt", downloads).read_bytes() == TEXT
        someone.page.close()
