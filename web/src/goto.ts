// From what somebody types to a stretch of the genome.

import { Failure, type Gene, type Info, ask } from "./api";

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

export async function find(text: string, info: Info): Promise<Place> {
  const typed = parse(text, info);
  if (typed) return typed;
  const { genes } = await ask<{ genes: Gene[] }>("genes", { query: text.trim(), limit: 8 });
  if (genes.length === 0) throw new Failure(`No gene begins with “${text.trim()}”. Type a gene, or a position such as chr1:151,200,000.`);
  return genes.find((gene) => gene.covered) ?? genes[0];
}

export function wider(place: Place, to: number, info: Info): Place {
  const room = Math.max(0, to - (place.end - place.start)) / 2;
  const length = info.chromosomes.find((c) => c.name === place.chrom)?.length ?? place.end;
  return { chrom: place.chrom, start: Math.max(0, Math.round(place.start - room)), end: Math.min(length, Math.round(place.end + room)) };
}
