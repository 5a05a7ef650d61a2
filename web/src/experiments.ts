// Experiments as they stand in addresses, and as bigWigs.

export type Kind = "measured" | "imputed" | "average" | "deviation";

export const KINDS: [Kind, string][] = [
  ["measured", "measured"],
  ["imputed", "imputed"],
  ["average", "average of the others"],
  ["deviation", "uncertainty of the imputed"],
];

export interface Shown {
  kind: Kind;
  biosample: string;
  assay: string;
}

export function written(shown: Shown[]): string {
  return shown.map((s) => [s.kind, s.biosample, s.assay].map(encodeURIComponent).join(":")).join(",");
}

export function read(text: string): Shown[] {
  const known = KINDS.map(([kind]) => kind as string);
  return text
    .split(",")
    .map((part) => part.split(":").map(decodeURIComponent))
    .filter((parts) => parts.length === 3 && known.includes(parts[0]))
    .map(([kind, biosample, assay]) => ({ kind: kind as Kind, biosample, assay }));
}

export function bigwig(s: Shown): string {
  return `/api/v1/bigwig/${s.kind}/${encodeURIComponent(s.biosample)}/${encodeURIComponent(s.assay)}.bw`;
}

export function name(s: Shown): string {
  const kind = { measured: "", imputed: " imputed", average: " average", deviation: " uncertainty" }[s.kind];
  return `${s.biosample} ${s.assay}${kind}`;
}

// Okabe and Ito's colours, dark enough to be seen on white and light enough on black.
const COLOURS = ["0,114,178", "213,94,0", "0,158,115", "204,121,167", "150,120,0", "86,150,210"];

export function nth(i: number): string {
  return `rgb(${COLOURS[i % COLOURS.length]})`;
}

export function colour(assay: string, assays: string[]): string {
  return `rgb(${COLOURS[Math.max(0, assays.indexOf(assay)) % COLOURS.length]})`;
}
