// A stored projection of the genome, of biosamples or of assays; a group of points and what it is.

import createScatterplot from "regl-scatterplot";
import { type Info, ask } from "../api";
import { choice, csv, field, h, message, place, save, svg, table } from "../dom";
import { address, go, note, state } from "../state";

interface Columns {
  name: string;
  axis: string;
  method: string;
  points: number;
  columns: { name: string; numbers?: number[]; texts?: string[] }[];
}

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#967800", "#5696d2", "#7b4fa3", "#5c5c5c"];
const LISTED = 200;

export async function map(root: HTMLElement, _: Info): Promise<(() => void) | undefined> {
  const { projections } = await ask<{ projections: { name: string; axis: string; points: number }[] }>("projections");
  if (projections.length === 0) {
    root.append(message("empty", "No projection is stored.", "Make one with `persea project genome --method umap`, then reload this page."));
    return undefined;
  }
  const now = state();
  const name = projections.some((p) => p.name === now.get("projection")) ? now.get("projection")! : projections[0].name;
  const chosen = choice("projection", projections.map((p): [string, string] => [p.name, `${p.name} (${p.points.toLocaleString("en-US")} ${p.axis})`]), name);
  chosen.addEventListener("change", () => go({ view: "map", projection: chosen.value }));
  const data = await ask<Columns>("projection", { name });
  const numbers = (of: string) => data.columns.find((c) => c.name === of)?.numbers ?? [];
  const texts = (of: string) => data.columns.find((c) => c.name === of)?.texts ?? [];
  const labels = data.columns.filter((c) => c.texts && c.name.startsWith("label: ")).map((c) => c.name);
  const label = labels.includes(now.get("colour") ?? "") ? now.get("colour")! : (labels[0] ?? "");
  const colour = choice("colour", [...labels.map((l): [string, string] => [l, l.slice(7)]), ["", "nothing"]], label);
  colour.addEventListener("change", () => go({ view: "map", projection: name, colour: colour.value }));
  const [x, y] = [scaled(numbers("x")), scaled(numbers("y"))];
  const names = texts("name");
  const [chroms, starts, ends] = [texts("place: chrom"), numbers("place: start"), numbers("place: end")];
  const values = label ? texts(label) : names.map(() => "");
  // The most frequent values get colours of their own.
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const ranked = [...counts.entries()].sort((a, b) => b[1] - a[1]).map(([value]) => value);
  const category = new Map(ranked.map((value, i) => [value, Math.min(i, COLOURS.length - 1)]));
  const of = values.map((value) => category.get(value) ?? 0);

  const canvas = h("canvas", { role: "img", "aria-label": `Map of ${data.points.toLocaleString("en-US")} ${data.axis} by ${data.method}` });
  const group = h("section", { "aria-live": "polite" });
  const byLabel = choice("group", [["", "choose…"], ...ranked.slice(0, 100).map((v): [string, string] => [v, v || "(none)"])], "");
  const shown = h("div", { class: "map" }, canvas);
  root.append(
    h("div", { class: "bar" }, field("Projection", chosen), field("Colour", colour), field("Group by value", byLabel),
      h("button", { type: "button", click: () => save("map.svg", asSvg(), "image/svg+xml") }, "Save as SVG"),
      h("button", { type: "button", click: () => save("map.csv", asCsv([...names.keys()]), "text/csv") }, "Save as CSV")),
    h("ul", { class: "legend" }, ...ranked.slice(0, COLOURS.length).map((v, i) => h("li", {}, svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, svg("rect", { width: 12, height: 12, fill: COLOURS[i] })) as unknown as Node, i === COLOURS.length - 1 && ranked.length > COLOURS.length ? "others" : v || "(none)"))),
    shown,
    h("p", { class: "note" }, "Hold Shift and draw around points to choose a group, or choose a value above. A double click forgets the group."),
    group,
  );
  const size = Math.max(2, Math.min(10, 2_000 / Math.sqrt(data.points)));
  const { width, height } = shown.getBoundingClientRect();
  let plot: ReturnType<typeof createScatterplot> | undefined;
  try {
    plot = createScatterplot({ canvas, width, height, pointSize: size, colorBy: "valueA", pointColor: COLOURS, backgroundColor: [0, 0, 0, 0], lassoOnLongPress: true });
    await plot.draw({ x, y, z: of });
  } catch (error) {
    shown.replaceWith(message("failed", "This browser cannot draw the map.", `It needs WebGL: ${(error as Error).message}. Save it as SVG or CSV instead.`));
  }
  const asCsv = (points: number[]) =>
    csv([data.columns.map((c) => c.name), ...points.map((i) => data.columns.map((c) => (c.texts ? c.texts[i] : (c.numbers?.[i] ?? null))))]);
  function asSvg(): string {
    const dots = [...names.keys()].map((i) => svg("circle", { cx: (400 + 390 * x[i]).toFixed(1), cy: (400 - 390 * y[i]).toFixed(1), r: size / 2, fill: COLOURS[of[i]] }));
    return svg("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: "0 0 800 800" }, ...dots).outerHTML;
  }
  const choose = (points: number[]) => {
    const tally = new Map<string, number>();
    for (const i of points) tally.set(values[i], (tally.get(values[i]) ?? 0) + 1);
    const bed = () => points.map((i) => `${chroms[i]}\t${starts[i]}\t${ends[i]}\t${names[i]}\n`).join("");
    const link = (i: number) => {
      const parts = { view: "browse", locus: `${chroms[i]}:${Math.max(1, starts[i] - 9_999)}-${ends[i] + 10_000}` };
      const click = (event: Event) => {
        event.preventDefault();
        go(parts);
      };
      return h("a", { href: address(parts), click }, place(chroms[i], starts[i], ends[i]));
    };
    group.replaceChildren(
      h("div", { class: "bar" },
        h("h3", {}, `${points.length.toLocaleString("en-US")} points are chosen`),
        chroms.length ? h("button", { type: "button", click: () => save("group.bed", bed(), "text/plain") }, "Save group as BED") : null,
        h("button", { type: "button", click: () => save("group.csv", asCsv(points), "text/csv") }, "Save group as CSV")),
      label ? table("What the group is, beside all points", "group_values", [
        { name: label.slice(7), value: (v) => v },
        { name: "points", value: (v) => tally.get(v) ?? 0, numeric: true },
        { name: "share", value: (v) => (tally.get(v) ?? 0) / points.length, show: (v) => ((tally.get(v) ?? 0) / points.length).toFixed(3), numeric: true },
        { name: "share of all", value: (v) => (counts.get(v) ?? 0) / values.length, show: (v) => ((counts.get(v) ?? 0) / values.length).toFixed(3), numeric: true },
        { name: "times as often", value: (v) => (tally.get(v) ?? 0) / points.length / ((counts.get(v) ?? 1) / values.length), show: (v) => ((tally.get(v) ?? 0) / points.length / ((counts.get(v) ?? 1) / values.length)).toFixed(2), numeric: true },
      ], [...tally.keys()].sort((a, b) => (tally.get(b) ?? 0) - (tally.get(a) ?? 0))) : h("p", {}),
      table(`Points, the first ${LISTED} at most`, "group", [
        { name: "name", value: (i) => names[i] },
        ...(chroms.length ? [{ name: "place", value: (i: number) => `${chroms[i]}:${starts[i]}-${ends[i]}`, show: (i: number) => link(i) }] : []),
        ...(label ? [{ name: label.slice(7), value: (i: number) => values[i] }] : []),
      ], points.slice(0, LISTED)));
  };
  plot?.subscribe("select", ({ points }: { points: number[] }) => choose(points));
  plot?.subscribe("deselect", () => group.replaceChildren());
  const pick = (value: string) => {
    const points = [...values.keys()].filter((i) => values[i] === value);
    plot?.select(points, { preventEvent: true });
    choose(points);
  };
  byLabel.addEventListener("change", () => {
    note({ view: "map", projection: name, group: byLabel.value });
    pick(byLabel.value);
  });
  const before = now.get("group");
  if (before !== undefined && counts.has(before)) {
    byLabel.value = before;
    pick(before);
  }
  const resized = () => plot?.set({ width: shown.clientWidth, height: shown.clientHeight });
  addEventListener("resize", resized);
  return () => {
    removeEventListener("resize", resized);
    plot?.destroy();
  };
}

/** To −1 … 1, as the plot wants them. */
function scaled(values: number[]): number[] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const span = high > low ? high - low : 1;
  return values.map((v) => -0.95 + (1.9 * (v - low)) / span);
}
