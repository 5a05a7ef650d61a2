// What `persea export hub` writes, opened by igv.js: the configuration, and the session of IGV desktop.

import { expect, test } from "@playwright/test";
import { createReadStream, existsSync, rmSync, statSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { make } from "./demo";

const PAGE = `<!DOCTYPE html><meta charset="utf-8"><title>hub</title><link rel="icon" href="data:,">
<div id="igv"></div>
<script type="module">
import igv from "/igv.esm.js";
const names = async (browser) => {
  const views = browser.trackViews.filter((view) => ["wig", "annotation"].includes(view.track.type));
  const answers = [];
  for (const { track } of views) {
    const features = await track.getFeatures("chr1", 0, 200_000, 500);
    answers.push({ name: track.name, n: features.length, range: track.dataRange ?? null, color: track.color ?? null });
  }
  return answers;
};
window.open = async (config) => names(await igv.createBrowser(document.querySelector("#igv"), config));
window.restore = async (config, url) => {
  const browser = await igv.createBrowser(document.querySelector("#igv"), config);
  await browser.loadSession({ url });
  return names(browser);
};
window.ready = true;
</script>`;

let made: ReturnType<typeof make>;
let server: Server;
let address: string;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  made = make();
  made.text("similar", "position", "chr1:100,001", "-k", "5", "--exclude", "4000", "--bed", "hits.bb");
  made.text("export", "hub", "hub", "--tracks", "both", "--assay", "H3K4me3", "--bigbed", "hits.bb");
  const hub = join(made.folder, "hub");
  server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    if (path === "/") return void response.setHeader("content-type", "text/html").end(PAGE);
    const file = path === "/igv.esm.js" ? join("node_modules/igv/dist", path) : join(hub, normalize(path));
    if (!existsSync(file)) return void response.writeHead(404).end();
    if (path.endsWith(".js")) response.setHeader("content-type", "text/javascript");
    const { size } = statSync(file);
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "");
    if (!range) return void createReadStream(file).pipe(response.writeHead(200, { "content-length": size }));
    const [start, end] = [Number(range[1]), Math.min(range[2] ? Number(range[2]) : size - 1, size - 1)];
    response.writeHead(206, { "content-range": `bytes ${start}-${end}/${size}`, "content-length": end - start + 1 });
    createReadStream(file, { start, end }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
test.afterAll(() => {
  server?.close();
  if (made) rmSync(made.folder, { recursive: true, force: true });
});

for (const file of ["igv.json", "igv_session.xml"]) {
  test(`igv.js opens ${file} with every track of the hub, its limits and its colour`, async ({ page }) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("response", (response) => {
      if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(address);
    await page.waitForFunction(() => (window as any).ready);
    const config = await (await page.request.get(`${address}/igv.json`)).json();
    expect(config.reference.fastaURL).toBe("simulated/chrom.sizes");
    const tracks = await page.evaluate(
      async ([file, config]) => {
        const { open, restore } = window as any;
        if (file === "igv.json") return open({ ...config, loadDefaultGenomes: false });
        // IGV desktop takes the file of chromosome sizes; igv.js must be told what it is.
        const genome = { ...config.reference, id: config.reference.fastaURL };
        return restore({ reference: config.reference, genomeList: [genome], loadDefaultGenomes: false }, `/${file}`);
      },
      [file, config] as const,
    );
    const wanted = config.tracks.map((track: any) => track.name).sort();
    expect(tracks.map((track: any) => track.name).sort()).toEqual(wanted);
    expect(wanted.filter((name: string) => name.endsWith(" imputed")).length).toBe(4);
    for (const track of tracks) {
      const { min, max, color, type } = config.tracks.find((other: any) => other.name === track.name);
      expect(track.n, track.name).toBeGreaterThan(0);
      if (type !== "wig") continue;
      expect(track.range, track.name).toMatchObject({ min, max });
      expect(track.color).toBe(color);
    }
    if (process.env.SCREENSHOTS) {
      await page.waitForTimeout(700);
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/hub-${file}.png`, fullPage: true });
    }
    expect(errors).toEqual([]);
  });
}
