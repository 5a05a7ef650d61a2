#!/usr/bin/env python3
"""Makes the book's pages of examples/notebooks: notebooks.py [--run FOLDER] OUTPUT

A notebook is a script whose cells begin with `# %%`, which Jupyter opens with jupytext. Each becomes a Markdown
page in OUTPUT. With --run they are executed in FOLDER, in order: the first makes the database that the others
open. Their printed results then stand behind the code, and their pictures beside the page. An error ends it.

Without --run only Python's standard library is needed. With it: persea, nbclient, ipykernel, matplotlib and what
the notebooks import.
"""

import argparse
import base64
import html
import re
import sys
import time
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "examples/notebooks"
NAMES = ["first_hour", "similar_positions", "a_task", "choosing_biosamples", "anndata_and_back"]
NOT_RUN = "The results of this notebook are not shown here, because the book was built without running it."
RAN = "CI runs this notebook, `examples/notebooks/{}.py`. The results are those of the last run."


def cells(text):
    """(is code, text) of each cell."""
    found = []
    for part in re.split(r"^# %%", text, flags=re.M)[1:]:
        kind, _, body = part.partition("\n")
        body = body.strip("\n")
        if "[markdown]" in kind:
            found.append((False, re.sub(r"^# ?", "", body, flags=re.M)))
        else:
            found.append((True, body))
    return found


def execute(code, folder):
    """The outputs of each piece of code, run one after the other by one kernel."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(piece) for piece in code])
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    try:
        client.execute()
    except CellExecutionError as error:
        sys.exit(f"notebooks: {error.ename}: {error.evalue}, in the cell\n\n{code[_failed(notebook)]}")
    return [cell.outputs for cell in notebook.cells]


def _failed(notebook):
    """The number of the cell with an error."""
    has_error = [any(out.output_type == "error" for out in cell.outputs) for cell in notebook.cells]
    return has_error.index(True)


def as_markdown(outputs, name, output, n_pictures):
    """Outputs as Markdown; pictures are written beside the page."""
    found = []
    for out in outputs:
        data = out.get("data", {})
        if out.output_type == "stream":
            # What goes to stderr is progress.
            if out.name == "stdout":
                found.append(f"```text\n{out.text.rstrip()}\n```")
        elif "image/png" in data:
            n_pictures += 1
            file = f"{name}-{n_pictures}.png"
            (output / file).write_bytes(base64.b64decode(data["image/png"]))
            found.append(f"![Picture {n_pictures}]({file})")
        elif "text/html" in data:
            # One line: a page of the book ends raw HTML at an empty one.
            table = re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.S)
            found.append(re.sub(r"\s*\n\s*", " ", table).strip())
        elif "text/plain" in data:
            text = html.unescape(data["text/plain"]).rstrip()
            # What a call returned that was made for what it does.
            if not text.startswith(("<matplotlib", "[<matplotlib", "<persea.")):
                found.append(f"```text\n{text}\n```")
    return found, n_pictures


def page(name, output, folder):
    """Writes a notebook's page."""
    parts = cells((SOURCES / f"{name}.py").read_text(encoding="utf-8"))
    code = [text for is_code, text in parts if is_code]
    results = execute(code, folder) if folder else [[] for _ in code]
    written, n_pictures, at = [], 0, 0
    for is_code, text in parts:
        if not is_code:
            written.append(text)
            continue
        written.append(f"```python\n{text}\n```")
        found, n_pictures = as_markdown(results[at], name, output, n_pictures)
        written += found
        at += 1
    title, _, rest = written[0].partition("\n")
    written[0] = "\n\n".join([title, RAN.format(name) if folder else NOT_RUN, rest.strip("\n")])
    (output / f"{name}.md").write_text("\n\n".join(w.strip("\n") for w in written) + "\n", encoding="utf-8")
    return n_pictures


def main():
    """Runs the notebooks, if asked, and writes their pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, metavar="FOLDER")
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    others = {file.stem for file in SOURCES.glob("*.py")}.symmetric_difference(NAMES)
    if others:
        sys.exit(f"notebooks: {', '.join(sorted(others))}: a notebook and its name in NAMES must both be there")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        began = time.monotonic()
        n_pictures = page(name, arguments.output, arguments.run)
        if arguments.run:
            print(f"notebooks: {name}: {time.monotonic() - began:.1f} s, {n_pictures} pictures", file=sys.stderr)
            if n_pictures == 0:
                sys.exit(f"notebooks: {name} drew no picture")


if __name__ == "__main__":
    main()
