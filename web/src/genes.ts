// The genes at places: those that a place touches, and those whose TSS is near.

import { Failure } from "./api";

export interface GeneAt {
  name: string;
  chrom: string;
  start: number;
  end: number;
  strand: string;
  /** How many places are in it or near its TSS. */
  points: number;
}

/** How far from a place a TSS may be, in bp. */
const NEAR = 5_000;

/** All genes on covered chromosomes, by chromosome and start. */
export async function readGenes(): Promise<GeneAt[]> {
  const response = await fetch("/api/v1/genes.bed");
  if (!response.ok) throw new Failure(`The server answered with status ${response.status}.`);
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  const genes = lines.map((line) => {
    const [chrom, start, end, name, , strand] = line.split("\t");
    return { chrom, start: Number(start), end: Number(end), name, strand, points: 0 };
  });
  return genes.sort((a, b) => (a.chrom < b.chrom ? -1 : a.chrom > b.chrom ? 1 : a.start - b.start));
}

/** The genes at places, those with the most places first. */
export function genesAt(genes: GeneAt[], places: { chrom: string; start: number; end: number }[]): GeneAt[] {
  const byChromosome = new Map<string, { start: number; end: number }[]>();
  for (const { chrom, start, end } of places) {
    const list = byChromosome.get(chrom) ?? [];
    list.push({ start, end });
    byChromosome.set(chrom, list);
  }
  for (const list of byChromosome.values()) list.sort((a, b) => a.start - b.start);
  const longest = places.reduce((most, p) => Math.max(most, p.end - p.start), 0);
  const found: GeneAt[] = [];
  for (const gene of genes) {
    const list = byChromosome.get(gene.chrom);
    if (!list) continue;
    const tss = gene.strand === "-" ? gene.end - 1 : gene.start;
    const [low, high] = [Math.min(gene.start, tss - NEAR), Math.max(gene.end, tss + NEAR + 1)];
    let points = 0;
    for (let i = first(list, low - longest); i < list.length && list[i].start < high; i++) {
      const { start, end } = list[i];
      const touches = start < gene.end && end > gene.start;
      const isNear = start <= tss + NEAR && end > tss - NEAR;
      if (touches || isNear) points++;
    }
    if (points > 0) found.push({ ...gene, points });
  }
  return found.sort((a, b) => b.points - a.points || (a.name < b.name ? -1 : 1));
}

/** The first place that begins at or after a position. */
function first(list: { start: number }[], position: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].start < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
