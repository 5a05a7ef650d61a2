// The server's answers. The page asks for nothing else.

export interface Model {
  name: string;
  kind: string;
  default: boolean;
  checksum: string;
  created: string;
  has_deviation: boolean;
}

export interface Info {
  version: string;
  database: string;
  assembly: string;
  regions: { name: string | null; chrom: string; start: number; end: number }[];
  chromosomes: { name: string; length: number }[];
  bins: number;
  genes: number;
  variants: number;
  biosamples: number;
  assays: number;
  tracks: number;
  models: Model[];
}

export interface Coverage {
  model: string | null;
  biosamples: string[];
  assays: string[];
  experiments: { measured: boolean; imputable: boolean; role: string | null }[][];
}

export interface Biosamples {
  biosamples: { name: string; metadata: Record<string, Json> }[];
}

export interface Gene {
  name: string;
  id: string;
  chrom: string;
  start: number;
  end: number;
  covered: boolean;
}

export interface Variant {
  name: string;
  chrom: string;
  start: number;
  end: number;
  covered: boolean;
}

export interface Picture {
  start: number;
  end: number;
  tracks: { biosample: string; assay: string; values: (number | null)[] }[];
}

export interface Share {
  assay?: string;
  biosample?: string;
  share: number;
  query: number | null;
  hit: number | null;
  agreement: number | null;
}

export interface Explanation {
  resolutions: Record<string, number>;
  assays: Share[];
  biosamples: Share[];
}

export interface Hit {
  rank: number;
  chrom: string;
  start: number;
  end: number;
  distance: number;
  percentile: number | null;
  nearest_tss: string | null;
  tss_distance: number | null;
  in_gene: string[];
  annotation: string[];
  picture?: Picture;
  explanation?: Explanation | null;
}

export interface SimilarAnswer {
  query: { chrom: string; start: number; end: number; model: string; picture?: Picture; higher_in?: string; higher_in_tracks?: number; searched?: number };
  hits: Hit[];
  close_match: boolean | null;
  exact: boolean;
  model_checksum: string;
}

export interface SelectAnswer {
  objective: string;
  n_candidates: number;
  notes: string[];
  chosen: {
    rank: number;
    name: string;
    gain: number;
    coverage: number | null;
    cost: number | null;
    measured: boolean | null;
    represents: string[];
  }[];
}

export interface Signal {
  chrom: string;
  step: number;
  stretches: { start: number; end: number; values: (number | null)[] }[];
}

export interface Measure {
  value: number | null;
  low?: number | null;
  high?: number | null;
}

// biome-ignore lint: settings and results are JSON of many shapes.
export type Json = any;

export class Failure extends Error {}

export async function ask<T>(path: string, parameters: Record<string, string | number> = {}): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== "") query.set(name, String(value));
  const text = query.toString();
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}${text ? `?${text}` : ""}`);
  } catch {
    throw new Failure("The server does not answer. Is `persea serve` still running? Start it again, then reload this page.");
  }
  const body: Json = await response.json().catch(() => ({ error: `The server answered with status ${response.status}.` }));
  if (!response.ok) throw new Failure(body.error);
  return body as T;
}
