import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";
import { readFileSync } from "node:fs";
import { type Served, serve, serveEmpty } from "./demo";

let demo: Served;
let foreign: string[];
let errors: string[];

test.beforeAll(async () => {
  test.setTimeout(240_000);
  demo = await serve();
});
test.afterAll(() => demo?.stop());

test.beforeEach(async ({ page }) => {
  foreign = [];
  errors = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(demo.address) && !/^(data|blob):/.test(url)) foreign.push(url);
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (line) => {
    if (line.type() === "error") errors.push(line.text());
  });
});

async function open(page: Page, query: string, served = demo): Promise<void> {
  await page.goto(`${served.address}?${query}`);
  await expect(page.locator("main")).toHaveAttribute("data-state", "ready", { timeout: 30_000 });
}

async function sound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ").slice(0, 600)}`)).toEqual([]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, "pixels of sideways scrolling").toBeLessThanOrEqual(0);
}

const VIEWS: Record<string, string> = {
  browse: "view=browse",
  similar: "view=similar&query=chr1:100,000&k=5&exclude=4000",
  explained: "view=similar&query=chr1:100,000&k=5&exclude=4000&model=encoded&explain=true",
  map: "view=map",
  signal: "view=map&colour=signal%3A+S1%3AH3K4me3",
  measure: "view=measure&what=experiments&k=2",
  benchmarks: "view=benchmarks",
};

for (const [name, query] of Object.entries(VIEWS)) {
  for (const scheme of ["light", "dark"] as const) {
    for (const width of [1280, 390]) {
      test(`${name} in ${scheme} at ${width} pixels has no violation and asks nobody else`, async ({ page }) => {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 844 });
        await open(page, query);
        await expect(page.locator(".failed")).toHaveCount(0);
        if (process.env.SCREENSHOTS) {
          await page.waitForTimeout(700);
          await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${scheme}-${width}.png`, fullPage: true });
        }
        await sound(page);
        expect(foreign).toEqual([]);
        expect(errors).toEqual([]);
      });
    }
  }
}

test("hits are those of persea similar, and a click goes there and back", async ({ page }) => {
  await open(page, VIEWS.similar);
  const answer = demo.json("similar", "position", "chr1:100,000", "-k", "5", "--exclude", "4000");
  const rows = page.locator("main tbody tr");
  await expect(rows).toHaveCount(answer.hits.length);
  for (const [i, hit] of answer.hits.entries()) {
    const cells = rows.nth(i).locator("td");
    await expect(cells.nth(1)).toHaveText(hit.chrom);
    await expect(cells.nth(2)).toHaveText(String(hit.start));
    await expect(cells.nth(4)).toHaveText(String(Number(hit.distance.toPrecision(6))));
    await expect(cells.nth(6)).toHaveText(hit.nearest_tss ?? "");
    await expect(cells.nth(8)).toHaveText(hit.in_gene.join(" "));
    await expect(cells.nth(9)).toHaveText(hit.annotation.join(" "));
  }
  await expect(rows.first().locator("svg path").first()).toBeVisible();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as BED" }).click();
  const bed = readFileSync((await (await saved).path())!, "utf8").trim().split("\n");
  expect(bed.map((line) => line.split("\t").slice(0, 3))).toEqual(answer.hits.map((h: any) => [h.chrom, String(h.start), String(h.end)]));
  await rows.first().getByRole("link").click();
  await expect(page.getByRole("heading", { name: "Browse" })).toBeVisible();
  await page.goBack();
  await expect(page.locator("main")).toHaveAttribute("data-state", "ready");
  await expect(page.getByRole("heading", { name: "Similar" })).toBeVisible();
  await expect(rows).toHaveCount(answer.hits.length);
});

test("why hits are alike, and what counts more, is as the program has it", async ({ page }) => {
  await open(page, "view=similar");
  await page.getByLabel("Gene, variant or position").fill("chr1:100,000");
  await page.getByLabel("Hits", { exact: true }).fill("4");
  await page.getByLabel("Exclude, bp").fill("4000");
  await page.getByLabel("Model").selectOption("encoded");
  await page.getByLabel("Weights").fill("H3K4me3=2, 5kbp=0.5");
  await page.getByLabel("Say why they are alike").check();
  await page.getByRole("button", { name: "Search", exact: true }).click();
  const answer = demo.json("similar", "position", "chr1:100,000", "-k", "4", "--exclude", "4000", "--model", "encoded", "--weights", "H3K4me3=2,5kbp=0.5", "--explain");
  const rows = page.locator("main tbody tr");
  await expect(rows).toHaveCount(answer.hits.length);
  const heads = await page.locator("main thead th").allTextContents();
  const [alike, apart] = [heads.indexOf("alike in"), heads.indexOf("apart in")];
  const signal = (value: number | null) => (value === null ? "?" : value.toFixed(2));
  const words = (shares: any[]) => shares.slice(0, 3).map((s) => `${s.assay} ${(100 * s.share).toFixed(0)} % (${signal(s.query)} → ${signal(s.hit)})`).join(", ");
  for (const [i, hit] of answer.hits.entries()) {
    const cells = rows.nth(i).locator("td");
    await expect(cells.nth(2)).toHaveText(String(hit.start));
    const { assays } = hit.explanation;
    await expect(cells.nth(apart)).toHaveText(words(assays));
    await expect(cells.nth(alike)).toHaveText(words(assays.filter((a: any) => a.agreement !== null).sort((a: any, b: any) => b.agreement - a.agreement)));
  }
  const address = new URL(page.url()).searchParams;
  expect([address.get("explain"), address.get("model"), address.get("weights")]).toEqual(["true", "encoded", "H3K4me3=2, 5kbp=0.5"]);
  // The default model has no encoder: the reason is shown.
  await page.getByLabel("Model").selectOption({ index: 0 });
  await page.getByLabel("Weights").fill("");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("share");
});

test("pictures are of the biosamples whose metadata is chosen", async ({ page }) => {
  await open(page, VIEWS.similar);
  const select = page.getByLabel("Pictures of biosamples");
  const group = (await select.locator("option").nth(1).getAttribute("value"))!;
  await select.selectOption(group);
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("of")).toBe(group);
  await expect(page.locator("main")).toHaveAttribute("data-state", "ready");
  const { biosamples } = await (await page.request.get(`${demo.address}api/v1/biosamples`)).json();
  const [key, value] = group.split("=");
  const members = biosamples.filter((b: any) => b.metadata[key] === value).map((b: any) => b.name);
  expect(members.length).toBeLessThan(biosamples.length);
  const shown = await page.locator(".query .legend li").allTextContents();
  expect(shown.length).toBeGreaterThan(0);
  for (const text of shown) expect(members).toContain(text.trim().split(" ")[0]);
});

test("a search is made by keyboard alone and stands in the address", async ({ page }) => {
  await open(page, "view=similar");
  await page.getByLabel("Gene, variant or position").focus();
  await page.keyboard.type("chr2:50,000");
  await page.keyboard.press("Enter");
  await expect(page.locator("main tbody tr").first()).toBeVisible();
  expect(new URL(page.url()).searchParams.get("query")).toBe("chr2:50,000");
  await page.reload();
  await expect(page.locator("main tbody tr").first()).toBeVisible();
});

test("tracks are drawn from bigWigs whose values are those of the program", async ({ page }) => {
  const ranges: number[] = [];
  page.on("response", (response) => {
    if (response.url().includes("/api/v1/bigwig/")) ranges.push(response.status());
  });
  await open(page, "view=browse&locus=chr1:20,001-40,000&tracks=measured:S1:H3K4me3,imputed:S1:H3K4me3");
  await expect.poll(() => ranges.length).toBeGreaterThan(3);
  expect(ranges.every((status) => status === 206 || status === 200)).toBe(true);
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as CSV" }).click();
  const lines = readFileSync((await (await saved).path())!, "utf8").trim().split("\r\n").slice(1);
  const imputed = lines.map((l) => l.split(",")).filter((l) => l[2] === "imputed");
  demo.text("impute", "S1:H3K4me3", "--output", "i.bedGraph", "--region", "chr1:20,001-40,000");
  const expected = new Map<number, number>();
  for (const line of readFileSync(`${demo.folder}/i.bedGraph`, "utf8").trim().split("\n")) {
    const [, start, end, value] = line.split("\t");
    for (let at = Number(start); at < Number(end); at += 25) expected.set(at, Number(value));
  }
  expect(imputed.length).toBe(800);
  for (const [, , , , start, , value] of imputed) expect(Number(value)).toBeCloseTo(expected.get(Number(start))!, 5);
  // To a gene, and back.
  const before = page.url();
  const gene = (await (await page.request.get(`${demo.address}api/v1/genes?query=g&limit=50`)).json()).genes.find((g: any) => g.covered);
  await page.getByLabel("Gene, variant or position").fill(gene.name);
  await page.getByRole("button", { name: "Go", exact: true }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("locus")).toContain(`${gene.chrom}:`);
  await expect.poll(() => page.url()).not.toBe(before);
  await page.goBack();
  await expect.poll(() => new URL(page.url()).searchParams.get("locus")).toContain("chr1:2");
});

test("a place that is not covered and a name that is not there say what to do", async ({ page }) => {
  await open(page, "view=browse");
  await page.getByLabel("Gene, variant or position").fill("nosuchgene");
  await page.getByRole("button", { name: "Go", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Type a gene");
  await page.getByLabel("Gene, variant or position").fill("chr9:5");
  await page.getByRole("button", { name: "Go", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("covers no chromosome chr9");
  await open(page, "view=similar&query=nosuchgene");
  await expect(page.getByRole("alert")).toContainText("Type a gene");
});

test("coverage and choices are those of the program", async ({ page }) => {
  await open(page, VIEWS.measure);
  const tracks = demo.json("track", "list");
  await expect(page.locator(".matrix td.measured, .matrix td.held")).toHaveCount(tracks.length);
  await expect(page.locator(".matrix td.held")).toHaveCount(1);
  const answer = demo.json("select", "experiments", "-k", "2", "--no-store");
  const rows = page.getByRole("region", { name: "Choices, in order" }).locator("tbody tr");
  await expect(rows).toHaveCount(2);
  for (const [i, chosen] of answer.chosen.entries()) {
    await expect(rows.nth(i).locator("td").nth(1)).toHaveText(chosen.name);
    await expect(rows.nth(i).locator("td").nth(2)).toHaveText(String(Number(chosen.gain.toPrecision(4))));
  }
  await rows.first().getByRole("button").click();
  await expect(page.getByRole("list", { name: "Experiments to take away" })).toContainText(answer.chosen[0].name);
  expect(decodeURIComponent(new URL(page.url()).searchParams.get("chosen")!)).toBe(answer.chosen[0].name);
});

test("each choice has its cost, and a budget is kept to", async ({ page }) => {
  await open(page, VIEWS.measure);
  const rows = page.getByRole("region", { name: "Choices, in order" }).locator("tbody tr");
  const heads = () => page.getByRole("region", { name: "Choices, in order" }).locator("thead th").allTextContents();
  expect(await heads()).not.toContain("cost");
  const free = await rows.locator("td:nth-child(2)").allTextContents();
  const [, assay] = free[0].split(":");
  await page.getByLabel("Cost of each").fill(`${assay}=300, other=20`);
  await page.getByRole("button", { name: "Choose", exact: true }).click();
  await expect.poll(heads).toContain("cost");
  const column = async (name: string) => {
    const at = (await heads()).indexOf(name) + 1;
    return (await rows.locator(`td:nth-child(${at})`).allTextContents()).map(Number);
  };
  const expected = free.map((name) => (name.split(":")[1] === assay ? 300 : 20));
  // Without a budget costs choose nothing.
  expect(await rows.locator("td:nth-child(2)").allTextContents()).toEqual(free);
  expect(await column("cost")).toEqual(expected);
  expect(await column("cost so far")).toEqual(expected.map((_, i) => expected.slice(0, i + 1).reduce((a: number, b: number) => a + b, 0)));
  await sound(page);
  await page.getByLabel("Budget").fill("45");
  await page.getByRole("button", { name: "Choose", exact: true }).click();
  await expect.poll(async () => new URL(page.url()).searchParams.get("budget")).toBe("45");
  await expect(page.locator("main")).toHaveAttribute("data-state", "ready");
  expect((await column("cost so far")).at(-1)).toBeLessThanOrEqual(45);
  for (const name of await rows.locator("td:nth-child(2)").allTextContents()) expect(name.split(":")[1]).not.toBe(assay);
  await page.getByLabel("Cost of each").fill("nothing=3");
  await page.getByRole("button", { name: "Choose", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("there is no assay `nothing`");
});

test("a variant is found by the name that a file gives it, in both views", async ({ page }) => {
  await open(page, "view=browse&tracks=");
  await page.getByLabel("Gene, variant or position").fill("RS77");
  await page.getByRole("button", { name: "Go", exact: true }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("locus")).toMatch(/^chr1:4000[234]-6000[123]$/);
  await page.getByLabel("Gene, variant or position").fill("rs78");
  await page.getByRole("button", { name: "Go", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("none of the 2 variants");
  await open(page, "view=similar&query=rs77&k=4&exclude=4000");
  const answer = demo.json("similar", "position", "chr1:50,002", "-k", "4", "--exclude", "4000");
  const rows = page.locator("main tbody tr");
  await expect(rows).toHaveCount(answer.hits.length);
  for (const [i, hit] of answer.hits.entries()) await expect(rows.nth(i).locator("td").nth(2)).toHaveText(String(hit.start));
});

test("hits are those with higher signal in a group of biosamples, of a class and a chromosome", async ({ page }) => {
  const { biosamples } = await (await page.request.get(`${demo.address}api/v1/biosamples`)).json();
  await open(page, "view=similar&query=chr1:100,000&k=6&exclude=4000");
  const select = page.getByLabel("Only hits higher in");
  const group = (await select.locator("option").nth(1).getAttribute("value"))!;
  await select.selectOption(group);
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("higher")).toBe(group);
  await expect(page.locator("main")).toHaveAttribute("data-state", "ready");
  await expect(page.locator("p.note")).toContainText("higher in biosamples with");
  const [key, value] = group.split("=");
  const is = (name: string) => biosamples.find((b: any) => b.name === name).metadata[key] === value;
  const { tracks } = await (await page.request.get(`${demo.address}api/v1/tracks`)).json();
  const assays = new Map<string, any[]>();
  for (const t of tracks) assays.set(t.assay, [...(assays.get(t.assay) ?? []), t]);
  const compared = [...assays.values()].filter((all) => all.some((t) => is(t.biosample)) && all.some((t) => !is(t.biosample)));
  expect(compared.length).toBeGreaterThan(0);
  // Signal is asked for on the original scale, and compared as it is stored: arcsinh.
  const mean = async (t: any, hit: any) => {
    const of = `biosample=${t.biosample}&assay=${t.assay}&kind=measured&chrom=${hit.chrom}&start=${hit.start}&end=${hit.end}&points=2000`;
    const answer = await (await page.request.get(`${demo.address}api/v1/signal?${of}`)).json();
    const values = answer.stretches.flatMap((s: any) => s.values).filter((v: any) => v !== null);
    return values.reduce((a: number, v: number) => a + Math.asinh(v), 0) / values.length;
  };
  const apart = async (hit: any) => {
    const parts = compared.flatMap((all) => {
      const sides: [number, any[]][] = [[1, all.filter((t) => is(t.biosample))], [-1, all.filter((t) => !is(t.biosample))]];
      return sides.flatMap(([sign, side]) => side.map(async (t) => (sign * (await mean(t, hit))) / side.length));
    });
    return (await Promise.all(parts)).reduce((a, b) => a + b, 0);
  };
  const nearest = demo.json("similar", "position", "chr1:100,000", "-k", "30", "--exclude", "4000").hits;
  const higher: number[] = [];
  let looked = 0;
  while (looked < nearest.length && higher.length < 6) {
    const hit = nearest[looked++];
    if ((await apart(hit)) > 0) higher.push(hit.start);
  }
  const starts = await page.locator("main tbody tr td:nth-child(3)").allTextContents();
  expect(starts.map(Number)).toEqual(higher);
  await select.selectOption("");
  await page.getByLabel("Chromosome").selectOption("chr2");
  await page.getByLabel("Class").selectOption("gene");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("chromosomes")).toBe("chr2");
  await expect(page.locator("main")).toHaveAttribute("data-state", "ready");
  const chromosomes = await page.locator("main tbody tr td:nth-child(2)").allTextContents();
  expect(chromosomes.length).toBeGreaterThan(0);
  for (const text of chromosomes) expect(text).toBe("chr2");
  const heads = await page.locator("main thead th").allTextContents();
  const annotation = await page.locator(`main tbody tr td:nth-child(${heads.indexOf("annotation") + 1})`).allTextContents();
  for (const text of annotation) expect(text.split(" ")).toContain("gene");
  await sound(page);
});

test("runs are those that are stored", async ({ page }) => {
  await open(page, VIEWS.benchmarks);
  const [run] = demo.json("task", "runs");
  const rows = page.getByRole("region", { name: "Runs of tasks" }).locator("tbody tr");
  const best = rows.filter({ hasText: run.best });
  await expect(best.first().locator("td").nth(2)).toHaveText(run.train);
  await expect(best.first().locator("td").nth(6)).toHaveText(String(Number(run.value.toPrecision(4))));
});

test("a group of the map is chosen by its value and shared by the address", async ({ page }) => {
  await open(page, VIEWS.map);
  const select = page.getByLabel("Group by value");
  const value = await select.locator("option").nth(1).getAttribute("value");
  await select.selectOption(value!);
  const stored = await (await page.request.get(`${demo.address}api/v1/projections`)).json();
  const name = stored.projections[0].name;
  const { columns } = await (await page.request.get(`${demo.address}api/v1/projection?name=${name}`)).json();
  const label = columns.find((c: any) => c.name.startsWith("label: "));
  const n = label.texts.filter((t: string) => t === value).length;
  await expect(page.getByRole("heading", { name: `${n} points are chosen` })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: `${n} points are chosen` })).toBeVisible();
});

async function projection(page: Page): Promise<{ name: string; columns: any[]; column: (of: string) => any[] }> {
  const stored = await (await page.request.get(`${demo.address}api/v1/projections`)).json();
  const name = stored.projections[0].name;
  const { columns } = await (await page.request.get(`${demo.address}api/v1/projection?name=${name}`)).json();
  const column = (of: string) => {
    const found = columns.find((c: any) => c.name === of);
    return found.texts ?? found.numbers;
  };
  return { name, columns, column };
}

test("a lasso's group has its genes, its values and its BED", async ({ page }) => {
  await open(page, VIEWS.map);
  const { column } = await projection(page);
  const [x, chrom, start, end] = ["x", "place: chrom", "place: start", "place: end"].map(column);
  await page.locator(".map").evaluate((map) => map.scrollIntoView({ block: "center" }));
  const box = (await page.locator(".map canvas").boundingBox())!;
  // Around the left half, beyond the map's edges.
  const [left, right, top, bottom] = [box.x + 2, box.x + box.width / 2, box.y + 2, box.y + box.height - 2];
  await page.mouse.move(left, top);
  await page.keyboard.down("Shift");
  await page.mouse.down();
  for (const [toX, toY] of [[right, top], [right, bottom], [left, bottom], [left, top + 8]]) {
    await page.mouse.move(toX, toY, { steps: 12 });
    await page.waitForTimeout(30);
  }
  await page.mouse.up();
  await page.keyboard.up("Shift");
  const heading = page.getByRole("heading", { name: /points are chosen/ });
  await expect(heading).toBeVisible();
  const n = Number((await heading.textContent())!.replaceAll(",", "").split(" ")[0]);
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save group as BED" }).click();
  const bed = readFileSync((await (await saved).path())!, "utf8").trim().split("\n").map((line) => line.split("\t"));
  expect(bed.length).toBe(n);
  // Those, and only those, on the left: the map is drawn to the same scale both ways around its middle.
  const middle = (Math.min(...x) + Math.max(...x)) / 2;
  const key = (i: number) => `${chrom[i]}:${start[i]}-${end[i]}`;
  const lying = new Set(x.map((v, i) => (v < middle ? key(i) : "")).filter((k) => k !== ""));
  expect(n).toBeGreaterThan(0);
  expect(n).toBeLessThan(x.length);
  expect(new Set(bed.map(([c, s, e]) => `${c}:${s}-${e}`))).toEqual(lying);
  // Its genes, from the program's own files.
  const genes = (await (await page.request.get(`${demo.address}api/v1/genes.bed`)).text()).trim().split("\n").map((line) => line.split("\t"));
  const expected = new Map<string, number>();
  for (const [c, s, e, name, , strand] of genes) {
    const tss = strand === "-" ? Number(e) - 1 : Number(s);
    const at = bed.filter(([bc, bs, be]) => bc === c && ((Number(bs) < Number(e) && Number(be) > Number(s)) || (Number(bs) <= tss + 5_000 && Number(be) > tss - 5_000)));
    if (at.length > 0) expected.set(name, at.length);
  }
  const table = page.getByRole("region", { name: /Genes of the group/ });
  await expect(table.locator("tbody tr")).toHaveCount(expected.size);
  for (const row of await table.locator("tbody tr").all()) {
    const [name, , , , , points] = await row.locator("td").allTextContents();
    expect(Number(points), name).toBe(expected.get(name));
  }
  const names = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save names of genes" }).click();
  const list = readFileSync((await (await names).path())!, "utf8").trim().split("\n");
  expect(new Set(list)).toEqual(new Set(expected.keys()));
  await sound(page);
});

test("a map is coloured by the signal of an experiment", async ({ page }) => {
  await open(page, VIEWS.signal);
  const { name, column } = await projection(page);
  const { signal } = await (await page.request.get(`${demo.address}api/v1/projection/signal?name=${name}&biosample=S1&assay=H3K4me3`)).json();
  expect(signal.length).toBe(column("x").length);
  const known = signal.filter((v: number | null) => v !== null);
  const bands = await page.locator(".legend li").allTextContents();
  expect(bands.length).toBeGreaterThan(2);
  await page.getByLabel("Group by value").selectOption(bands[bands.length - 1]);
  const low = Number(bands[bands.length - 1].split(" ")[0]);
  const shown = Number((await page.getByRole("heading", { name: /points are chosen/ }).textContent())!.split(" ")[0]);
  // The highest band has a sixth of the points, but for equals. Its name has three digits.
  expect(shown).toBeGreaterThanOrEqual(known.filter((v: number) => v > 1.005 * low).length);
  expect(shown).toBeLessThanOrEqual(known.filter((v: number) => v >= 0.995 * low).length);
  expect(shown).toBeLessThan(known.length / 3);
  const row = page.getByRole("region", { name: /^Points, the first/ }).locator("tbody tr").first();
  const cells = await row.locator("td").allTextContents();
  const at = column("name").indexOf(cells[0]);
  expect(Number(cells[3])).toBeCloseTo(signal[at], 3);
  const [chrom, start, end] = ["place: chrom", "place: start", "place: end"].map((of) => column(of)[at]);
  const one = await (await page.request.get(`${demo.address}api/v1/signal?biosample=S1&assay=H3K4me3&kind=measured&scale=arcsinh&chrom=${chrom}&start=${start}&end=${end}&points=1000`)).json();
  const values = one.stretches.flatMap((s: any) => s.values).filter((v: number | null) => v !== null);
  expect(values.reduce((a: number, b: number) => a + b, 0) / values.length).toBeCloseTo(signal[at], 5);
  expect(new URL(page.url()).searchParams.get("colour")).toBe("signal: S1:H3K4me3");
});

test("an empty database says in every view what to do", async ({ page }) => {
  const empty = await serveEmpty();
  try {
    for (const view of ["browse", "similar", "map", "measure", "benchmarks"]) {
      await open(page, `view=${view}`, empty);
      await expect(page.locator(".message.empty").first()).toContainText("persea ");
      await sound(page);
    }
  } finally {
    empty.stop();
  }
});

test("a server that has gone is noticed", async ({ page }) => {
  const empty = await serveEmpty();
  await open(page, "view=benchmarks", empty);
  empty.stop();
  await page.waitForTimeout(500);
  await page.getByRole("link", { name: "Map" }).click();
  await expect(page.getByRole("alert")).toContainText("persea serve");
});
