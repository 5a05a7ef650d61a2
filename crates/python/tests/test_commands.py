"""The program's commands: each has a function, no process is started, Ctrl-C, progress, errors."""

import _thread
import ast
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import persea
import pytest
from persea import _commands, _persea

PACKAGE = Path(persea.__file__).parent


def verbs_of_help():
    """The verbs that `persea --help` lists."""
    line = [sys.executable, "-m", "persea", "--help"]
    text = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    commands = text.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in commands.splitlines() if line.startswith("  ") and line[2] != " "]


def test_every_verb_of_the_program_has_a_function_or_a_reason():
    verbs = verbs_of_help()
    assert len(verbs) > 20 and "similar" in verbs
    for verb in verbs:
        if verb == "help":
            continue
        words = [path for path in _commands.definitions() if path[0] == verb]
        assert words, verb
        for path in words:
            name = "_".join(path).replace("-", "_")
            has = hasattr(persea.Database, name) or hasattr(persea, name)
            assert has or verb in _commands.WITHOUT_FUNCTION, path
    assert set(_commands.WITHOUT_FUNCTION) <= set(verbs)


def test_the_package_has_no_way_to_start_a_process():
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Attribute):
                names = [node.attr]
            banned = {"subprocess", "multiprocessing", "system", "popen", "execv", "fork", "posix_spawn"}
            assert not banned.intersection(names), (file, names)


def test_no_process_is_started_while_commands_run(database, tmp_path):
    events = []

    def hook(event, arguments):
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"):
            events.append(event)

    sys.addaudithook(hook)
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    database.impute("S1:H3K4me3", output=tmp_path / "a.bw")
    database.index()
    assert events == []
    if children.exists():
        assert children.read_text().split() == []


def test_a_command_gives_what_the_program_prints(database):
    printed = subprocess.run(
        [sys.executable, "-m", "persea", "track", "list", "--db", database.path, "--format", "json"],
        capture_output=True, text=True, check=True,
    ).stdout
    table = database.track_list()
    assert table.to_dicts() == json.loads(printed)
    assert table["biosample"].tolist() == database.tracks()["biosample"].tolist()


def test_wrong_usage_is_an_error_and_the_entry_point_exits_with_2(database):
    with pytest.raises(TypeError, match="did you mean exclude"):
        _commands.run("similar", "position", "chr1:50,000", exclde=3, db=database.path)
    with pytest.raises(persea.UsageError, match="is no command"):
        persea.run("simlar")
    with pytest.raises(persea.UsageError, match="invalid value"):
        database.similar_position("chr1:50,000", k="many")
    line = [sys.executable, "-m", "persea", "similar", "position", "--nothing"]
    assert subprocess.run(line, capture_output=True).returncode == 2


def test_errors_have_the_programs_message_and_their_modules_class(database, tmp_path):
    with pytest.raises(persea.PerseaError, match="nobody") as caught:
        database.impute("nobody:H3K4me3", output=tmp_path / "a.bw")
    assert type(caught.value) is not persea.PerseaError
    with pytest.raises(persea.UsageError, match="chr1:2-1"):
        database.similar_region("chr1:2-1")
    with pytest.raises(persea.GenomeError, match="chr99"):
        database.similar_region("chr99:1-1,000")
    with pytest.raises(persea.StoreError):
        persea.create(database.path, assembly="hg19", chromosomes=["chrM"])


def test_progress_is_reported_and_an_error_of_the_callback_is_raised(files, tmp_path):
    seen = []
    with persea.create(tmp_path / "p.persea", assembly="s", chrom_sizes=files / "chrom.sizes") as database:
        database.ingest(files / "manifest.tsv")
        # Progress is read every 50 ms; so many passes take longer on any machine.
        database.train(
            name="m", preset="small", passes=400, model="avocado", no_validate=True, progress=lambda *now: seen.append(now)
        )
    assert seen and all(0 <= done <= total for _, done, total in seen if total)
    assert any("loss" in what for what, _, _ in seen), seen[-1]


def test_ctrl_c_stops_training_and_keeps_what_there_is(files, tmp_path):
    with persea.create(tmp_path / "c.persea", assembly="s", chrom_sizes=files / "chrom.sizes") as database:
        database.ingest(files / "manifest.tsv")
        stop = threading.Timer(2, _thread.interrupt_main)
        stop.start()
        try:
            # Without validation tracks it goes through every pass, which takes minutes.
            with pytest.raises(KeyboardInterrupt):
                database.train(name="m", preset="small", passes=1_000_000, model="avocado", no_validate=True)
        finally:
            stop.cancel()
        assert len(database.models()) == 0
        database.check()
        assert len(database.tracks()) > 0


def test_an_interrupted_export_leaves_all_of_a_file_or_nothing(database, tmp_path):
    def contents(folder):
        return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    database.export_completed(output=tmp_path / "whole.zarr")
    asked = []

    def interrupt(what, done, total):
        asked.append(what)
        raise KeyboardInterrupt

    output = tmp_path / "out"
    output.mkdir()
    try:
        database.export_completed(output=output / "c.zarr", progress=interrupt)
    except KeyboardInterrupt:
        # The last report may come when all of it is written.
        assert not list(output.iterdir()) or contents(output / "c.zarr") == contents(tmp_path / "whole.zarr")
    else:
        assert not asked


def test_warnings_reach_logging(path, tmp_path, caplog):
    import shutil

    copy = tmp_path / "copy.persea"
    shutil.copytree(path, copy)
    with persea.open(copy) as database:
        database.similar("chr1:50,000", k=1)
    file = next((copy / "index").glob("*.5kbp"))
    data = bytearray(file.read_bytes())
    data[0] ^= 4
    file.write_bytes(data)
    with caplog.at_level(logging.WARNING, logger="persea"), persea.open(copy) as database:
        database.similar("chr1:50,000", k=1)
    assert "written anew" in caplog.text


def test_a_replaced_model_is_noticed(path, tmp_path):
    import shutil

    copy = tmp_path / "copy.persea"
    shutil.copytree(path, copy)
    with persea.open(copy) as reader, persea.open(copy) as writer:
        before = reader.embedding("chr1:1-1,000").copy()
        writer.model_delete("first")
        writer.train(name="first", preset="small", passes=1, model="avocado", seed=9)
        after = reader.embedding("chr1:1-1,000")
    assert before.shape != after.shape or (before != after).any()


def test_generated_methods_are_those_of_the_commands():
    script = Path(__file__).parents[3] / "scripts/python_verbs.py"
    if not script.exists():
        pytest.skip("the repository is not here")
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    subprocess.run([sys.executable, script, "--check"], check=True, env=environment)


def test_the_version_is_the_programs():
    line = [sys.executable, "-m", "persea", "--version"]
    assert subprocess.run(line, capture_output=True, text=True).stdout.split()[1] == _persea.__version__
