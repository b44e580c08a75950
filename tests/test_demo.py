"""The demo: both notebooks and one table."""

from tools import demo


def test_a_file_goes_there_and_back_and_is_compared(tmp_path, capsys):
    (tmp_path / "notes.txt").write_bytes(b"the quick brown fox jumps over the lazy dog\n" * 20)
    assert demo.main([str(tmp_path / "notes.txt")]) == 0
    shown = capsys.readouterr().out
    assert all(said in shown for said in ("880 bytes", "notes.txt", "bits per byte", "bytes/s", "equal", "gzip", "xz"))


def test_a_file_that_is_not_there_is_said(tmp_path, capsys):
    assert demo.main([str(tmp_path / "nowhere")]) == 1
    assert "there is no" in capsys.readouterr().err
