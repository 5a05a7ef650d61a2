// Elements, tables and files. Text is always set as text, so that a name with HTML in it is only a name.

type Child = Node | string | null | undefined;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number | boolean | ((event: Event) => void)> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attributes: Record<string, string | number>, ...children: Node[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

export function save(name: string, text: string, type: string): void {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function csv(rows: (string | number | null)[][]): string {
  const cell = (value: string | number | null) => {
    const text = value === null ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

export interface Column<T> {
  name: string;
  value: (row: T) => string | number | null;
  show?: (row: T) => Node | string;
  numeric?: boolean;
  /** Whether it holds sentences. */
  wide?: boolean;
}

/** A table with a button that saves it as CSV: all rows, of which only some may be shown. */
export function table<T>(caption: string, file: string, columns: Column<T>[], rows: T[], saved: T[] = rows): HTMLElement {
  const head = h("tr", {}, ...columns.map((c) => h("th", { scope: "col", class: c.numeric ? "number" : "" }, c.name)));
  const body = rows.map((row) =>
    h("tr", {}, ...columns.map((c) => {
      const value = c.value(row);
      return h("td", { class: c.numeric ? "number" : c.wide ? "wide" : "" }, c.show ? c.show(row) : value === null ? "" : String(value));
    })),
  );
  const all = () => csv([columns.map((c) => c.name), ...saved.map((row) => columns.map((c) => c.value(row)))]);
  return h("section", { class: "table" },
    h("div", { class: "bar" },
      h("h3", {}, caption),
      h("button", { type: "button", click: () => save(`${file}.csv`, all(), "text/csv") }, "Save as CSV")),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
      h("table", {}, h("thead", {}, head), h("tbody", {}, ...body))));
}

export function field(label: string, control: HTMLElement): HTMLElement {
  return h("label", {}, h("span", {}, label), control);
}

export function choice(name: string, options: [string, string][], value: string): HTMLSelectElement {
  const select = h("select", { name }, ...options.map(([v, text]) => h("option", { value: v, selected: v === value }, text)));
  return select;
}

export function input(name: string, value: string, attributes: Record<string, string | number> = {}): HTMLInputElement {
  return h("input", { name, value, autocomplete: "off", spellcheck: "false", ...attributes });
}

export function message(kind: "empty" | "failed", title: string, what: string): HTMLElement {
  return h("div", { class: `message ${kind}`, role: kind === "failed" ? "alert" : "note" }, h("strong", {}, title), h("p", {}, what));
}

export function place(chrom: string, start: number, end: number): string {
  if (end === start + 1) return `${chrom}:${end.toLocaleString("en-US")}`;
  return `${chrom}:${(start + 1).toLocaleString("en-US")}-${end.toLocaleString("en-US")}`;
}

export function figures(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined ? "" : String(Number(value.toPrecision(digits)));
}
