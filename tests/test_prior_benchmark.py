"""The benchmark of priors codes every file both ways and says what each took."""

import re

from benchmarks.priors import main


def test_files_are_coded_without_and_with_a_prior(tmp_path, capsys):
    files = []
    for number in range(4):
        files.append(tmp_path / f"{number}.log")
        files[-1].write_bytes(b"".join(b"%d: service %d answered in %d ms\n" % (line, number, 7 * line) for line in range(99)))
    assert main(["--learn", *map(str, files[:2]), "--code", *map(str, files[2:])]) == 0
    said = capsys.readouterr().out
    without, with_prior = (int(size.replace(",", "")) for size in re.findall(r"Lockstep fast(?:, prior)? +([\d,]+)", said))
    assert with_prior < without and said.startswith("2 files, ")
