// What looks like a place: the nearest positions by the model's embedding.

import { type Biosamples, type Coverage, type Explanation, type Info, type Picture, type Share, type SimilarAnswer, ask } from "../api";
import { choice, field, figures, h, input, message, place, save, svg, table } from "../dom";
import { nth, written } from "../experiments";
import { find } from "../goto";
import { address, go, state } from "../state";

const CLASSES: [string, string][] = [
  ["", "any"],
  ["promoter", "promoter"],
  ["gene", "gene"],
  ["enhancer", "enhancer"],
  ["intergenic", "intergenic"],
];
const PICTURED = 6;

/** A line a track, all on one scale. */
export function picture(of: Picture, top: number, what: string): SVGElement {
  const [width, height] = [160, 36];
  const lines = of.tracks.map((track, at) => {
    const n = Math.max(1, track.values.length - 1);
    let path = "";
    let pen = "M";
    for (const [i, value] of track.values.entries()) {
      if (value === null) {
        pen = "M";
        continue;
      }
      path += `${pen}${((i / n) * width).toFixed(1)},${(height - 1 - (Math.max(0, value) / top) * (height - 2)).toFixed(1)}`;
      pen = "L";
    }
    return svg("path", { d: path, fill: "none", stroke: nth(at), "stroke-width": 1.2 });
  });
  const names = of.tracks.map((t) => `${t.biosample} ${t.assay}`).join(", ");
  return svg("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${what}: ${names}` }, ...lines);
}

function highest(pictures: (Picture | undefined)[]): number {
  let top = 1;
  for (const p of pictures) for (const t of p?.tracks ?? []) for (const v of t.values) top = Math.max(top, v ?? 0);
  return top;
}

/** Metadata of which several biosamples have the same value, as `key=value`. */
function groups(biosamples: Biosamples["biosamples"]): string[] {
  const counts = new Map<string, number>();
  for (const { metadata } of biosamples) {
    for (const [key, value] of Object.entries(metadata)) {
      if (typeof value === "string" && value !== "") counts.set(`${key}=${value}`, (counts.get(`${key}=${value}`) ?? 0) + 1);
    }
  }
  return [...counts].filter(([, n]) => n > 1).map(([group]) => group).sort().slice(0, 200);
}

function members(biosamples: Biosamples["biosamples"], group: string): Set<string> | undefined {
  const at = group.indexOf("=");
  if (at < 0) return undefined;
  const [key, value] = [group.slice(0, at), group.slice(at + 1)];
  return new Set(biosamples.filter((b) => b.metadata[key] === value).map((b) => b.name));
}

/** The largest three, as `H3K4me3 12 % (0.41 → 3.20)`: share, signal at the query and at the hit. */
function words(shares: Share[]): string {
  const signal = (value: number | null) => (value === null ? "?" : value.toFixed(2));
  return shares.slice(0, 3).map((s) => `${s.assay ?? s.biosample} ${(100 * s.share).toFixed(0)} % (${signal(s.query)} → ${signal(s.hit)})`).join(", ");
}

function alike(shares: Share[]): Share[] {
  return shares.filter((s) => s.agreement !== null).sort((a, b) => (b.agreement ?? 0) - (a.agreement ?? 0));
}

const why = (name: string, of: (e: Explanation) => Share[]) => ({
  name,
  wide: true,
  value: (x: { explanation?: Explanation | null }) => (x.explanation ? words(of(x.explanation)) : ""),
});
const WHY = [
  why("alike in", (e) => alike(e.assays)),
  why("apart in", (e) => e.assays),
  why("biosamples apart", (e) => e.biosamples),
];

export async function similar(root: HTMLElement, info: Info): Promise<undefined> {
  if (info.models.length === 0) {
    root.append(message("empty", "The database has no model.", "Positions are compared by a model's embedding. Train one with `persea train --name base`, then reload this page."));
    return;
  }
  const now = state();
  const query = input("query", now.get("query") ?? "", { placeholder: "VPS72 or chr1:151,200,000", required: "", size: 28 });
  const k = input("k", now.get("k") ?? "10", { type: "number", min: 1, max: 200 });
  const exclude = input("exclude", now.get("exclude") ?? "50000", { type: "number", min: 0, step: 1 });
  const class_ = choice("class", CLASSES, now.get("class") ?? "");
  const chromosomes = choice("chromosomes", [["", "any"], ...info.chromosomes.map((c): [string, string] => [c.name, c.name])], now.get("chromosomes") ?? "");
  const model = choice("model", info.models.map((m): [string, string] => [m.default ? "" : m.name, m.default ? `${m.name} (default)` : m.name]), now.get("model") ?? "");
  const weights = input("weights", now.get("weights") ?? "", { placeholder: "H3K4me3=2, 5kbp=0.5", size: 18 });
  const { biosamples } = await ask<Biosamples>("biosamples");
  const of = choice("of", [["", "any"], ...groups(biosamples).map((g): [string, string] => [g, g.replace("=", ": ")])], now.get("of") ?? "");
  const higher = choice("higher", [["", "any"], ...groups(biosamples).map((g): [string, string] => [g, g.replace("=", ": ")])], now.get("higher") ?? "");
  const explain = h("input", { type: "checkbox", name: "explain", checked: now.get("explain") === "true" });
  const submit = (event: Event) => {
    event.preventDefault();
    go({
      view: "similar", query: query.value.trim(), k: k.value, exclude: exclude.value, class: class_.value, chromosomes: chromosomes.value,
      model: model.value, weights: weights.value.trim(), of: of.value, higher: higher.value, explain: explain.checked ? "true" : "",
    });
  };
  root.append(
    h("form", { class: "bar", submit },
      field("Gene, variant or position", query), field("Hits", k), field("Exclude, bp", exclude), field("Class", class_),
      field("Chromosome", chromosomes), info.models.length > 1 ? field("Model", model) : null, field("Weights", weights),
      field("Pictures of biosamples", of), field("Only hits higher in", higher), field("Say why they are alike", explain), h("button", {}, "Search")));
  const asked = now.get("query");
  if (!asked) {
    root.append(message("empty", "What does something look like elsewhere?", "Type a gene or a position above, or press “Find similar to the middle” in Browse."));
    return;
  }
  const coverage = await ask<Coverage>("coverage");
  const measured: string[] = [];
  // One biosample's tracks first: a picture of several assays says more than of one.
  const pictured = members(biosamples, of.value);
  for (const [i, b] of coverage.biosamples.entries()) {
    if (pictured && !pictured.has(b)) continue;
    for (const [j, a] of coverage.assays.entries()) if (coverage.experiments[i][j].measured && measured.length < PICTURED && !b.includes(",") && !a.includes(",") && !b.includes(":")) measured.push(`${b}:${a}`);
  }
  try {
    const typed = /:/.test(asked);
    const at = typed ? undefined : await find(asked, info);
    const answer = await ask<SimilarAnswer>("similar", {
      ...(at?.gene ? { gene: asked } : { position: at ? `${at.chrom}:${at.start + 1}` : asked }),
      higher_in: higher.value,
      k: k.value, exclude: exclude.value, class: class_.value, chromosomes: chromosomes.value, pictures: measured.join(","),
      model: model.value, weights: weights.value.replaceAll(/\s/g, ""), explain: explain.checked ? "true" : "",
    });
    draw(root, answer, measured);
  } catch (error) {
    root.append(message("failed", "The search failed.", (error as Error).message));
  }
}

function draw(root: HTMLElement, answer: SimilarAnswer, measured: string[]): void {
  const { query, hits } = answer;
  const top = highest([query.picture, ...hits.map((hit) => hit.picture)]);
  const link = (chrom: string, start: number, end: number) => {
    const reach = Math.max(0, Math.floor((20_000 - (end - start)) / 2));
    const shown = measured.map((m) => m.split(":")).map(([biosample, assay]) => ({ kind: "measured" as const, biosample, assay }));
    const parts = { view: "browse", locus: `${chrom}:${Math.max(1, start + 1 - reach)}-${end + reach}`, tracks: written(shown) };
    const click = (event: Event) => {
      event.preventDefault();
      go(parts);
    };
    return h("a", { href: address(parts), click }, place(chrom, start, end));
  };
  const legend = h("ul", { class: "legend" }, ...measured.map((m, i) => h("li", {}, svgSwatch(nth(i)), m.replace(":", " "))));
  root.append(
    h("section", { class: "query" },
      h("h3", {}, "Query"),
      h("p", {}, link(query.chrom, query.start, query.end), ` by model ${query.model}`),
      query.picture ? picture(query.picture, top, "Signal within 2 kb of the query") : null,
      legend));
  if (query.higher_in) {
    root.append(h("p", { class: "note" }, `Of the ${query.searched} nearest, hits at which measured signal is higher in biosamples with ${query.higher_in.replace("=", " ")} than in the others, in the mean over assays (${query.higher_in_tracks} tracks are compared).`));
  }
  if (hits.length === 0) {
    root.append(message("empty", "Nothing is left to find.", query.higher_in ? "Ask for more hits, or choose another group." : "Exclude fewer bp, or allow another class or chromosome."));
    return;
  }
  if (answer.close_match === false) {
    root.append(message("empty", "No close match.", "The best hit is no nearer than 1 % of 100,000 random pairs of positions."));
  }
  root.append(
    table("Hits, nearest first", "similar", [
      { name: "rank", value: (x) => x.rank, numeric: true },
      { name: "chrom", value: (x) => x.chrom },
      { name: "start", value: (x) => x.start, numeric: true },
      { name: "end", value: (x) => x.end, show: (x) => link(x.chrom, x.start, x.end) },
      { name: "distance", value: (x) => x.distance, show: (x) => figures(x.distance, 6), numeric: true },
      { name: "percentile", value: (x) => x.percentile, show: (x) => (x.percentile === null ? "" : figures(x.percentile, 4)), numeric: true },
      { name: "nearest TSS", value: (x) => x.nearest_tss },
      { name: "bp from TSS", value: (x) => x.tss_distance, numeric: true },
      { name: "in gene", value: (x) => x.in_gene.join(" ") },
      { name: "annotation", value: (x) => x.annotation.join(" ") },
      ...(hits.some((x) => x.explanation) ? WHY : []),
      { name: "signal", value: () => null, show: (x) => (x.picture ? (picture(x.picture, top, `Signal at hit ${x.rank}`) as unknown as Node) : "") },
    ], hits),
    h("div", { class: "bar" },
      h("button", { type: "button", click: () => save("similar.bed", bed(answer), "text/plain") }, "Save as BED"),
      h("button", { type: "button", click: () => pictures(root) }, "Save pictures as SVG")));
}

function bed(answer: SimilarAnswer): string {
  return answer.hits.map((x) => `${x.chrom}\t${x.start}\t${x.end}\thit#${x.rank}\t0\t.\n`).join("");
}

function svgSwatch(fill: string): SVGElement {
  return svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, svg("rect", { width: 12, height: 12, rx: 2, fill }));
}

function pictures(root: HTMLElement): void {
  const all = [...root.querySelectorAll<SVGElement>("svg[role=img]")];
  const sheet = svg("svg", { xmlns: "http://www.w3.org/2000/svg", width: 180, height: all.length * 44 });
  for (const [i, one] of all.entries()) {
    const copy = one.cloneNode(true) as SVGElement;
    copy.setAttribute("y", String(i * 44));
    sheet.append(copy);
  }
  save("similar.svg", sheet.outerHTML, "image/svg+xml");
}
