"""`grade FOLDER...` judges a class from the files alone, and writes what scripts read."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .exercises import __main__ as runner
from .exercises import classroom
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


# What their documentation says of each field: its type, or the values that it may have.
VISIBILITY = {"hidden", "after_due_date", "after_published", "visible"}
GRADESCOPE = {
    "score": float, "execution_time": float, "output": str, "output_format": str, "test_output_format": str,
    "test_name_format": str, "visibility": VISIBILITY, "stdout_visibility": VISIBILITY, "extra_data": dict,
    "tests": list, "leaderboard": list,
}  # fmt: skip
GRADESCOPE_TEST = {
    "score": float, "max_score": float, "status": {"passed", "failed"}, "name": str, "name_format": str, "number": str,
    "output": str, "output_format": str, "tags": list, "visibility": VISIBILITY, "extra_data": dict,
}  # fmt: skip
CLASSROOM = {"version": int, "status": {"pass", "fail", "error"}, "max_score": float, "tests": list}
CLASSROOM_TEST = {
    "name": str, "status": {"pass", "fail", "error"}, "score": float, "message": str, "test_code": str,
    "filename": str, "line_no": int, "execution_time": float,
}  # fmt: skip


def fits(found, fields):
    """Each field is one of the documented ones, and of its type; a float may be written as a whole number."""
    for name, value in found.items():
        kind = fields[name]
        if isinstance(kind, set):
            assert value in kind
        else:
            assert isinstance(value, int | float if kind is float else kind)
            assert not isinstance(value, bool)


parts = st.builds(
    lambda chapter, points, more, trouble: classroom.Part(chapter, points, points + more, 0, 3, 1, 0, trouble),
    st.sampled_from(["sizes", "build"]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from(["", "sizes.py, line 1: this is not Python yet"]),
)
students = st.builds(classroom.Student, st.just("ada"), st.lists(parts, min_size=1, max_size=3))


@given(students)
def test_results_json_has_the_fields_that_gradescope_documents(student):
    """Points stand in each test and above them all, and a test passes where it has all of its points."""
    results = json.loads(json.dumps(classroom.as_gradescope(student)))
    fits(results, GRADESCOPE)
    assert results["score"] == sum(test["score"] for test in results["tests"])
    for test in results["tests"]:
        fits(test, GRADESCOPE_TEST)
        assert 0 <= test["score"] <= test["max_score"]
        assert (test["status"] == "passed") == (test["score"] == test["max_score"])


@given(students)
def test_a_classroom_result_has_the_fields_that_the_reporter_reads(student):
    """It adds up the scores of the tests, prints the name or the message of each, and fails on the status of all."""
    result = json.loads(json.dumps(classroom.as_classroom(student)))
    fits(result, CLASSROOM)
    for test in result["tests"]:
        fits(test, CLASSROOM_TEST)
        assert test["status"] == "pass" or test["message"]
    assert sum(test["score"] for test in result["tests"]) <= result["max_score"]
    assert (result["status"] == "pass") == all(test["status"] == "pass" for test in result["tests"])
