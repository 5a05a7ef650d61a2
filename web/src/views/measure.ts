// What has been measured, and what to measure next.

import { type Coverage, type Info, type SelectAnswer, ask } from "../api";
import { choice, csv, field, figures, h, input, message, save, table } from "../dom";
import { go, note, state } from "../state";

type Chosen = SelectAnswer["chosen"][number];

export async function measure(root: HTMLElement, info: Info): Promise<undefined> {
  if (info.tracks === 0) {
    root.append(message("empty", "The database has no tracks yet.", "Add some with `persea ingest manifest.tsv`, then reload this page."));
    return;
  }
  const coverage = await ask<Coverage>("coverage");
  const chosen = new Set((state().get("chosen") ?? "").split(",").filter(Boolean).map(decodeURIComponent));
  const list = h("ul", { class: "chips", "aria-label": "Experiments to take away" });
  const refresh = () => {
    note({ view: "measure", chosen: [...chosen].map(encodeURIComponent).join(",") });
    list.replaceChildren(...(chosen.size === 0 ? [h("li", {}, "nothing yet: press an experiment that is not measured")] : [...chosen].map((name) => h("li", {}, name))));
    for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-experiment]")) {
      button.setAttribute("aria-pressed", String(chosen.has(button.dataset.experiment!)));
    }
  };
  const toggle = (name: string) => {
    if (!chosen.delete(name)) chosen.add(name);
    refresh();
  };
  const cell = (i: number, j: number) => {
    const it = coverage.experiments[i][j];
    const [biosample, assay] = [coverage.biosamples[i], coverage.assays[j]];
    if (it.measured) {
      const held = it.role === "hold";
      return h("td", { class: held ? "held" : "measured" }, held ? "held out" : "measured");
    }
    return h("td", { class: "missing" },
      h("button", { type: "button", "data-experiment": `${biosample}:${assay}`, "aria-label": `${biosample} ${assay}, not measured: take it`, "aria-pressed": "false", click: () => toggle(`${biosample}:${assay}`) }, it.imputable ? "imputable" : "missing"));
  };
  const n = coverage.experiments.flat().filter((e) => e.measured).length;
  const matrix = h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "biosample"), ...coverage.assays.map((a) => h("th", { scope: "col" }, a)))),
    h("tbody", {}, ...coverage.biosamples.map((b, i) => h("tr", {}, h("th", { scope: "row" }, b), ...coverage.assays.map((_, j) => cell(i, j))))));
  const matrixCsv = () => csv([["biosample", ...coverage.assays], ...coverage.biosamples.map((b, i) => [b, ...coverage.experiments[i].map((e) => (e.measured ? e.role ?? "measured" : e.imputable ? "imputable" : "missing"))])]);
  root.append(
    h("section", {},
      h("div", { class: "bar" },
        h("h3", {}, `Coverage: ${n} of ${coverage.biosamples.length * coverage.assays.length} experiments are measured`),
        h("button", { type: "button", click: () => save("coverage.csv", matrixCsv(), "text/csv") }, "Save as CSV")),
      h("div", { class: "scroll matrix", tabindex: 0, role: "region", "aria-label": "Coverage" }, matrix)),
    h("section", {},
      h("div", { class: "bar" },
        h("h3", {}, "To take away"),
        h("button", { type: "button", click: () => save("experiments.csv", csv([["biosample", "assay"], ...[...chosen].map((name) => [name.slice(0, name.indexOf(":")), name.slice(name.indexOf(":") + 1)])]), "text/csv") }, "Save list as CSV")),
      list));
  refresh();
  if (info.models.length === 0) {
    root.append(message("empty", "The database has no model.", "A choice is made by a model's factors. Train one with `persea train --name base`, then reload this page."));
    return;
  }
  const now = state();
  const what = choice("what", [["experiments", "experiments"], ["biosamples", "biosamples"], ["assays", "assays"]], now.get("what") ?? "experiments");
  const k = input("k", now.get("k") ?? "3", { type: "number", min: 1, max: 100 });
  const costs = input("costs", now.get("costs") ?? "", { placeholder: "H3K4me3=300, other=150", size: 22 });
  const budget = input("budget", now.get("budget") ?? "", { type: "number", min: 0, step: "any", placeholder: "none" });
  const options = (): [string, string][] => [["", "any"], ...(what.value === "biosamples" ? coverage.assays : what.value === "assays" ? coverage.biosamples : []).map((x): [string, string] => [x, x])];
  const slot = h("div", { class: "slot" });
  let for_ = choice("for", options(), now.get("for") ?? "");
  const fill = () => {
    for_ = choice("for", options(), now.get("for") ?? "");
    slot.replaceChildren(field(what.value === "assays" ? "in biosample" : "for assay", for_));
    for_.disabled = what.value === "experiments";
  };
  fill();
  what.addEventListener("change", fill);
  const submit = (event: Event) => {
    event.preventDefault();
    go({ view: "measure", what: what.value, k: k.value, for: for_.value, costs: costs.value.trim(), budget: costs.value.trim() ? budget.value : "", chosen: [...chosen].map(encodeURIComponent).join(",") });
  };
  const answers = h("section", { "aria-live": "polite" });
  root.append(h("section", {}, h("h3", {}, "What to measure next"), h("form", { class: "bar", submit }, field("Choose", what), slot, field("How many", k), field("Cost of each", costs), field("Budget", budget), h("button", {}, "Choose"))), answers);
  if (!now.get("what")) {
    answers.append(message("empty", "Nothing has been asked yet.", "Choose biosamples, assays or experiments above: the answer covers the compendium as widely as it can."));
    return;
  }
  try {
    const answer = await ask<SelectAnswer>("select", {
      what: what.value, k: k.value, for: for_.value, costs: costs.value.replaceAll(/\s*([,=])\s*/g, "$1").trim(), budget: costs.value.trim() ? budget.value : "",
    });
    const spent: number[] = [];
    for (const x of answer.chosen) spent.push((spent.at(-1) ?? 0) + (x.cost ?? 0));
    answers.append(
      table("Choices, in order", "select", [
        { name: "rank", value: (x) => x.rank, numeric: true },
        { name: "name", value: (x) => x.name },
        { name: "gain", value: (x) => x.gain, show: (x) => figures(x.gain), numeric: true },
        { name: "coverage", value: (x) => x.coverage, show: (x) => figures(x.coverage), numeric: true },
        ...(answer.chosen.some((x) => x.cost !== null && x.cost !== undefined)
          ? [
              { name: "cost", value: (x: Chosen) => x.cost, numeric: true },
              { name: "cost so far", value: (x: Chosen) => spent[x.rank - 1], show: (x: Chosen) => figures(spent[x.rank - 1], 8), numeric: true },
            ]
          : []),
        { name: "represents", value: (x) => x.represents.join(" ") },
        { name: "take", value: () => null, show: (x) => (what.value === "experiments" ? h("button", { type: "button", "data-experiment": x.name, "aria-label": `Take ${x.name}`, "aria-pressed": String(chosen.has(x.name)), click: () => toggle(x.name) }, "take") : "") },
      ], answer.chosen),
      ...answer.notes.map((text) => h("p", { class: "note" }, text)));
  } catch (error) {
    answers.append(message("failed", "Nothing could be chosen.", (error as Error).message));
  }
}
