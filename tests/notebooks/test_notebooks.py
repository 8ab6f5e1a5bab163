"""The committed notebooks: true to their sources, small, whole, and with exercises that can be solved and failed.

They are run from top to bottom elsewhere (``make notebooks``); here their files are read. Only the exercises are run,
in this process: their cells need the set-up cells and the bundled autoencoder, not the training in between.
"""

from __future__ import annotations

import ast
import base64
import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.notebooks.wrong_answers import WRONG

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
MOST_BYTES = 300_000
MOST_PICTURE_BYTES = 80_000
WIDEST_PICTURE = 1000  # pixels
ONE_SCREEN = 62  # lines that say something
ABSOLUTE = re.compile(r"(?<![\w.:/])(?:/(?:home|root|tmp|usr|opt|var|mnt|work|Users|private)/|[A-Za-z]:\\\\)")


def load(name: str) -> ModuleType:
    """A script of the notebooks' folder, under the name by which its neighbours import it."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


build = load("build")
report = load("report")
SOURCES: list[Path] = build.sources()
NAMES = [path.stem for path in SOURCES]


def committed(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8"))


def code_cells(name: str) -> list[dict[str, Any]]:
    return [cell for cell in committed(name)["cells"] if cell["cell_type"] == "code"]


def text_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def tagged(name: str) -> dict[str, str]:
    """Sources of a notebook's cells by tag."""
    return {tag: cell.source for cell in read(name).cells for tag in cell.metadata.get("tags", [])}


def read(name: str) -> Any:
    return build.read_source(build.SOURCES / f"{name}.py")


def test_every_notebook_has_a_source_and_every_source_a_notebook() -> None:
    assert NAMES
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_what_its_source_says(name: str) -> None:
    """If this fails: ``python notebooks/build.py NN``. Edit the source, never the notebook."""
    wanted = [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in read(name).cells]
    found = [(c["cell_type"], text_of(c), c["metadata"].get("tags", [])) for c in committed(name)["cells"]]
    assert found == wanted


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_there_and_come_from_one_clean_run(name: str) -> None:
    cells = code_cells(name)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert cells[-1]["outputs"], "the last cell shows its claims"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_says_nothing_about_the_machine_it_ran_on(name: str) -> None:
    assert (FOLDER / f"{name}.ipynb").stat().st_size <= MOST_BYTES
    notebook = committed(name)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    for cell in notebook["cells"]:
        assert set(cell["metadata"]) <= {"tags"}
        assert not ABSOLUTE.search(text_of(cell)), text_of(cell)
        for output in cell.get("outputs", []):
            words = json.dumps(
                [v for k, v in output.get("data", {}).items() if k != "image/png"] + [output.get("text")]
            )
            assert not ABSOLUTE.search(words), words
            assert str(ROOT) not in words
            if picture := output.get("data", {}).get("image/png"):
                raw = base64.b64decode(picture)
                width, _ = struct.unpack(">II", raw[16:24])
                assert len(raw) <= MOST_PICTURE_BYTES
                assert width <= WIDEST_PICTURE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("saved in /home/ann/x", True),
        ("'/tmp/a'", True),
        (r"C:\\\\Users\\\\ann", True),
        ("https://arxiv.org/tmp/x", False),
        ("calm_lab/model/ and runs/tmp/x", False),
        ("1/2 and a/b", False),
    ],
)
def test_the_search_for_absolute_paths_sees_what_it_should(text: str, expected: bool) -> None:
    assert bool(ABSOLUTE.search(text)) is expected


@pytest.mark.parametrize("name", NAMES)
def test_the_first_cell_says_what_it_is_and_where_it_belongs(name: str) -> None:
    first = committed(name)["cells"][0]
    text = text_of(first)
    assert first["cell_type"] == "markdown"
    assert re.match(rf"# {name[:2]} · \w", text)
    rows = dict(re.findall(r"^\| ([\w ]+?) \| (.+) \|$", text, re.MULTILINE))
    assert re.search(r"\d", rows["minutes"])
    assert re.search(r"\*[A-Z][\w ]+\*", rows.get("app tab", rows.get("app tabs", "")))
    modules = re.findall(r"`(calm_lab/[\w/.]+)`", rows.get("module", rows.get("modules", "")))
    assert modules
    assert all((ROOT / module).exists() for module in modules)
    assert "2510.27688" in rows["paper"]
    assert "section" in rows["paper"]


@pytest.mark.parametrize("name", NAMES)
def test_it_goes_through_the_stations_of_a_lesson_in_order(name: str) -> None:
    text = "\n".join(text_of(cell) for cell in committed(name)["cells"] if cell["cell_type"] == "markdown")
    stations = ["What you will see", "The picture", "The formula", "The code", "The experiment", "What would prove"]
    stations += ["Exercises", "Claims"]
    places = [text.find(f"\n## {station}") for station in stations]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("name", NAMES)
def test_it_ends_by_asserting_its_claims(name: str) -> None:
    last = code_cells(name)[-1]
    tree = ast.parse(text_of(last))
    assert any(isinstance(node, ast.Assert) for node in ast.walk(tree))
    claims = next(
        node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "claims"
    )
    assert isinstance(claims.value, ast.List)
    assert len(claims.value.elts) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_what_it_names_exists(name: str) -> None:
    text = "\n".join(text_of(cell) for cell in committed(name)["cells"] if cell["cell_type"] == "markdown")
    for path in re.findall(r"`((?:notebooks|calm_lab|docs|tests)/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path


def test_calm_in_one_screen_is_one_screen_of_plain_pytorch() -> None:
    source = tagged("00_calm_in_one_screen")["one-screen"]
    assert len([line for line in source.splitlines() if line.strip()]) <= ONE_SCREEN
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    library = {"calm_lab", "ChunkRow", "brier_terms", "BrierEstimate", "read_text", "palette"}
    assert names & library == set()
    assert {"Autoencoder", "CALM", "energy_score", "choose", "write"} <= {
        node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }


# Exercises. A notebook without any has no tags of theirs and passes by.

EXERCISES = [(name, tag) for name in NAMES for tag in tagged(name) if tag.startswith("exercise-")]


@pytest.mark.parametrize("name", NAMES)
def test_exercises_checks_and_answers_come_together(name: str) -> None:
    tags = [tag for cell in read(name).cells for tag in cell.metadata.get("tags", [])]
    numbers = sorted(tag.split("-")[1] for tag in tags if tag.startswith("exercise-"))
    assert len(numbers) >= 3
    assert numbers == sorted(tag.split("-")[1] for tag in tags if tag.startswith("check-"))
    answers = build.read_source(build.SOLUTIONS / f"{name}.py")
    assert [tag for cell in answers.cells for tag in cell.metadata.get("tags", [])] == [
        f"exercise-{number}" for number in numbers
    ]


def workbench(name: str) -> dict[str, Any]:
    """A namespace with what the exercises of a notebook build on: its cells tagged ``exercises-need``."""
    space: dict[str, Any] = {"__name__": "exercise"}
    for cell in read(name).cells:
        if "exercises-need" in cell.metadata.get("tags", []):
            exec(compile(cell.source, f"{name} {cell.id}", "exec"), space)
    return space


BENCHES: dict[str, dict[str, Any]] = {}


@pytest.fixture
def bench(name: str) -> dict[str, Any]:
    if name not in BENCHES:
        BENCHES[name] = workbench(name)
    return dict(BENCHES[name])


@pytest.mark.parametrize(("name", "tag"), EXERCISES)
def test_an_open_exercise_is_said_to_be_open(
    name: str, tag: str, bench: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    cells = tagged(name)
    exec(cells[tag], bench)
    exec(cells[tag.replace("exercise", "check")], bench)
    assert "is open" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "tag"), EXERCISES)
def test_the_answer_passes_its_check(
    name: str, tag: str, bench: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {
        t: c.source for c in build.read_source(build.SOLUTIONS / f"{name}.py").cells for t in c.metadata.get("tags", [])
    }
    exec(answers[tag], bench)
    exec(tagged(name)[tag.replace("exercise", "check")], bench)
    assert "right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "tag", "answer"), [(n, t, a) for n, found in WRONG.items() for t in found for a in found[t]]
)
def test_a_wrong_answer_fails_with_a_hint(name: str, tag: str, answer: str, bench: dict[str, Any]) -> None:
    exec(answer, bench)
    with pytest.raises(AssertionError) as caught:
        exec(tagged(name)[tag.replace("exercise", "check")], bench)
    assert len(str(caught.value)) > 10


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_wrong_answers_here(name: str) -> None:
    assert set(WRONG.get(name, {})) == {tag for n, tag in EXERCISES if n == name}


# The script that builds them.

SMALL = """# %% [markdown]
# # Title

# %%
import os
print("fast" if os.environ.get("CALM_LAB_FAST") else "full")

# %% tags=["exercise-1"]
answer = None

# %%
print(answer)
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.py"
    path.write_text(SMALL, "utf-8")
    return path


def test_a_source_always_gives_the_same_notebook(small: Path) -> None:
    assert build.read_source(small) == build.read_source(small)
    assert [cell.id for cell in build.read_source(small).cells] == [f"cell-{i:02d}" for i in range(4)]


def test_answers_take_the_place_of_exercises(small: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.py"
    answers.write_text('# %% tags=["exercise-1"]\nanswer = 42\n', "utf-8")
    assert build.solved(build.read_source(small), answers).cells[2].source == "answer = 42"
    answers.write_text('# %% tags=["exercise-7"]\nanswer = 42\n', "utf-8")
    with pytest.raises(ValueError, match="exercise-7"):
        build.solved(build.read_source(small), answers)


def test_building_runs_in_full_and_tidies(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALM_LAB_FAST", "1")
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    target = build.build(small)
    cells = [cell for cell in json.loads(target.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert ["".join(cell["outputs"][0]["text"]) for cell in cells if cell["outputs"]] == ["full\n", "None\n"]
    assert [cell["execution_count"] for cell in cells] == [1, 2, 3]


def test_a_failing_cell_leaves_the_old_notebook_alone(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    (tmp_path / "small.ipynb").write_text("old", "utf-8")
    small.write_text("# %%\nraise SystemError('no')\n", "utf-8")
    with pytest.raises(Exception, match="no"):
        build.build(small)
    assert (tmp_path / "small.ipynb").read_text("utf-8") == "old"


def test_prose_can_change_under_the_outputs_and_code_cannot(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    before = json.loads(build.build(small).read_text("utf-8"))
    small.write_text(SMALL.replace("# # Title", "# # A better title"), "utf-8")
    after = json.loads(build.reword(small).read_text("utf-8"))
    assert text_of(after["cells"][0]) == "# A better title"
    assert after["cells"][1:] == before["cells"][1:]
    small.write_text(SMALL.replace("answer = None", "answer = 1"), "utf-8")
    with pytest.raises(ValueError, match=r"code has changed; run python notebooks/build\.py sm"):
        build.reword(small)


def test_a_check_of_an_exercise_can_change_under_the_outputs(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    checked = SMALL + '\n# %% tags=["check-1"]\nprint("open") if answer is None else print(answer == 1)\n'
    small.write_text(checked, "utf-8")
    build.build(small)
    small.write_text(checked.replace("== 1)", "== 42)"), "utf-8")
    last = json.loads(build.reword(small).read_text("utf-8"))["cells"][-1]
    assert "== 42" in text_of(last)
    assert "".join(last["outputs"][0]["text"]) == "open\n"


def test_times_are_kept_by_notebook_and_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    for mode, seconds in (("full", 61.4), ("fast", 7.0), ("full", 60.2)):
        build.note_time("05_energy_score", mode, seconds)
    times = json.loads((tmp_path / "times.json").read_text("utf-8"))["05_energy_score"]
    assert {mode: entry["seconds"] for mode, entry in times.items()} == {"full": 60, "fast": 7}


# The page about them.


def test_the_page_says_what_the_notebooks_say() -> None:
    """If this fails: ``python notebooks/report.py``."""
    assert (ROOT / "docs" / "notebooks.md").read_text("utf-8") == report.page()


def test_names_without_fast_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        report.main(["01"])
    assert "--fast" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_was_printed_and_lies_within_its_tolerance(name: str) -> None:
    claims = next(
        node for node in ast.parse(text_of(code_cells(name)[-1])).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "claims"
    )  # fmt: skip
    assert isinstance(claims.value, ast.List)
    printed = report.claims(name)
    assert len(printed) >= len(claims.value.elts)  # more where a line stands for a loop
    for claim in printed:
        value, low, high = (float(number) for number in (claim.value, claim.low, claim.high))
        assert low - 1e-3 * abs(low) <= value <= high + 1e-3 * abs(high), claim  # what is printed is rounded


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "build.py"), "99"],
        capture_output=True,
        text=True,
        env={**os.environ},
        check=False,
    )
    assert done.returncode == 2
    assert NAMES[0] in done.stderr
