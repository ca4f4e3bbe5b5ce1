"""`grade FOLDER...` judges a class from the files alone, and writes what scripts read."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from .exercises import __main__ as runner
from .exercises.building.mutants import engine
from .exercises.building.steps import sections

FOLDER = Path(__file__).parent / "exercises"
CHAPTERS = ["--chapters", "sizes", "operators", "build"]


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """Five folders: all done, a part, nothing, a file that is no Python, and a forged progress.json."""
    school = tmp_path_factory.mktemp("school")
    for name in "ada", "ben", "cleo", "dan", "eve":
        assert runner.main(["--folder", str(school / name), "start"]) == 0
    for chapter in "sizes", "operators":
        shutil.copy(FOLDER / "solutions" / f"{chapter}.py", school / "ada")
    shutil.copy(FOLDER / "building" / "solution.py", school / "ada" / "build" / "engine.py")
    text = (FOLDER / "solutions" / "sizes.py").read_text()
    (school / "ben" / "sizes.py").write_text(text[: text.index("@given(pool_lines())")])
    (school / "ben" / "build" / "engine.py").write_text(engine(sections()[:3]))
    hints = {"hints": {"test_same_padding_keeps_the_size": 2}, "solutions": ["test_a_margin_is_a_longer_input"]}
    (school / "ben" / "progress.json").write_text(json.dumps({"sizes": hints}))
    (school / "dan" / "sizes.py").write_text("def broken(:")
    (school / "eve" / "progress.json").write_text(json.dumps({"sizes": {"done": ["rounds up"] * 12}}))
    return school


def test_a_class_is_graded_from_its_files(school, capsys, tmp_path):
    """A table, a CSV, and the exit code 2 for a file that could not be judged; progress.json is not believed."""
    folders = [str(school / name) for name in ("ada", "ben", "cleo", "dan", "eve")]
    before = sorted(path for path in school.rglob("*") if "__pycache__" not in path.parts)
    status = runner.main(["grade", *folders, *CHAPTERS, "--csv", str(tmp_path / "class.csv")])
    out = capsys.readouterr().out
    assert status == 2
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert rows["ada"][1:4] == ["12/12", "10/10", "16/16"]
    assert "38 of 38" in " ".join(rows["ada"])
    assert rows["ben"][1:4] == ["4/12", "0/10", "3/16"]
    assert rows["ben"][-2:] == ["2", "1"]
    assert rows["cleo"][1:4] == ["0/12", "0/10", "0/16"]
    assert rows["dan"][1:4] == ["!", "0/10", "0/16"]
    assert rows["eve"][1:4] == ["0/12", "0/10", "0/16"]
    assert "! dan, sizes: sizes.py, line 1: this is not Python yet" in out
    table = list(csv.DictReader((tmp_path / "class.csv").read_text().splitlines()))
    assert len(table) == 15
    ada = table[0]
    assert (ada["student"], ada["chapter"], ada["points"], ada["most"]) == ("ada", "sizes", "12", "12")
    assert (ada["held_out"], ada["of_held_out"]) == ("3", "3")
    assert sorted(path for path in school.rglob("*") if "__pycache__" not in path.parts) == before


def test_one_folder_is_reported_to_gradescope_and_github_classroom(school, capsys, tmp_path):
    """Their JSON, and an exit code by what is required."""
    files = [tmp_path / "results.json", tmp_path / "classroom.json"]
    written = ["--gradescope", str(files[0]), "--classroom", str(files[1])]
    chapters = ["--chapters", "sizes", "7"]
    assert runner.main(["grade", str(school / "ben"), *chapters, *written]) == 0
    assert runner.main(["grade", str(school / "ben"), "--chapters", "7", "--require", "50"]) == 1
    gradescope, classroom = (json.loads(file.read_text()) for file in files)
    assert gradescope["score"] == 4
    points = [(t["name"], t["score"], t["max_score"]) for t in gradescope["tests"]]
    assert points == [("sizes", 4, 12), ("operators", 0, 10)]
    assert classroom["version"] == 1
    assert (classroom["status"], classroom["max_score"]) == ("fail", 22)
    assert [t["status"] for t in classroom["tests"]] == ["fail", "fail"]
    assert runner.main(["grade", str(school / "ben"), str(school / "ada"), *written]) == 2
    assert runner.main(["grade", str(school / "nobody")]) == 2
    assert "there is no folder" in capsys.readouterr().out
