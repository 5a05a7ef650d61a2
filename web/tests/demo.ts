// A small database, made by the program as its users make theirs, and the program serving it.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = process.env.PERSEA ?? "../target/release/persea";

export interface Served {
  address: string;
  folder: string;
  database: string;
  /** What the program prints. */
  json(...words: string[]): any;
  text(...words: string[]): string;
  stop(): void;
}

function run(folder: string, words: string[]): string {
  const program = PROGRAM.startsWith("/") ? PROGRAM : join(process.cwd(), PROGRAM);
  return execFileSync(program, words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 });
}

const MAKE = [
  "simulate --output sim --biosamples 4 --groups 2 --assays 4 --chromosomes 2 --chromosome-bp 200010 --missing 0.25 --seed 3",
  "create --db x.persea --assembly simulated --chrom-sizes sim/chrom.sizes --regions sim/regions.bed --genes sim/genes.gtf.gz --enhancers sim/enhancers.bed --mask sim/mask.bed",
  "ingest sim/manifest.tsv --db x.persea",
  "ingest --metadata sim/biosamples.tsv --db x.persea",
  "train --db x.persea --model avocado --preset small --nodes 16 --batch-size 500 --threads 2 --name base --passes 3 --no-validate --hold S1:H3K4me3",
  "train --db x.persea --name encoded --passes 1 --threads 2",
  "index --db x.persea",
  "evaluate --db x.persea --model base",
  "project genome --db x.persea --method pca --sample 500 --output genome.svg",
  "task import expression sim/expression.tsv --db x.persea",
  "task run expression --db x.persea --biosample S1 --features embedding,signal --learner ridge",
];

/** The folder of the small database, x.persea, without a server; its files are the caller's to remove. */
export function make(): { folder: string; text(...words: string[]): string } {
  const folder = mkdtempSync(join(tmpdir(), "persea-page-"));
  for (const line of MAKE) run(folder, line.split(" "));
  return { folder, text: (...words) => run(folder, [...words, "--db", "x.persea"]) };
}

export async function serve(): Promise<Served> {
  const { folder } = make();
  writeFileSync(join(folder, "v.vcf"), "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\nchr1\t50002\trs77\tA\tG\nchr2\t9\trs770\tC\tT\n");
  return start(folder, "x.persea", ["--variants", "v.vcf"]);
}

/** A database of which nothing but the axis is there. */
export async function serveEmpty(): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), "persea-empty-"));
  writeFileSync(join(folder, "c.sizes"), "chr1\t100000\n");
  writeFileSync(join(folder, "r.bed"), "chr1\t0\t100000\n");
  run(folder, "create --db x.persea --assembly toy --chrom-sizes c.sizes --regions r.bed".split(" "));
  return start(folder, "x.persea");
}

async function start(folder: string, database: string, options: string[] = []): Promise<Served> {
  const program = PROGRAM.startsWith("/") ? PROGRAM : join(process.cwd(), PROGRAM);
  const server: ChildProcess = spawn(program, ["serve", database, "--port", "0", ...options], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const address = await new Promise<string>((resolve, reject) => {
    let text = "";
    server.stdout!.on("data", (data) => {
      text += data;
      if (text.includes("\n")) resolve(text.trim());
    });
    server.on("exit", (code) => reject(new Error(`persea serve ended with ${code}`)));
  });
  return {
    address,
    folder,
    database,
    json: (...words) => JSON.parse(run(folder, [...words, "--db", database, "--format", "json"])),
    text: (...words) => run(folder, [...words, "--db", database]),
    stop() {
      server.removeAllListeners("exit");
      server.kill("SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
