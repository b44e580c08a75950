"""Where inputs come from: uploads in both forms of ipywidgets, URLs, paths."""

import contextlib
import http.server
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib import Settings, compress, split
from lib.errors import InputError, SettingsError
from lib.notebook import host, inputs, parts
from lib.notebook.choices import Choices
from lib.storage.files import free_name

BODY = bytes(range(256)) * 5000        # 1.28 MB


class _Server(http.server.BaseHTTPRequestHandler):
    """Serves BODY: with its length, without it, or less than it says."""

    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/no-length":
            self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):         # of a client that has seen enough
            self.wfile.write(BODY[:1000] if self.path == "/short" else BODY)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize("page, name", [("/a%20file.bin", "a file.bin"), ("/no-length", "no-length"), ("/", "download"),
                                        ("/..%2f..%2fx", "x")])
def test_a_url_is_fetched_under_its_base_name(server, tmp_path, page, name):
    path = inputs.fetch(server + page, tmp_path, largest_mb=2)
    assert path == tmp_path / name and path.read_bytes() == BODY


@pytest.mark.parametrize("page", ["/file", "/no-length"])
def test_a_url_with_more_than_the_limit_is_refused_and_leaves_nothing(server, tmp_path, page):
    with pytest.raises(InputError, match="larger than 1 MB; raise largest_download_mb"):
        inputs.fetch(server + page, tmp_path, largest_mb=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("page, said", [("/missing", "404"), ("/short", "try again|cannot fetch")])
def test_a_url_that_fails_says_so_and_leaves_nothing(server, tmp_path, page, said):
    with pytest.raises(InputError, match=said):
        inputs.fetch(server + page, tmp_path, largest_mb=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://x/y", "x.txt", "http://", "http://127.0.0.1:1/x"])
def test_other_addresses_are_refused(tmp_path, url):
    with pytest.raises(InputError):
        inputs.fetch(url, tmp_path, largest_mb=1)


@pytest.mark.parametrize("value", [
    {"../up.bin": {"metadata": {"name": "up.bin"}, "content": b"content"}},            # ipywidgets 7
    ({"name": "../up.bin", "content": memoryview(b"content"), "size": 7},)])           # ipywidgets 8
def test_an_upload_lands_in_the_folder_under_its_base_name(tmp_path, value):
    path = host.widget_upload(SimpleNamespace(value=value), tmp_path)
    assert path == tmp_path / "up.bin" and path.read_bytes() == b"content"


@pytest.mark.parametrize("value", [{}, ()])
def test_an_empty_upload_field_is_no_upload(tmp_path, value):
    assert host.widget_upload(SimpleNamespace(value=value), tmp_path) is None


def find(uploaded=None, **chosen):
    return inputs.find_input(Choices(**chosen), uploaded, lambda folder: Path("sample"))


def test_auto_takes_what_is_given():
    assert find() == Path("sample")
    assert find(uploaded=Path("up")) == Path("up")
    assert find(uploaded=Path("up"), path="/a/b") == Path("/a/b")
    assert find(uploaded=Path("up"), input_from="sample") == Path("sample")


@pytest.mark.parametrize("chosen", [dict(input_from="path"), dict(input_from="url"), dict(input_from="upload"),
                                    dict(input_from="drive", path="x")])
def test_a_choice_that_names_nothing_is_refused(chosen):
    with pytest.raises(InputError):
        find(**chosen)


@pytest.mark.parametrize("wrong, message", [
    (dict(input_from="disk"), "input_from must be one of"), (dict(output_to="x"), "output_to must be one of"),
    (dict(largest_download_mb=0), "largest_download_mb must be"), (dict(largest_download_mb="a"), "got 'a'")])
def test_wrong_choices_are_refused_by_name(wrong, message):
    with pytest.raises(SettingsError, match=message):
        Choices(**wrong)


def test_a_name_that_exists_gets_a_number(tmp_path):
    assert free_name(tmp_path / "a.txt") == tmp_path / "a.txt"
    for name in ("a.txt", "a (2).txt"):
        (tmp_path / name).touch()
    assert free_name(tmp_path / "a.txt") == tmp_path / "a (3).txt"


def test_fetching_or_uploading_never_replaces_another_file(server, tmp_path):
    (tmp_path / "file").write_bytes(b"somebody's own")
    upload = SimpleNamespace(value=({"name": "file", "content": memoryview(b"new")},))
    assert inputs.fetch(server + "/file", tmp_path, largest_mb=2) == tmp_path / "2" / "file"
    assert host.widget_upload(upload, tmp_path) == tmp_path / "3" / "file"
    assert (tmp_path / "file").read_bytes() == b"somebody's own"


def test_fetching_or_uploading_the_same_again_keeps_one_file(server, tmp_path):
    upload = SimpleNamespace(value=({"name": "file", "content": memoryview(BODY)},))
    assert {inputs.fetch(server + "/file", tmp_path, largest_mb=2), inputs.fetch(server + "/file", tmp_path, largest_mb=2),
            host.widget_upload(upload, tmp_path)} == {tmp_path / "file"}
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_lks_file_is_replaced_only_by_one_of_the_same_original(tmp_path):
    original = tmp_path / "a"
    original.write_bytes(b"first")
    assert inputs.output_for(original, tmp_path) == tmp_path / "a.lks"
    compress(original)
    assert inputs.output_for(original, tmp_path) == tmp_path / "a.lks"
    original.write_bytes(b"second")
    assert inputs.output_for(original, tmp_path) == tmp_path / "a (2).lks"
    (tmp_path / "2").mkdir()
    assert inputs.output_for(tmp_path / "2" / "a", tmp_path) == tmp_path / "2" / "a.lks"
    assert inputs.output_for(tmp_path / "2" / "a", tmp_path / "elsewhere") == tmp_path / "elsewhere" / "a.lks"
    (tmp_path / "a.lks").write_bytes(b"no .lks file")
    assert inputs.output_for(original, tmp_path) == tmp_path / "a (2).lks"


def test_the_same_upload_is_found_again_among_others_of_its_name(tmp_path):
    def upload(content):
        return host.widget_upload(SimpleNamespace(value=({"name": "a", "content": memoryview(content)},)), tmp_path)
    first, second, third = upload(b"1"), upload(b"2"), upload(b"3")
    assert [path.relative_to(tmp_path).as_posix() for path in (first, second, third)] == ["a", "2/a", "3/a"]
    assert (upload(b"2"), upload(b"3"), upload(b"1")) == (second, third, first)


def test_parts_replace_only_parts_of_the_same_file(tmp_path):
    """The newcomer's case: a second file of a name is split, and the first one's parts are still wanted."""
    folder, first, second = tmp_path / "files", tmp_path / "files" / "a", tmp_path / "elsewhere" / "a"
    for path, content in ((first, b"first" * 9), (second, b"other" * 9)):
        path.parent.mkdir()
        path.write_bytes(content)
    assert inputs.folder_for_parts(first, folder) == folder
    manifest, _ = split(first, 2, folder)
    assert inputs.folder_for_parts(first, folder) == folder and inputs.folder_for_parts(second, folder) == folder / "2"
    manifest.unlink()
    assert inputs.folder_for_parts(second, folder) == folder / "2"
    (folder / "2" / "a").write_bytes(b"third")
    assert inputs.folder_for_parts(folder / "2" / "a", folder) == folder / "2"


def test_a_checkpoint_is_of_one_input_and_its_settings_and_has_a_short_name(tmp_path):
    path = tmp_path / ("字" * 80)
    path.write_bytes(b"one")
    first = inputs.checkpoint_name(path, Settings(preset="fast"))
    assert inputs.checkpoint_name(path, Settings(preset="fast")) == first and len(first.encode()) < 130
    assert inputs.checkpoint_name(path, Settings(preset="balanced")) != first
    path.write_bytes(b"two")
    assert inputs.checkpoint_name(path, Settings(preset="fast")) != first


def test_on_drive_only_what_is_the_same_gives_way(tmp_path):
    there, new = tmp_path / "there", tmp_path / "new"
    for folder, content in ((there, b"first"), (new, b"other")):
        folder.mkdir()
        (folder / "a").write_bytes(content)
        compress(folder / "a", settings=Settings(preset="fast"))
        (folder / "x.state").write_bytes(content)
    assert not parts.may_replace(there / "a", new / "a") and not parts.may_replace(there / "a.lks", new / "a.lks")
    assert parts.may_replace(there / "x.state", new / "x.state") and parts.may_replace(there / "a", there / "a")
    compress(there / "a", new / "a.lks", Settings(preset="fast"), overwrite=True)
    assert parts.may_replace(there / "a.lks", new / "a.lks")
