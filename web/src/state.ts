// The state of the page is its address: a link shows the same to somebody else.

export type State = Map<string, string>;

let changed: () => void = () => {};

export function state(): State {
  return new Map(new URLSearchParams(location.search));
}

export function address(parts: Record<string, string>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value !== "") query.set(name, value);
  return `/?${query}`;
}

/** Goes to another state; the back button comes back to this one. */
export function go(parts: Record<string, string>): void {
  const next = address(parts);
  if (next !== location.pathname + location.search) history.pushState(null, "", next);
  changed();
}

/** Notes a change within a view, such as where it has been dragged to. */
export function note(parts: Record<string, string>): void {
  const all = Object.fromEntries(state());
  history.replaceState(null, "", address({ ...all, ...parts }));
}

export function onChange(callback: () => void): void {
  changed = callback;
  addEventListener("popstate", callback);
}
