// From what somebody types to a stretch of the genome.

import { Failure, type Gene, type Info, type Variant, ask } from "./api";

export interface Place {
  chrom: string;
  start: number;
  end: number;
}

/** `chr1:1,000-2,000` and `chr1:1,000`, counted from 1 as genome browsers do. */
export function parse(text: string, info: Info): Place | undefined {
  const match = /^\s*([^:\s]+)\s*:\s*([\d,]+)\s*(?:[-–]\s*([\d,]+))?\s*$/.exec(text);
  if (!match) return undefined;
  const number = (digits: string) => Number(digits.replaceAll(",", ""));
  const start = number(match[2]) - 1;
  const end = match[3] ? number(match[3]) : start + 1;
  const chromosome = info.chromosomes.find((c) => c.name === match[1] || c.name === `chr${match[1]}`);
  if (!chromosome) throw new Failure(`The database covers no chromosome ${match[1]}; it covers ${info.chromosomes.map((c) => c.name).join(", ")}.`);
  if (start < 0 || end <= start || end > chromosome.length) {
    throw new Failure(`${match[1]} has ${chromosome.length.toLocaleString("en-US")} bases, counted from 1: the place lies outside.`);
  }
  return { chrom: chromosome.name, start, end };
}

export function covers(place: Place, info: Info): boolean {
  return info.regions.some((r) => r.chrom === place.chrom && r.start < place.end && r.end > place.start);
}

/** A place, and the gene that it is of where a gene was named. */
export interface Found extends Place {
  gene?: string;
}

/** A position, a gene, or a variant that the server was given: `rs123` is looked up nowhere else. */
export async function find(text: string, info: Info): Promise<Found> {
  const typed = parse(text, info);
  if (typed) return typed;
  const query = text.trim();
  const { genes } = await ask<{ genes: Gene[] }>("genes", { query, limit: 8 });
  const is = (name: string) => name.toUpperCase() === query.toUpperCase();
  const gene = genes.find((g) => g.covered && (is(g.name) || is(g.id)));
  if (gene) return { ...gene, gene: gene.name };
  if (info.variants > 0) {
    const { variants } = await ask<{ variants: Variant[] }>("variants", { query, limit: 8 });
    const variant = variants.find((v) => is(v.name) && v.covered) ?? variants.find((v) => is(v.name));
    if (variant) return variant;
  }
  if (genes.length === 0) {
    const nowhere = info.variants > 0 ? `and none of the ${info.variants.toLocaleString("en-US")} variants that the server was given has that name` : "and the server was given no variants (persea serve --variants FILE)";
    throw new Failure(`No gene begins with “${query}”, ${nowhere}. Type a gene, or a position such as chr1:151,200,000.`);
  }
  const nearest = genes.find((g) => g.covered) ?? genes[0];
  return { ...nearest, gene: nearest.name };
}

export function wider(place: Place, to: number, info: Info): Place {
  const room = Math.max(0, to - (place.end - place.start)) / 2;
  const length = info.chromosomes.find((c) => c.name === place.chrom)?.length ?? place.end;
  return { chrom: place.chrom, start: Math.max(0, Math.round(place.start - room)), end: Math.min(length, Math.round(place.end + room)) };
}
