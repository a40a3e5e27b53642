// Script of the lineage page: mounts the graph of the reports, and passes its questions to the extension.
import type { FromPage, PageData, Question, Shown, ToPage } from "./protocol.js";

interface GraphHit { kind: string; box?: { node: GraphNode } }
interface GraphNode { href?: string }
interface Mounted {
  destroy(): void;
  state(): URLSearchParams;
  graph: { hitAt(event: MouseEvent): GraphHit };
}
interface GraphOptions {
  title: string;
  state: string;
  load(query: URLSearchParams): Promise<unknown>;
  columns(node: string, search: string, page: number): Promise<unknown>;
  path(node: string, column: string): Promise<unknown>;
  open(node: GraphNode): void;
  onState(state: URLSearchParams): void;
}
declare global {
  interface Window { RecceGraph: { mount(element: Element, options: GraphOptions): Mounted } }
  function acquireVsCodeApi(): { postMessage(message: FromPage): void; getState(): Saved | undefined; setState(state: Saved): void };
}
/** What is kept while the page is hidden. */
interface Saved { shown: Shown; state: string; follows: boolean }

const editor = acquireVsCodeApi();
const begin = JSON.parse(find("#data").textContent ?? "") as PageData;
const saved: Saved = editor.getState() ?? { shown: { uri: begin.uri, title: begin.title }, state: "", follows: begin.follows };
const waiting = new Map<number, { done(value: unknown): void; fail(error: Error): void }>();
let asked = Date.now(); // An answer to an earlier page of this panel must not meet a question of this one.
let mounted: Mounted | undefined;

function find(selector: string): Element {
  const found = document.querySelector(selector);
  if (!found) throw new Error(`${selector} is missing`);
  return found;
}

function ask(what: Question, ...parameters: (string | number)[]): Promise<unknown> {
  const id = ++asked;
  return new Promise((done, fail) => {
    waiting.set(id, { done, fail });
    editor.postMessage({ type: "ask", id, shown: saved.shown.uri, what, parameters });
  });
}

function open(address: string | undefined): void {
  if (address) editor.postMessage({ type: "open", address });
}

function show(shown: Shown, state: string): void {
  keep({ shown, state });
  mounted?.destroy();
  const element = document.createElement("div");
  element.className = "graph";
  find("h1").textContent = shown.title;
  find("main").replaceChildren(element);
  mounted = window.RecceGraph.mount(element, {
    title: `Lineage of ${shown.title}`,
    state,
    load: (query) => ask("graph", query.toString()),
    columns: (node, search, page) => ask("columns", node, search, page),
    path: (node, column) => ask("path", node, column),
    open: (node) => open(node.href),
    onState: (now) => keep({ state: now.toString() }),
  });
}

function keep(change: Partial<Saved>): void {
  editor.setState(Object.assign(saved, change));
}

const follow = find("#follow");
const showFollow = () => follow.setAttribute("aria-pressed", String(saved.follows));
follow.addEventListener("click", () => {
  keep({ follows: !saved.follows });
  showFollow();
  editor.postMessage({ type: "follow", on: saved.follows });
});

window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
  if (data.type === "show") {
    const isSame = data.shown.uri === saved.shown.uri;
    show(data.shown, (isSame && mounted?.state().toString()) || "");
    return;
  }
  const found = waiting.get(data.id);
  waiting.delete(data.id);
  if (data.type === "answer") found?.done(data.value);
  else found?.fail(new Error(data.message));
});

// A click on a box opens its file; a drag does not.
let pressedAt = [0, 0];
document.addEventListener("pointerdown", ({ clientX, clientY }) => { pressedAt = [clientX, clientY]; }, true);
document.addEventListener("click", (event) => {
  const target = event.target as Element;
  const link = target.closest<HTMLAnchorElement>("a[href]");
  if (link) {
    event.preventDefault();
    event.stopImmediatePropagation();
    open(link.href);
  } else if (target.closest(".graph-field") && Math.hypot(event.clientX - (pressedAt[0] ?? 0), event.clientY - (pressedAt[1] ?? 0)) < 4) {
    const hit = mounted?.graph.hitAt(event);
    if (hit?.kind === "box") open(hit.box?.node.href);
  }
}, true);

showFollow();
show(saved.shown, saved.state);
