import "./style.css";
import { type Info, ask } from "./api";
import { h, message } from "./dom";
import { address, go, onChange, state } from "./state";
import { benchmarks } from "./views/benchmarks";
import { browse } from "./views/browse";
import { map } from "./views/map";
import { measure } from "./views/measure";
import { similar } from "./views/similar";

/** Draws itself into an element; what it returns is called when the view is left. */
export type View = (root: HTMLElement, info: Info) => Promise<(() => void) | undefined>;

const VIEWS: Record<string, [string, View]> = {
  browse: ["Browse", browse],
  similar: ["Similar", similar],
  map: ["Map", map],
  measure: ["Measure next", measure],
  benchmarks: ["Benchmarks", benchmarks],
};

const root = document.querySelector<HTMLElement>("#view")!;
const notice = document.querySelector<HTMLElement>("#notice")!;
let info: Info | undefined;
let leave: (() => void) | undefined;
let turn = 0;

function links(current: string): void {
  const nav = document.querySelector("#views")!;
  nav.replaceChildren(
    ...Object.entries(VIEWS).map(([name, [title]]) => {
      const click = (event: Event) => {
        const mouse = event as MouseEvent;
        if (mouse.ctrlKey || mouse.metaKey || mouse.shiftKey) return;
        event.preventDefault();
        go({ view: name });
      };
      const link = h("a", { href: address({ view: name }), click }, title);
      if (name === current) link.setAttribute("aria-current", "page");
      return link;
    }),
  );
}

async function show(): Promise<void> {
  const mine = ++turn;
  const wanted = state().get("view") ?? "browse";
  const name = wanted in VIEWS ? wanted : "browse";
  const [title, view] = VIEWS[name];
  leave?.();
  leave = undefined;
  links(name);
  const content = h("div", { class: "view" });
  content.append(h("p", { class: "waiting" }, "Loading…"));
  root.replaceChildren(h("h2", {}, title), content);
  root.dataset.state = "waiting";
  try {
    info ??= await ask<Info>("info");
    document.title = `${title} – ${info.database} – Persea`;
    document.querySelector("#database")!.textContent = info.database;
    const left = await view(content, info);
    if (mine === turn) leave = left;
    else left?.();
  } catch (error) {
    if (mine === turn) content.replaceChildren(message("failed", "This view could not be shown.", String((error as Error).message)));
  }
  content.querySelector(".waiting")?.remove();
  if (mine === turn) root.dataset.state = "ready";
}

/** A model that was replaced meanwhile makes what is on screen old. */
async function watch(): Promise<void> {
  if (document.hidden || !info) return;
  const now = await ask<Info>("info").catch(() => undefined);
  if (!now) return;
  const models = (i: Info) => i.models.map((m) => `${m.name} ${m.checksum} ${m.default}`).join("\n");
  if (models(now) === models(info) && now.tracks === info.tracks) return;
  notice.replaceChildren(
    "The database has changed: a model or a track is another one now. ",
    h("button", { type: "button", click: () => location.reload() }, "Reload"),
  );
}

onChange(() => void show());
setInterval(() => void watch(), 15_000);
addEventListener("focus", () => void watch());
void show();
