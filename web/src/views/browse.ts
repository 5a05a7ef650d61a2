// Tracks along the genome: measured, imputed, average, uncertainty, each a bigWig that the server makes
// from what is looked at.

import igv from "igv";
import { type Coverage, type Info, type Signal, ask } from "../api";
import { choice, csv, field, h, input, message, place, save } from "../dom";
import { KINDS, type Kind, type Shown, bigwig, colour, name, read, written } from "../experiments";
import { type Place, covers, find, parse, wider } from "../goto";
import { go, note, state } from "../state";

const FIRST_WIDTH = 200_000;
const FIRST_TRACKS = 6;
const MOST_TRACKS = 40;

function first(info: Info): Place {
  const region = info.regions[0];
  return { chrom: region.chrom, start: region.start, end: Math.min(region.end, region.start + FIRST_WIDTH) };
}

function locus(at: Place): string {
  return `${at.chrom}:${at.start + 1}-${at.end}`;
}

export async function browse(root: HTMLElement, info: Info): Promise<(() => void) | undefined> {
  if (info.tracks === 0 && info.models.length === 0) {
    root.append(message("empty", "The database has no tracks yet.", "Add some with `persea ingest manifest.tsv`, then reload this page."));
    return undefined;
  }
  const coverage = await ask<Coverage>("coverage");
  const { biosamples, assays } = coverage;
  const given = state().get("tracks");
  const shown: Shown[] = given === undefined ? firstTracks(coverage) : read(given);
  let at: Place = first(info);
  let failed: string | undefined;
  try {
    const text = state().get("locus");
    if (text) at = parse(text, info) ?? at;
  } catch (error) {
    failed = (error as Error).message;
  }

  const toState = (changes: { tracks?: Shown[]; at?: Place }) =>
    go({ view: "browse", locus: locus(changes.at ?? at), tracks: written(changes.tracks ?? shown) });

  const place_ = input("place", place(at.chrom, at.start, at.end), { "aria-label": "Gene, variant or position", size: 30 });
  const problem = h("p", { class: "problem", role: "alert" }, failed ?? "");
  const travel = async (event: Event) => {
    event.preventDefault();
    try {
      const found = wider(await find(place_.value, info), 20_000, info);
      if (!covers(found, info)) throw new Error(`${place(found.chrom, found.start, found.end)} lies in no covered region. The nearest of ${info.regions.length} regions is ${nearest(found, info)}.`);
      toState({ at: found });
    } catch (error) {
      problem.textContent = (error as Error).message;
    }
  };

  const biosample = choice("biosample", [...biosamples.map((b): [string, string] => [b, b]), ["*", "all biosamples"]], biosamples[0]);
  const assay = choice("assay", [...assays.map((a): [string, string] => [a, a]), ["*", "all assays"]], assays[0]);
  const kind = choice("kind", KINDS, "measured");
  const add = (event: Event) => {
    event.preventDefault();
    const more: Shown[] = [];
    for (const [i, b] of biosamples.entries()) {
      for (const [j, a] of assays.entries()) {
        const cell = coverage.experiments[i][j];
        const chosen = (biosample.value === "*" || biosample.value === b) && (assay.value === "*" || assay.value === a);
        const has = kind.value === "measured" ? cell.measured : kind.value === "average" ? true : cell.imputable;
        if (chosen && has) more.push({ kind: kind.value as Kind, biosample: b, assay: a });
      }
    }
    const known = new Set(shown.map((s) => written([s])));
    const fresh = more.filter((s) => !known.has(written([s])));
    if (more.length === 0) problem.textContent = `${biosample.value} ${assay.value} is not ${kind.value}. ${kind.value === "measured" ? "Choose “imputed” instead." : "Train a model that has it: `persea train`."}`;
    else if (shown.length + fresh.length > MOST_TRACKS) problem.textContent = `${shown.length + fresh.length} tracks are more than the ${MOST_TRACKS} that fit: remove some, or add fewer.`;
    else toState({ tracks: [...shown, ...fresh] });
  };
  const sorted = (by: "assay" | "biosample") => {
    const key = (s: Shown) => (by === "assay" ? [s.assay, s.biosample, s.kind] : [s.biosample, s.assay, s.kind]).join("\0");
    toState({ tracks: [...shown].sort((a, b) => (key(a) < key(b) ? -1 : 1)) });
  };
  const chips = shown.map((s, i) =>
    h("li", {},
      name(s),
      h("button", { type: "button", "aria-label": `Remove ${name(s)}`, click: () => toState({ tracks: shown.filter((_, j) => j !== i) }) }, "×")));

  const container = h("div", { class: "igv", role: "group", "aria-label": "Tracks" });
  const links = h("details", {}, h("summary", {}, "Addresses for other genome browsers"),
    h("p", {}, "Every track is also a bigWig at an address, which IGV desktop and the like open while this server runs."),
    h("ul", {}, ...shown.map((s) => h("li", {}, h("a", { href: bigwig(s) }, location.origin + bigwig(s))))));

  root.append(
    h("form", { class: "bar", submit: (event) => void travel(event) },
      field("Gene, variant or position", place_),
      h("button", {}, "Go"),
      h("button", { type: "button", click: () => zoom(0.5) }, "Zoom in"),
      h("button", { type: "button", click: () => zoom(2) }, "Zoom out"),
      h("button", { type: "button", click: () => pan(-0.5) }, "Left"),
      h("button", { type: "button", click: () => pan(0.5) }, "Right"),
      h("button", { type: "button", click: () => go({ view: "similar", query: middle() }) }, "Find similar to the middle")),
    problem,
    container,
    h("div", { class: "bar" },
      h("button", { type: "button", click: () => saveSvg() }, "Save as SVG"),
      h("button", { type: "button", click: () => void saveCsv() }, "Save as CSV"),
      h("button", { type: "button", click: () => sorted("assay") }, "Group by assay"),
      h("button", { type: "button", click: () => sorted("biosample") }, "Group by biosample"),
      h("button", { type: "button", click: () => toState({ tracks: [] }) }, "Remove all")),
    h("form", { class: "bar", submit: add },
      field("Biosample", biosample), field("Assay", assay), field("Signal", kind), h("button", {}, "Add")),
    h("ul", { class: "chips", "aria-label": "Tracks that are shown" }, ...chips),
    links,
  );
  if (shown.length === 0) container.before(message("empty", "No track is chosen.", "Choose a biosample and an assay below, then press Add."));

  const browser = await igv.createBrowser(container, {
    reference: {
      id: info.assembly,
      name: info.assembly,
      format: "chromsizes",
      fastaURL: "/api/v1/chromosomes.txt",
      wholeGenomeView: false,
      tracks: [],
    },
    locus: locus(at),
    loadDefaultGenomes: false,
    showNavigation: false,
    showIdeogram: false,
    showChromosomeWidget: false,
    search: undefined,
    tracks: [
      ...(info.genes > 0 ? [{ name: "Genes", type: "annotation", format: "bed", url: "/api/v1/genes.bed", indexed: false, displayMode: "EXPANDED", height: 70, color: "rgb(40,40,110)" }] : []),
      ...shown.map((s) => ({
        name: name(s), type: "wig", format: "bigwig", url: bigwig(s), height: 56, autoscale: true,
        color: colour(s.assay, assays), graphType: "bar",
      })),
    ],
  });
  // What igv.js draws for the mouse has no names; the buttons above do the same by keyboard.
  const tame = () => {
    const inside = container.shadowRoot ?? container.querySelector("*")?.shadowRoot ?? container;
    for (const element of inside.querySelectorAll("canvas")) element.setAttribute("aria-hidden", "true");
  };
  tame();

  let timer: ReturnType<typeof setTimeout> | undefined;
  const moved = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const frame = browser.referenceFrameList?.[0];
      if (!frame) return;
      at = { chrom: frame.chr, start: Math.max(0, Math.floor(frame.start)), end: Math.ceil(frame.end) };
      place_.value = place(at.chrom, at.start, at.end);
      if (state().get("view") === "browse" || !state().get("view")) note({ view: "browse", locus: locus(at), tracks: written(shown) });
    }, 200);
  };
  browser.on("locuschange", moved);

  const to = (start: number, end: number) => {
    const length = info.chromosomes.find((c) => c.name === at.chrom)?.length ?? end;
    const width = Math.min(length, Math.max(200, end - start));
    const from = Math.min(Math.max(0, start), length - width);
    void browser.search(locus({ chrom: at.chrom, start: Math.round(from), end: Math.round(from + width) }));
  };
  function zoom(by: number): void {
    const centre = (at.start + at.end) / 2;
    const half = ((at.end - at.start) / 2) * by;
    to(centre - half, centre + half);
  }
  function pan(by: number): void {
    const step = (at.end - at.start) * by;
    to(at.start + step, at.end + step);
  }
  function middle(): string {
    return `${at.chrom}:${Math.floor((at.start + at.end) / 2) + 1}`;
  }
  function saveSvg(): void {
    save("persea.svg", browser.toSVG(), "image/svg+xml");
  }
  async function saveCsv(): Promise<void> {
    const rows: (string | number | null)[][] = [["biosample", "assay", "signal", "chrom", "start", "end", "value"]];
    try {
      for (const s of shown) {
        const answer = await ask<Signal>("signal", { biosample: s.biosample, assay: s.assay, kind: s.kind, chrom: at.chrom, start: at.start, end: at.end, points: 2_000 });
        for (const stretch of answer.stretches) {
          for (const [i, value] of stretch.values.entries()) {
            const start = stretch.start + i * answer.step;
            rows.push([s.biosample, s.assay, s.kind, answer.chrom, start, Math.min(stretch.end, start + answer.step), value]);
          }
        }
      }
      save("persea.csv", csv(rows), "text/csv");
    } catch (error) {
      problem.textContent = (error as Error).message;
    }
  }
  return () => {
    clearTimeout(timer);
    igv.removeBrowser(browser);
  };
}

function firstTracks(coverage: Coverage): Shown[] {
  const all: Shown[] = [];
  for (const [i, biosample] of coverage.biosamples.entries()) {
    for (const [j, assay] of coverage.assays.entries()) {
      const cell = coverage.experiments[i][j];
      if (cell.measured) all.push({ kind: "measured", biosample, assay });
      if (cell.imputable) all.push({ kind: "imputed", biosample, assay });
      if (all.length >= FIRST_TRACKS) return all.slice(0, FIRST_TRACKS);
    }
  }
  return all;
}

function nearest(to: Place, info: Info): string {
  const away = (r: Place) => (r.chrom === to.chrom ? Math.max(0, r.start - to.end, to.start - r.end) : Number.POSITIVE_INFINITY);
  const best = info.regions.reduce((a, b) => (away(b) < away(a) ? b : a));
  return place(best.chrom, best.start, best.end);
}
