// A stored projection of the genome, of biosamples or of assays; a group of points and what it is.

import createScatterplot from "regl-scatterplot";
import { type Coverage, type Info, ask } from "../api";
import { choice, csv, field, figures, h, message, place, save, svg, table } from "../dom";
import { type GeneAt, genesAt, readGenes } from "../genes";
import { address, go, note, state } from "../state";

interface Columns {
  name: string;
  axis: string;
  method: string;
  points: number;
  columns: { name: string; numbers?: number[]; texts?: string[] }[];
}

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#967800", "#5696d2", "#7b4fa3", "#5c5c5c"];
// From little to much; each is seen on white and on black.
const SCALE = ["#3b6fb6", "#5c9bc8", "#7fb8a4", "#b8a432", "#d97a1e", "#c2342a"];
const NO_COLOUR = "#7d7d7d";
const NO_DATA = "no data";
const LISTED = 200;

/** Experiments that were measured: biosample and assay. */
async function measured(): Promise<[string, string][]> {
  const { biosamples, assays, experiments } = await ask<Coverage>("coverage");
  return biosamples.flatMap((b, i) => assays.filter((_, j) => experiments[i][j].measured).map((a): [string, string] => [b, a])).slice(0, 1_000);
}

/** The lower ends of at most six bands with the same number of points each. */
function quantiles(signal: (number | null)[]): number[] {
  const known = signal.filter((v): v is number => v !== null).sort((a, b) => a - b);
  const n = SCALE.length;
  return [...new Set(Array.from({ length: n }, (_, i) => known[Math.floor((i * known.length) / n)]))].filter((v) => v !== undefined);
}

/** As many colours of the scale, from its one end to the other. */
function spread(n: number): string[] {
  return Array.from({ length: n }, (_, i) => SCALE[Math.round((i * (SCALE.length - 1)) / Math.max(1, n - 1))]);
}

function bandName(i: number, bands: number[]): string {
  return i + 1 < bands.length ? `${figures(bands[i], 3)} to ${figures(bands[i + 1], 3)}` : `${figures(bands[i], 3)} and more`;
}

function band(value: number | null, bands: number[]): string {
  if (value === null) return NO_DATA;
  let i = bands.length - 1;
  while (i > 0 && bands[i] > value) i--;
  return bandName(i, bands);
}

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
  const chroms = texts("place: chrom");
  // A measured experiment's signal colours the points of a map of the genome, by quantile.
  const experiments = chroms.length > 0 ? await measured() : [];
  const asked = now.get("colour") ?? "";
  const track = experiments.find(([b, a]) => asked === `signal: ${b}:${a}`);
  const label = track ? "signal" : labels.includes(asked) ? asked : (labels[0] ?? "");
  const colours: [string, string][] = [
    ...labels.map((l): [string, string] => [l, l.slice(7)]),
    ...experiments.map(([b, a]): [string, string] => [`signal: ${b}:${a}`, `signal of ${b} ${a}`]),
    ["", "nothing"],
  ];
  const colour = choice("colour", colours, track ? asked : label);
  colour.addEventListener("change", () => go({ view: "map", projection: name, colour: colour.value }));
  const title = track ? "signal" : label.slice(7);
  const [x, y] = [scaled(numbers("x")), scaled(numbers("y"))];
  const names = texts("name");
  const [starts, ends] = [numbers("place: start"), numbers("place: end")];
  const signal = track ? (await ask<{ signal: (number | null)[] }>("projection/signal", { name, biosample: track[0], assay: track[1] })).signal : [];
  const bands = track ? quantiles(signal) : undefined;
  const values = bands ? signal.map((v) => band(v, bands)) : label ? texts(label) : names.map(() => "");
  // The most frequent values get colours of their own.
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const ranked = bands
    ? [...new Set([...bands.map((_, i) => bandName(i, bands)), NO_DATA])].filter((v) => counts.has(v))
    : [...counts.entries()].sort((a, b) => b[1] - a[1]).map(([value]) => value);
  const palette = bands ? [...spread(bands.length), NO_COLOUR] : COLOURS;
  const category = new Map(ranked.map((value, i) => [value, value === NO_DATA && bands ? palette.length - 1 : Math.min(i, palette.length - 1)]));
  const of = values.map((value) => category.get(value) ?? 0);

  const canvas = h("canvas", { role: "img", "aria-label": `Map of ${data.points.toLocaleString("en-US")} ${data.axis} by ${data.method}` });
  const group = h("section", { "aria-live": "polite" });
  const byLabel = choice("group", [["", "choose…"], ...ranked.slice(0, 100).map((v): [string, string] => [v, v || "(none)"])], "");
  const shown = h("div", { class: "map" }, canvas);
  root.append(
    h("div", { class: "bar" }, field("Projection", chosen), field("Colour", colour), field("Group by value", byLabel),
      h("button", { type: "button", click: () => save("map.svg", asSvg(), "image/svg+xml") }, "Save as SVG"),
      h("button", { type: "button", click: () => save("map.csv", asCsv([...names.keys()]), "text/csv") }, "Save as CSV")),
    h("ul", { class: "legend" }, ...ranked.slice(0, palette.length).map((v, i) => h("li", {}, svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, svg("rect", { width: 12, height: 12, fill: palette[category.get(v) ?? 0] })) as unknown as Node, i === palette.length - 1 && ranked.length > palette.length ? "others" : v || "(none)"))),
    shown,
    h("p", { class: "note" }, "Hold Shift and draw around points to choose a group, or choose a value above. A double click forgets the group."),
    group,
  );
  const size = Math.max(2, Math.min(10, 2_000 / Math.sqrt(data.points)));
  const { width, height } = shown.getBoundingClientRect();
  let plot: ReturnType<typeof createScatterplot> | undefined;
  try {
    plot = createScatterplot({ canvas, width, height, pointSize: size, colorBy: "valueA", pointColor: palette, backgroundColor: [0, 0, 0, 0], lassoOnLongPress: true });
    await plot.draw({ x, y, z: of });
  } catch (error) {
    shown.replaceWith(message("failed", "This browser cannot draw the map.", `It needs WebGL: ${(error as Error).message}. Save it as SVG or CSV instead.`));
  }
  const asCsv = (points: number[]) =>
    csv([data.columns.map((c) => c.name), ...points.map((i) => data.columns.map((c) => (c.texts ? c.texts[i] : (c.numbers?.[i] ?? null))))]);
  function asSvg(): string {
    const dots = [...names.keys()].map((i) => svg("circle", { cx: (400 + 390 * x[i]).toFixed(1), cy: (400 - 390 * y[i]).toFixed(1), r: size / 2, fill: palette[of[i]] }));
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
    const genesHere = h("div", {});
    group.replaceChildren(
      h("div", { class: "bar" },
        h("h3", {}, `${points.length.toLocaleString("en-US")} points are chosen`),
        chroms.length ? h("button", { type: "button", click: () => save("group.bed", bed(), "text/plain") }, "Save group as BED") : null,
        h("button", { type: "button", click: () => save("group.csv", asCsv(points), "text/csv") }, "Save group as CSV")),
      label ? table("What the group is, beside all points", "group_values", [
        { name: title, value: (v) => v },
        { name: "points", value: (v) => tally.get(v) ?? 0, numeric: true },
        { name: "share", value: (v) => (tally.get(v) ?? 0) / points.length, show: (v) => ((tally.get(v) ?? 0) / points.length).toFixed(3), numeric: true },
        { name: "share of all", value: (v) => (counts.get(v) ?? 0) / values.length, show: (v) => ((counts.get(v) ?? 0) / values.length).toFixed(3), numeric: true },
        { name: "times as often", value: (v) => (tally.get(v) ?? 0) / points.length / ((counts.get(v) ?? 1) / values.length), show: (v) => ((tally.get(v) ?? 0) / points.length / ((counts.get(v) ?? 1) / values.length)).toFixed(2), numeric: true },
      ], [...tally.keys()].sort((a, b) => (tally.get(b) ?? 0) - (tally.get(a) ?? 0))) : h("p", {}),
      genesHere,
      table(`Points, the first ${LISTED} at most`, "group", [
        { name: "name", value: (i) => names[i] },
        ...(chroms.length ? [{ name: "place", value: (i: number) => `${chroms[i]}:${starts[i]}-${ends[i]}`, show: (i: number) => link(i) }] : []),
        ...(label ? [{ name: title, value: (i: number) => values[i] }] : []),
        ...(track ? [{ name: "mean signal", value: (i: number) => signal[i], show: (i: number) => figures(signal[i]), numeric: true }] : []),
      ], points.slice(0, LISTED)));
    if (chroms.length > 0) void genesOf(points, genesHere);
  };
  let genes: Promise<GeneAt[]> | undefined;
  let turn = 0;
  // The genes that points lie in or whose TSS is near, asked for once.
  async function genesOf(points: number[], into: HTMLElement): Promise<void> {
    const mine = ++turn;
    genes ??= readGenes();
    let all: GeneAt[];
    try {
      all = await genes;
    } catch (error) {
      genes = undefined;
      into.replaceChildren(message("failed", "The genes could not be read.", (error as Error).message));
      return;
    }
    if (mine !== turn) return;
    const found = genesAt(all, points.map((i) => ({ chrom: chroms[i], start: starts[i], end: ends[i] })));
    if (found.length === 0) {
      into.replaceChildren(message("empty", "The group has no gene.", all.length === 0 ? "The database has no genes; `persea create --genes` reads them." : "No point lies in a gene or within 5 kb of a TSS."));
      return;
    }
    const names = () => [...new Set(found.map((g) => g.name))].map((n) => `${n}\n`).join("");
    into.replaceChildren(
      h("div", { class: "bar" }, h("button", { type: "button", click: () => save("group_genes.txt", names(), "text/plain") }, "Save names of genes")),
      table(`Genes of the group: ${found.length.toLocaleString("en-US")} with a point in them or within 5 kb of their TSS`, "group_genes", [
        { name: "gene", value: (g) => g.name },
        { name: "chrom", value: (g) => g.chrom },
        { name: "start", value: (g) => g.start, numeric: true },
        { name: "end", value: (g) => g.end, numeric: true },
        { name: "strand", value: (g) => g.strand },
        { name: "points", value: (g) => g.points, numeric: true },
      ], found.slice(0, LISTED), found));
  }
  plot?.subscribe("select", ({ points }: { points: number[] }) => choose(points));
  plot?.subscribe("deselect", () => {
    turn++;
    group.replaceChildren();
  });
  const pick = (value: string) => {
    const points = [...values.keys()].filter((i) => values[i] === value);
    plot?.select(points, { preventEvent: true });
    choose(points);
  };
  byLabel.addEventListener("change", () => {
    note({ view: "map", projection: name, colour: colour.value, group: byLabel.value });
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
