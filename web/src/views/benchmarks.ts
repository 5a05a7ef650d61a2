// Stored runs of tasks and evaluations of models, side by side.

import { type Info, type Json, ask } from "../api";
import { figures, h, message, svg, table } from "../dom";

interface Row {
  run: number;
  task: string;
  train: string;
  features: string;
  learner: string;
  measure: string;
  value: number | null;
  low: number | null;
  high: number | null;
}

interface Score {
  measure: string;
  values: Map<string, number>;
}

export async function benchmarks(root: HTMLElement, _: Info): Promise<undefined> {
  const [{ runs }, { evaluations }] = await Promise.all([
    ask<{ runs: Json[] }>("runs"),
    ask<{ evaluations: Json[] }>("evaluations"),
  ]);
  const rows: Row[] = runs.flatMap((run) =>
    (run.result.rows ?? []).map((row: Json): Row => {
      const measured = row.measures?.[run.result.primary];
      return {
        run: run.run,
        task: run.task,
        train: (run.settings.train_biosamples ?? []).join(", "),
        features: row.name,
        learner: row.learner ?? "",
        measure: run.result.primary,
        value: measured?.value ?? null,
        low: measured?.low ?? null,
        high: measured?.high ?? null,
      };
    }),
  );
  if (rows.length === 0) root.append(message("empty", "No run of a task is stored.", "Import labels with `persea task import`, then run one: `persea task run expression --features embedding,signal`."));
  else {
    root.append(table("Runs of tasks", "runs", [
      { name: "run", value: (x) => x.run, numeric: true },
      { name: "task", value: (x) => x.task },
      { name: "biosample", value: (x) => x.train },
      { name: "features", value: (x) => x.features },
      { name: "learner", value: (x) => x.learner },
      { name: "measure", value: (x) => x.measure },
      { name: "value", value: (x) => x.value, show: (x) => figures(x.value), numeric: true },
      { name: "low", value: (x) => x.low, show: (x) => figures(x.low), numeric: true },
      { name: "high", value: (x) => x.high, show: (x) => figures(x.high), numeric: true },
      { name: "bar", value: () => null, show: (x) => (bar(x.value) as unknown as Node) },
    ], rows));
  }
  const scores = evaluations.map(scoresOf).filter((e) => e.rows.length > 0);
  if (scores.length === 0) root.append(message("empty", "No evaluation of a model is stored.", "Score a model on the tracks that it holds out with `persea evaluate --model NAME`."));
  for (const { title, file, rows: lines } of scores) {
    const whats = [...new Set(lines.flatMap((line) => [...line.values.keys()]))];
    root.append(table(title, file, [
      { name: "measure", value: (x) => x.measure },
      ...whats.map((what) => ({ name: what, value: (x: Score) => x.values.get(what) ?? null, show: (x: Score) => figures(x.values.get(what)), numeric: true })),
    ], lines));
  }
  root.append(h("p", { class: "note" }, "Nothing is run here: the numbers are those that the program stored."));
}

/** The means of an evaluation: a line a measure, a column for the model and each baseline. */
function scoresOf(e: Json): { title: string; file: string; rows: Score[] } {
  const found = new Map<string, Score>();
  const walk = (value: Json, path: string[]) => {
    if (typeof value === "number") {
      const measure = path[path.length - 1];
      const line = found.get(measure) ?? { measure, values: new Map() };
      line.values.set(path.slice(0, -1).join(" ").replaceAll("_", " "), value);
      found.set(measure, line);
    } else if (value && typeof value === "object" && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value)) walk(inner, [...path, name]);
    }
  };
  walk(e.result?.mean, []);
  return { title: `Model ${e.model}, ${e.kind} ${e.evaluation}: means over tracks`, file: `evaluation_${e.evaluation}`, rows: [...found.values()] };
}

function bar(value: number | null): SVGElement {
  const width = Math.max(0, Math.min(1, value ?? 0)) * 100;
  return svg("svg", { width: 102, height: 12, "aria-hidden": "true" },
    svg("rect", { x: 0.5, y: 0.5, width: 100, height: 11, fill: "none", stroke: "currentColor", "stroke-opacity": 0.3 }),
    svg("rect", { x: 1, y: 1, width, height: 10, class: "bar-fill" }));
}
