"use strict";
// The lineage graph on a canvas: `RecceGraph.mount(element, options)`; graph_page.js mounts it on pages.
// The input is the JSON of `recce_meta/models/graph_view.py`. Its strings are shown as text, never as HTML.
(() => {
// Size of a box, distance of layers, and sizes within boxes.
const W = 200, H = 44, PITCH = 280, GAP = 16, ROW = 22, PER_PAGE = 10, PILL = 30, REACH = PILL + 6, TWIN = 8;
const ADDED = 1, REMOVED = 2, UNCERTAIN = 4, INDIRECT = 8, BACKWARD = 16;
const LEAST = 0.02, MOST = 3, NAMES_FROM = 0.32, DETAILS_FROM = 0.58;
const LARGEST = 12000, AREA = 4e7; // pixels of a PNG
const SANS = "system-ui, sans-serif";
const [NAME, FAR, SMALL, STRONG, MARK, MEDIUM, ASKED, DOT] =
  ["600 13px", "600 22px", "11px", "600 11px", "700 15px", "12px", "700 12px", "700 10px"].map((size) => `${size} ${SANS}`);
const QUERY = "node up down expand select exclude type tag path owner package hubs most".split(" ");
const SHOWN = "open rows column of selected dim at".split(" ");
const MOST_ASKED = 150, MOST_HELD = 190; // the server refuses an address with more than 200 parameters
const MARKS = { added: "+", removed: "−", modified: "~", impacted: "→" };
const TONES = { added: "added", removed: "removed", modified: "differs", impacted: "soft" };
const TESTS = { failed: ["✕", "tests failed", "failed"], warned: ["!", "tests warned", "differs"], passed: ["✓", "", "same"] };
const SEVERITY = "breaking partial_breaking unknown non_breaking no_effect".split(" ");
const STATUSES = ["modified", "removed", "added"];
const EDGES = [
  [ADDED, "+→", "added"], [REMOVED, "−→", "removed"], [INDIRECT, "- - →", "through hidden nodes"],
  [UNCERTAIN, "· · →", "not certain"], [BACKWARD, "↺", "closes a cycle"],
];
const COLOURS = ("page card ink soft line shade base accent same differs differs-soft "
  + "failed one-sided one-sided-soft added added-soft removed removed-soft").split(" ");
const ICONS = { // lines within 14 by 14
  model: "M1.5 2h11v10h-11zM1.5 5.5h11M5.5 5.5v6.5",
  source: "M2 3.5a5 2 0 0 1 10 0a5 2 0 0 1 -10 0v7a5 2 0 0 0 10 0v-7",
  seed: "M3 1.5h5l3 3v8h-8zM8 1.5v3h3",
  snapshot: "M7 1.5a5.5 5.5 0 1 0 .01 0zM7 4v3.2l2.2 1.3",
  test: "M2 7.5l3.2 3.7l6.8 -8.2",
  exposure: "M2.5 12v-4M7 12v-9M11.5 12v-6",
  other: "M7 1.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
};

// -- Text

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
/** Escape the characters that would hide or turn what follows. */
const plain = (text) => String(text ?? "").replace(CONTROLS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
const joined = (separator, ...parts) => parts.filter(Boolean).join(separator);
const figure = (number) => number.toLocaleString("en-US");
const count = (number, noun, nouns = `${noun}s`) => `${figure(number)} ${number === 1 ? noun : nouns}`;
const keyOf = (node, column) => `${node}\u0000${column}`;
const search = (given) => new URLSearchParams(given);
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
const tenth = (value) => Math.round(value * 10) / 10;
const failure = (what, error) => `${what} could not be loaded: ${plain(error.message)}`;

const measuring = document.createElement("canvas").getContext("2d");
const fitted = new Map();
/** Shorten *text* in its middle if it is wider than *width*. */
function fit(text, width, font) {
  const key = `${font}|${width | 0}|${text}`;
  if (fitted.size > 20000) fitted.clear();
  if (!fitted.has(key)) fitted.set(key, shorten(plain(text), width, font));
  return fitted.get(key);
}
function shorten(text, width, font) {
  if (text.length < 500 && widthOf(text, font) <= width) return text;
  const ends = text.length > 500 ? text.slice(0, 200) + text.slice(-200) : text;
  const parts = Array.from(new Intl.Segmenter().segment(ends), ({ segment }) => segment);
  const cut = (size) => `${parts.slice(0, Math.ceil(size * 0.55)).join("")}…${parts.slice(parts.length - Math.floor(size * 0.45)).join("")}`;
  let [low, high] = [0, parts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(cut(middle), font) <= width) low = middle; else high = middle - 1;
  }
  return cut(low);
}
function widthOf(text, font) {
  measuring.font = font;
  return measuring.measureText(text).width;
}

// -- Document

/** Return a new element: `tag.class`, attributes and listeners (`onclick`) if any, children. */
function make(kind, ...children) {
  const [tag, name] = kind.split("."), element = document.createElement(tag);
  if (name) element.className = `graph-${name}`;
  for (const [name, value] of Object.entries(children[0]?.constructor === Object ? children.shift() : {})) {
    if (name === "class") element.className = `graph-${value}`;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  fill(element, children);
  return element;
}
function fill(element, ...children) {
  element.replaceChildren(...children.flat(9).filter(Boolean).map((child) => (typeof child === "string" ? plain(child) : child)));
}
const button = (text, onclick, given) => make("button", { type: "button", onclick, ...given }, text);
const field = (label) => make("input", { type: "search", placeholder: label, "aria-label": label, autocomplete: "off", spellcheck: "false" });
/** Return a link, or the text alone if *address* is not that of a page. */
function link(text, address) {
  const anchor = make("a", { href: address }, text);
  return address && /^(https?|file):$/.test(anchor.protocol) ? anchor : make("span", text);
}
function save(name, content) {
  const href = URL.createObjectURL(content);
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}

// -- Scene: boxes and edges with their positions

const isBreaking = (node) => node.category === "breaking";
const worded = (...parts) => joined(", ", ...parts).replace(/_/g, " ");
const changeOf = (node) => worded(node.status, node.category);
const wordsOf = (node) => node.words || changeOf(node);
const kindOf = (node) => joined(" · ", node.type, node.materialized);
const markOf = (node) => MARKS[node.status] || "";
function severityOf({ status, category }) {
  if (!status) return 99;
  const place = SEVERITY.indexOf(category);
  return status === "impacted" ? 50 : (place < 0 ? 9 : place) * 4 + STATUSES.indexOf(status);
}
const inOrder = (boxes) => [...boxes].sort((a, b) => severityOf(a.node) - severityOf(b.node) || a.x - b.x || a.home - b.home);
const hiddenOf = (node, side) => (side === "up" ? node.parents : node.children);
const push = (map, key, value) => { if (map.has(key)) map.get(key).push(value); else map.set(key, [value]); };

class Scene {
  constructor(view) {
    this.view = view;
    this.boxes = view.nodes.map((node) => ({ node, x: node.x, y: node.y, home: node.y, height: H, rows: null, ins: [], outs: [] }));
    this.byId = new Map(this.boxes.map((box) => [box.node.id, box]));
    this.layers = new Map();
    for (const box of this.boxes) push(this.layers, box.x, box);
    for (const layer of this.layers.values()) layer.sort((a, b) => a.home - b.home);
    this.edges = [];
    this.styles = new Map();
    for (const [parent, child, flags = 0, bends = []] of view.edges) {
      const edge = { from: this.boxes[parent], to: this.boxes[child], flags, bends, shift: 0 };
      if (!edge.from || !edge.to) continue;
      // An edge of one run and a path of the other, which follows it, are drawn next to each other.
      const twin = this.edges[this.edges.length - 1];
      if (twin && twin.from === edge.from && twin.to === edge.to) {
        edge.shift = TWIN;
        edge.bends = bends.map((height) => height + TWIN);
      }
      this.edges.push(edge);
      push(this.styles, flags & ~BACKWARD, edge);
      edge.from.outs.push(edge);
      edge.to.ins.push(edge);
    }
  }

  arrange(rowsOf) {
    for (const layer of this.layers.values()) {
      let end = -Infinity;
      for (const box of layer) {
        box.rows = rowsOf(box.node.id);
        box.height = box.rows ? H + 8 + Math.max(1, box.rows.columns.length) * ROW + (box.rows.hasFooter ? 26 : 0) : H;
        box.y = Math.max(box.home, end);
        if (box.y > box.home || box.height > H) end = box.y + box.height + GAP;
      }
    }
  }

  /** Return the area of all boxes, pills, and edges that go around. */
  bounds() {
    if (!this.boxes.length) return { left: 0, top: 0, right: 400, bottom: 200 };
    const most = (of, value) => of(...this.boxes.map(value));
    return { left: most(Math.min, (box) => box.x) - 50, top: most(Math.min, (box) => box.y) - 40,
      right: most(Math.max, (box) => box.x) + W + 50, bottom: most(Math.max, (box) => box.y + box.height) + 30 };
  }

  at(x, y) {
    for (const [left, layer] of this.layers) {
      const dx = x - left, isBeside = dx < 0 || dx > W;
      const box = dx >= -REACH && dx <= W + REACH && layer.find((found) => y >= found.y && y < found.y + found.height);
      if (!box) continue;
      if (!isBeside) return { box, ...partAt(box, dx, y - box.y) };
      const side = dx < 0 ? "up" : "down";
      if (hiddenOf(box.node, side) && Math.abs(y - box.y - H / 2) <= 11) return { box, kind: side };
    }
  }
}

function partAt({ node, rows, height }, x, y) {
  if (y < H) return { kind: x > W - 46 && y > H / 2 - 2 && node.columns ? "fold" : "box" };
  const column = rows.columns[Math.floor((y - H - 4) / ROW)];
  if (column && y >= H + 4) return { kind: "row", column: column.name };
  if (!rows.hasFooter || y < height - 28) return { kind: "box" };
  if (x < 40) return { kind: "prev" };
  if (x > W - 34 && rows.isSearchable) return { kind: "find" };
  return { kind: x > W - 74 ? "next" : "box" };
}
/** Return the height of a row, or of the name if the row is not shown. */
function rowAt(box, column) {
  const row = box.rows ? box.rows.columns.findIndex((found) => found.name === column) : -1;
  return box.y + (row < 0 ? H / 2 : H + 4 + (row + 0.5) * ROW);
}

// -- Drawing: the same calls paint the canvas and write the SVG

const escaped = (text) => plain(text).toWellFormed().replace(/[\ufffe\uffff]/g, "\ufffd").replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
const opening = (tag, given) => `<${tag}${Object.entries(given).map(([name, value]) => ((value ?? "") !== "" ? ` ${name}="${escaped(value)}"` : "")).join("")}`;

/** The part of a 2D context that the drawing uses, as SVG with real text. */
class SvgContext {
  constructor() { Object.assign(this, { isSvg: true, parts: [], path: "", dash: [], globalAlpha: 1, textAlign: "left" }); }
  put(tag, given, text) {
    const start = opening(tag, { ...given, opacity: this.globalAlpha < 1 ? this.globalAlpha : "" });
    this.parts.push(text === undefined ? `${start}/>` : `${start}>${escaped(text)}</${tag}>`);
  }
  open(given, title) { this.parts.push(`${opening("g", given)}><title>${escaped(title)}</title>`); }
  close() { this.parts.push("</g>"); }
  add(letter, ...numbers) { this.path += letter + numbers.map(tenth).join(" "); }
  beginPath() { this.path = ""; }
  moveTo(x, y) { this.add("M", x, y); }
  lineTo(x, y) { this.add("L", x, y); }
  bezierCurveTo(...numbers) { this.add("C", ...numbers); }
  closePath() { this.add("Z"); }
  roundRect(x, y, w, h, c) {
    const turn = (dx, dy) => this.add("a", c, c, 0, 0, 1, dx, dy);
    this.add("M", x + c, y); this.add("h", w - 2 * c); turn(c, c); this.add("v", h - 2 * c); turn(-c, c);
    this.add("h", 2 * c - w); turn(-c, -c); this.add("v", 2 * c - h); turn(c, -c);
  }
  arc(x, y, c) { this.roundRect(x - c, y - c, 2 * c, 2 * c, c); }
  setLineDash(dash) { this.dash = dash; }
  fill() { this.put("path", { d: this.path, fill: this.fillStyle }); }
  stroke(d = this.path, transform = "") {
    this.put("path", { d, transform, fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth, "stroke-dasharray": this.dash.join(" ") });
  }
  fillText(text, x, y) {
    const [, weight, size] = /^(?:(\d+) )?(\d+)px/.exec(this.font), anchor = { center: "middle", right: "end" }[this.textAlign];
    this.put("text", { x: tenth(x), y: tenth(y), fill: this.fillStyle, "text-anchor": anchor, "font-size": size, "font-weight": weight }, text);
  }
}

function shape(g, add, { paint, line, width = 1, dash = [] }) {
  g.beginPath();
  add();
  if (paint) { g.fillStyle = paint; g.fill(); }
  if (!line) return;
  g.strokeStyle = line;
  g.lineWidth = width;
  g.setLineDash(dash);
  g.stroke();
  g.setLineDash([]);
}
function write(g, text, x, y, font, colour, align = "left") {
  g.font = font;
  g.fillStyle = colour;
  g.textAlign = align;
  g.fillText(text, x, y);
}
const icons = Object.fromEntries(Object.entries(ICONS).map(([name, lines]) => [name, new Path2D(lines)]));
function drawIcon(g, name, x, y, colour) {
  g.strokeStyle = colour;
  g.lineWidth = 1.2;
  if (g.isSvg) { g.stroke(ICONS[name], `translate(${tenth(x)} ${tenth(y)})`); return; }
  g.translate(x, y);
  g.stroke(icons[name]);
  g.translate(-x, -y);
}

/** Add a curve between boxes, around them if it goes back. */
function addCurve(g, { ends: [x1, y1, x2, y2], bends = [] }, isCoarse) {
  g.moveTo(x1, y1);
  if (x2 < x1) {
    const top = Math.min(y1, y2) - 46;
    g.bezierCurveTo(x1 + 60, y1, x1 + 60, top, x1, top);
    g.lineTo(x2, top);
    g.bezierCurveTo(x2 - 60, top, x2 - 60, y2, x2, y2);
    return;
  }
  const turn = (x, y, toX, toY) => {
    const bend = clamp((toX - x) / 2, 24, 150);
    if (isCoarse || y === toY) g.lineTo(toX, toY); else g.bezierCurveTo(x + bend, y, toX - bend, toY, toX, toY);
  };
  let [x, y] = [x1, y1];
  bends.forEach((height, index) => {
    const left = x1 - W + (index + 1) * PITCH;
    turn(x, y, left, height);
    g.lineTo(left + W, height);
    [x, y] = [left + W, height];
  });
  turn(x, y, x2, y2);
}
function addArrow(g, { ends: [, , x, y] }) {
  g.moveTo(x, y);
  g.lineTo(x - 8, y - 4);
  g.lineTo(x - 8, y + 4);
  g.closePath();
}
const edgeColour = (flags) => (flags & ADDED ? "added" : flags & REMOVED ? "removed" : "base");
const edgeWords = (flags) => EDGES.filter(([flag]) => flags & flag).map(([, , words]) => words).join(", ");
function edgeDash(flags) {
  if (flags & INDIRECT) return flags & UNCERTAIN ? [8, 4, 1.5, 4] : [7, 5];
  return flags & UNCERTAIN ? [1.5, 4] : [];
}
const direct = (edges) => edges.filter(({ flags }) => !(flags & INDIRECT));
const endsOf = ({ from, to, shift = 0 }) => [from.x + W, from.y + H / 2 + shift, to.x, to.y + H / 2 + shift];
/** Return the place of a sign: beyond the middle of the last curve, because lines with a common end differ there. */
function signAt(edge) {
  const [x1, y1, x2, y2] = endsOf(edge), { bends, shift } = edge, x = x1 + bends.length * PITCH, y = bends.length ? bends[bends.length - 1] : y1;
  if (x2 < x1) return [x2 - 16, y2 - 10];
  return [0.352 * x + 0.648 * x2 - 0.144 * clamp((x2 - x) / 2, 24, 150), 0.352 * y + 0.648 * y2 + (shift ? 13 : -4)];
}
const curveOf = (edge) => ({ ends: endsOf(edge), bends: edge.bends });

function drawCurves(g, curves, { colour, dash = [], width, zoom }) {
  const isCoarse = zoom < 0.2 && !g.isSvg;
  shape(g, () => { for (const curve of curves) addCurve(g, curve, isCoarse); }, { line: colour, width: Math.max(width, 0.7 / zoom), dash: isCoarse ? [] : dash });
  if (zoom > 0.3) shape(g, () => { for (const curve of curves) addArrow(g, curve); }, { paint: colour });
}
const fillOf = (node, tone) => tone[`${TONES[node.status]}-soft`] || tone.card;
const colourOf = (node, tone) => tone[isBreaking(node) ? "failed" : TONES[node.status] || "base"];

function drawBox(g, box, look) {
  const { node, x, y } = box, { tone, ring } = look, colour = colourOf(node, tone), mark = markOf(node);
  const width = ring ? 3 : isBreaking(node) ? 2 : node.status ? 1.4 : 1;
  shape(g, () => g.roundRect(x, y, W, box.height, 8),
    { paint: fillOf(node, tone), line: ring || colour, width, dash: node.status === "removed" && !ring ? [5, 3] : [] });
  if (look.isFar) {
    if (mark) write(g, mark, x + 8, y + 30, FAR, colour);
    write(g, fit(node.name, W - (mark ? 40 : 20), FAR), x + (mark ? 30 : 10), y + 30, FAR, tone.ink);
  } else drawDetails(g, box, look, colour, mark);
  if (box.rows) drawRows(g, box, look);
  if (node.parents) drawPill(g, x - PILL - 4, y, node.parents, look);
  if (node.children) drawPill(g, x + W + 4, y, node.children, look);
}

function drawDetails(g, { node, x, y, rows }, { tone, canUnfold }, colour, mark) {
  drawIcon(g, Object.hasOwn(ICONS, node.type) ? node.type : "other", x + 10, y + 7, tone.soft);
  const left = x + (mark ? 45 : 31), tests = TESTS[node.tests_tone], words = wordsOf(node);
  if (mark) write(g, mark, x + 31, y + 19, MARK, colour);
  write(g, fit(node.name, x + W - left - (tests ? 28 : 10), NAME), left, y + 18.5, NAME, tone.ink);
  if (tests) {
    shape(g, () => g.arc(x + W - 15, y + 14, 7, 0, 7), { paint: tone[tests[2]] });
    write(g, tests[0], x + W - 15, y + 17.5, DOT, tone.card, "center");
  }
  let at = x + (words ? 12 : 31), end = x + W - 10;
  if (node.columns && canUnfold) {
    const columns = `${figure(node.columns)} ${rows ? "▴" : "▾"}`;
    write(g, columns, end, y + 36, SMALL, tone.soft, "right");
    end -= widthOf(columns, SMALL) + 8;
  }
  if (words) {
    const shown = fit(words, end - at, STRONG);
    write(g, shown, at, y + 36, STRONG, colour);
    at += widthOf(shown, STRONG);
  }
  const kind = (words && " · ") + joined(" · ", words ? node.materialized || node.type : kindOf(node), /^\w+(?= by )/.exec(node.review)?.[0]);
  if (end - at > 40) write(g, fit(kind, end - at, SMALL), at, y + 36, SMALL, tone.soft);
}

function drawPill(g, x, y, number, { tone, canLoad }) {
  const text = `+${number > 999 ? `${Math.floor(number / 1000)}k` : number}`;
  shape(g, () => g.roundRect(x, y + H / 2 - 9, PILL, 18, 9), { paint: canLoad ? tone.card : tone.page, line: canLoad && tone.base });
  write(g, text, x + PILL / 2, y + H / 2 + 4, STRONG, canLoad ? tone.accent : tone.soft, "center");
}

function drawRows(g, { node, rows, x, y: top, height }, { tone, path }) {
  const end = x + W - 12;
  shape(g, () => { g.moveTo(x + 1, top + H); g.lineTo(x + W - 1, top + H); }, { line: tone.line });
  if (!rows.columns.length) write(g, fit(rows.text, W - 24, MEDIUM), x + 12, top + H + 19, MEDIUM, tone.soft);
  rows.columns.forEach((column, index) => {
    const y = top + H + 4 + index * ROW, { name } = column, isOnPath = path?.byNode.get(node.id)?.has(name);
    const font = isOnPath && path.data.node === node.id && path.data.column === name ? ASKED : MEDIUM, type = column.type ? fit(column.type, 62, SMALL) : "";
    if (isOnPath || rows.hovered === name) {
      shape(g, () => g.roundRect(x + 4, y + 1, W - 8, ROW - 2, 5), { paint: isOnPath ? tone["one-sided-soft"] : tone.shade });
    }
    if (markOf(column)) write(g, markOf(column), x + 10, y + 15.5, ASKED, colourOf(column, tone));
    const room = W - 36 - (type ? widthOf(type, SMALL) + 8 : 0);
    write(g, fit(name, room, font), x + 24, y + 15.5, font, isOnPath ? tone["one-sided"] : tone.ink);
    if (type) write(g, type, end, y + 15.5, SMALL, tone.soft, "right");
  });
  if (!rows.hasFooter) return;
  const { page, pages, total, isSearchable, columns: { length } } = rows, y = top + height - 9;
  const before = page < pages ? (page - 1) * length : total - length, text = total ? `${before + 1}–${before + length} of ${figure(total)}` : "0";
  write(g, "‹", x + 20, y, MARK, page > 1 ? tone.accent : tone.line, "center");
  write(g, text, x + W / 2 - (isSearchable ? 18 : 0), y, SMALL, tone.soft, "center");
  write(g, "›", x + W - (isSearchable ? 54 : 20), y, MARK, page < pages ? tone.accent : tone.line, "center");
  if (isSearchable) write(g, "find", end, y, SMALL, tone.accent, "right");
}

// -- Paths of columns

function pathOf(data) {
  const byNode = new Map(), shown = new Set(data.rows?.flatMap(({ node, reader }) => [node, reader]));
  for (const { node, column, type } of [data, ...data.columns]) {
    if (!byNode.has(node)) byNode.set(node, new Map());
    byNode.get(node).set(column, { name: column, type });
    shown.add(node);
  }
  return { data, byNode, shown, pages: new Map() };
}

// -- The mounted graph

class Graph {
  constructor(element, options) {
    Object.assign(this, {
      element, can: options, scene: new Scene({ nodes: [], edges: [] }), asked: 0,
      x: 0, y: 0, zoom: 1, width: 0, height: 0, ratio: 1, unfolded: new Map(), paths: new Map(),
      selected: "", hovered: "", nearby: new Set(), dimmed: "", ends: new AbortController(),
    });
    this.first = search(options.state || "");
    this.query = search([...this.first].filter(([name]) => QUERY.includes(name)));
    this.build();
    this.readColours();
    this.listen();
    if (options.view) this.begin(options.view);
    else this.reload(this.query, "Loading the graph…");
  }
  box(id) { return this.scene.byId.get(id); }

  build() {
    const { element, can } = this;
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.live = make("p.live", { "aria-live": "polite" });
    this.tip = make("div.tip", { hidden: true });
    this.panel = make("aside.panel", { hidden: true, "aria-label": "Details" });
    this.message = make("div.message", { role: "status", hidden: true });
    this.legend = make("div.legend", { role: "group", "aria-label": "Legend" });
    this.notes = make("div.notes");
    this.field = make("div.field", { tabindex: "0", role: "application" }, this.canvas);
    this.input = field("Find a node of the graph");
    this.hits = make("ul.hits", { hidden: true });
    this.search = make("div.search", this.input, this.hits);
    const group = (...children) => make("span.group", children);
    const fallback = [...element.childNodes].filter((child) => child.nodeName !== "SCRIPT");
    this.table = make("details.table", { ontoggle: () => this.fillTable() }, make("summary", "The graph as tables"), fallback);
    if (!fallback.some((child) => child.nodeType === 1)) this.table.append(this.rows = make("div.scroll"));
    element.append(
      make("div.bar", this.search,
        group(button("−", () => this.zoomBy(0.8), { "aria-label": "Zoom out" }), button("+", () => this.zoomBy(1.25), { "aria-label": "Zoom in" }),
          button("Fit", () => this.fit()), button("Reset view", () => this.reset())),
        make("details.exports", make("summary", "Export"),
          group(["SVG", "PNG", "CSV of nodes", "CSV of edges"].map((kind) => button(kind, () => this.export(kind)))))),
      make("div.stage", this.field, this.tip, this.message, this.panel), this.legend, this.notes,
      make("p.keys", "Arrows: next node, with Shift: move. Space: columns. Enter: open. + − 0: zoom. Esc: back."), this.live, this.table);
    this.title = can.title || "Lineage graph";
    element.classList.add("graph-mounted");
  }

  /** Show the tables of the page of a new view, else a table of its nodes. */
  async renewTable() {
    const { scene, table } = this, parts = this.rows ? null : await this.can.tables?.(this.query).catch(() => null);
    if (scene !== this.scene) return;
    fill(table, table.firstChild, parts || (this.rows ||= make("div.scroll")));
    this.fillTable();
  }
  fillTable() {
    if (!this.rows || !this.table.open) return;
    const row = (tag, cells) => make("tr", cells.map((cell) => make(tag, cell)));
    fill(this.rows, make("table", make("thead", row("th", ["Node", "Type", "Change", "Tests", "Review", "Reads"])), make("tbody", inOrder(this.scene.boxes).map(({ node, ins }) => row("td", [
      link(node.name, node.href), node.type, wordsOf(node), node.tests, node.review, ins.map((edge) => joined(": ", edge.from.node.name, edgeWords(edge.flags))).join(", ")])))));
  }

  say(text) { this.live.textContent = text; }
  show(text, retry) {
    this.message.hidden = !text;
    this.message.classList.toggle("graph-failure", Boolean(retry));
    fill(this.message, text && make("p", text), retry && [button("Try again", () => { this.show(""); retry(); }), button("Close", () => this.show(""))]);
  }

  readColours() {
    const probe = make("span", { hidden: true });
    this.element.append(probe);
    this.colours = Object.fromEntries(COLOURS.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }));
    probe.remove();
    this.redraw();
  }

  begin(view) {
    const { first } = this, at = (first.get("at") || "").split(",").map(Number), [x, y, zoom] = at, rows = first.getAll("rows");
    Object.assign(this, { selected: first.get("selected") || "", dimmed: first.get("dim") || "" });
    this.setView(view);
    this.resize();
    this.start();
    if (at.length === 3 && at.every(Number.isFinite)) Object.assign(this, { x, y, zoom: clamp(zoom, LEAST, MOST), isMoved: true });
    first.getAll("open").forEach((id, place) => {
      const [, page, q] = /^([1-9]\d{0,3}):(.*)$/s.exec(rows[place]) || [];
      this.unfold(id, { q, page, isQuiet: true });
    });
    this.fillPanel();
    if (first.has("column")) this.lock(first.get("of"), first.get("column"));
    this.isReady = true;
    this.redraw();
  }

  /** Show *view* with the node *anchor* where it was. */
  setView(view, anchor) {
    const before = this.box(anchor);
    this.scene = new Scene(view);
    for (const id of this.unfolded.keys()) if (!this.box(id)) this.unfolded.delete(id);
    this.arrange();
    this.follow(before);
    if (!this.box(this.selected)) this.selected = "";
    this.fillPanel();
    this.hover("");
    this.fillLegend();
    this.fillNotes();
    if (this.isReady) this.renewTable(); else this.fillTable();
    this.label = `${this.title}: ${count(view.nodes.length, "node")}, ${count(view.edges.length, "edge")}`;
    this.field.setAttribute("aria-label", this.label);
    this.show(view.nodes.length ? "" : "The graph has no nodes. Change the filters or reset the view.");
    this.redraw();
  }
  follow(before, y = before?.y) {
    const after = before && this.box(before.node.id);
    if (after) { this.x += after.x - before.x; this.y += after.y - y; }
  }

  fillNotes() {
    const { nodes, edges, total = 0, notes = [], is_cut: isCut } = this.scene.view, size = Math.max(total, nodes.length);
    fill(this.notes, make("p", `${isCut ? "The view is cut: " : ""}${figure(nodes.length)} of ${count(size, "node")}, ${count(edges.length, "edge")}.`), notes.map((note) => make("p", note)));
  }

  fillLegend() {
    const found = new Map();
    const add = (key, mark, words, colour, order) => {
      if (!found.has(key)) found.set(key, { key, mark, words, colour, order, count: 0 });
      found.get(key).count++;
    };
    for (const { node } of this.scene.boxes) {
      const change = changeOf(node), tests = TESTS[node.tests_tone];
      if (change) add(`change|${change}`, markOf(node), change, isBreaking(node) ? "failed" : node.status, severityOf(node));
      if (tests && tests[1]) add(`tests|${node.tests_tone}`, tests[0], tests[1], node.tests_tone, 100);
    }
    for (const { flags } of this.scene.edges) {
      for (const [flag, mark, words] of EDGES) if (flags & flag) add(`edge|${flag}`, mark, `edge ${words}`, words, 200 + flag);
    }
    if (!found.has(this.dimmed)) this.dimmed = "";
    const press = ({ currentTarget: pressed }) => {
      this.dimmed = this.dimmed === pressed.name ? "" : pressed.name;
      for (const other of this.legend.querySelectorAll("button")) other.setAttribute("aria-pressed", other.name === this.dimmed);
      this.changed();
    };
    const { rows = [] } = this.path?.data || {};
    fill(this.legend, [...found.values()].sort((a, b) => a.order - b.order).map((entry) => button([
      make(`b.${entry.colour.split(" ")[0]}`, entry.mark), ` ${entry.words} `, make("span", figure(entry.count)),
    ], press, { name: entry.key, "aria-pressed": String(this.dimmed === entry.key), title: "Dim the rest" })),
    rows.length > 0 && make("span", make("b.decides", "- - →"), ` column that decides which rows there are ${figure(rows.length)}`));
  }

  async reload(query, words, anchor) {
    if (!this.can.load) return;
    const turn = ++this.asked;
    this.pending = query;
    this.show(words);
    try {
      const view = await this.can.load(query);
      if (turn !== this.asked) return;
      Object.assign(this, { query, pending: null });
      if (this.isReady) this.setView(view, anchor); else this.begin(view);
      if (anchor) this.say(`${count(view.nodes.length, "node")} shown.`);
      this.changed();
    } catch (error) {
      if (turn !== this.asked) return;
      this.pending = null;
      this.show(failure("The graph", error), () => this.reload(query, words, anchor));
    }
  }
  expandBy(wanted, anchor) {
    const query = search(this.pending || this.query), known = query.getAll("expand"), missing = wanted.filter((one) => !known.includes(one));
    if (!missing.length) return;
    if (query.size >= MOST_ASKED) { this.show("The view has too many expansions. Reset it, and show more steps."); return; }
    for (const one of missing.slice(0, MOST_ASKED - query.size)) query.append("expand", one);
    this.reload(query, "Loading neighbours…", anchor);
  }
  expand(id, sides = ["up", "down"]) {
    const box = this.box(id);
    if (box) this.expandBy(sides.filter((side) => hiddenOf(box.node, side)).map((side) => `${id}:${side}`), id);
  }

  reset() {
    this.unfolded.clear();
    this.unlock();
    this.select("");
    this.dimmed = "";
    this.fillLegend();
    this.arrange();
    this.start();
    const query = search(this.pending || this.query);
    if (!query.has("expand")) return;
    query.delete("expand");
    this.reload(query, "Loading the graph…").then(() => this.start());
  }
  firstFocus() { return inOrder((this.scene.view.focus || []).map((id) => this.box(id)).filter(Boolean))[0]; }
  /** Show the whole graph, or what changed most if its names are too small to read. */
  start() {
    const box = this.firstFocus();
    this.fit();
    if (this.zoom < NAMES_FROM && box) Object.assign(this, { zoom: 0.75, x: box.x + W / 2, y: box.y + H / 2 });
    this.isMoved = false;
  }
  fit() {
    const { left, top, right, bottom } = this.scene.bounds();
    if (!this.width) return;
    this.zoom = clamp(Math.min(this.width / (right - left), this.height / (bottom - top)), LEAST, 1.1);
    Object.assign(this, { x: (left + right) / 2, y: (top + bottom) / 2 });
    this.moved();
  }

  state() {
    const { path, selected, dimmed } = this, state = search(this.query), set = (name, value) => { if (value) state.set(name, value); };
    set("column", path?.data.column);
    set("of", path?.data.node);
    set("selected", selected);
    set("dim", dimmed);
    set("at", this.isMoved && `${tenth(this.x)},${tenth(this.y)},${Number(this.zoom.toPrecision(5))}`);
    for (const [id, { page, q }] of this.unfolded) {
      if (state.size >= MOST_HELD) break;
      state.append("open", id);
      state.append("rows", `${page}:${q}`);
    }
    return state;
  }
  changed(isMove) {
    this.redraw(isMove);
    if (this.isReady) this.writing ||= setTimeout(() => this.writeState(), 250); // browsers limit changes of the address
  }
  writeState() {
    clearTimeout(this.writing);
    this.writing = 0;
    this.can.onState?.(this.state());
  }
  moved() {
    this.isMoved = true;
    this.changed();
  }

  arrange() {
    this.scene.arrange((id) => {
      const found = this.unfolded.get(id), all = [...(this.path?.byNode.get(id)?.values() || [])];
      if (all.length) {
        const page = this.path.pages.get(id) || 1, pages = Math.ceil(all.length / PER_PAGE);
        return { columns: all.slice((page - 1) * PER_PAGE, page * PER_PAGE), total: all.length, page, pages, hasFooter: pages > 1 };
      }
      if (this.path) return null;
      return found ? { columns: [], page: 1, pages: 1, ...found, hasFooter: found.pages > 1 || Boolean(found.q), isSearchable: true } : null;
    });
    this.redraw();
  }
  async unfold(id, { q = "", page = 1, isQuiet = false } = {}) {
    if (!this.can.columns || !this.box(id)) return;
    const found = { ...this.unfolded.get(id), q, page, text: "Loading columns…" };
    this.unfolded.set(id, found);
    this.arrange();
    this.changed();
    let answer;
    try { answer = await this.can.columns(id, q, page); } catch (error) {
      answer = { columns: [], total: 0, note: failure("The columns", error) };
    }
    if (this.unfolded.get(id) !== found) return;
    const { columns, total, pages = 1, note = q ? "No column matches" : "No columns are known" } = answer;
    Object.assign(found, { columns, total, pages, page: answer.page || 1, text: note });
    if (!isQuiet) this.say(columns.length ? `${count(total, "column")}, page ${found.page} of ${pages}` : plain(note));
    this.arrange();
    if (this.selected === id && !this.path) this.fillColumns();
  }
  toggle(id) {
    if (this.path) return;
    if (!this.unfolded.delete(id)) this.unfold(id);
    this.arrange();
    this.changed();
    if (this.selected === id) this.fillPanel();
  }
  turnPage(id, by) {
    const { page, pages, q } = this.box(id).rows, next = clamp(page + by, 1, pages);
    if (!this.path) { if (next !== page) this.unfold(id, { q, page: next }); return; }
    this.path.pages.set(id, next);
    this.arrange();
  }

  async readPath(node, column) {
    const key = keyOf(node, column);
    if (this.paths.size > 200) this.paths.clear();
    if (!this.paths.has(key)) this.paths.set(key, this.can.path(node, column));
    try { return await this.paths.get(key); } catch (error) { this.paths.delete(key); throw error; }
  }
  async lock(node, column) {
    if (!this.can.path) return;
    const turn = this.locking = {};
    try {
      const data = await this.readPath(node, column);
      if (this.locking === turn) this.lockPath(data);
    } catch (error) {
      if (this.locking === turn) this.show(failure("The path of the column", error), () => this.lock(node, column));
    }
  }
  lockPath(data) { this.setPath(pathOf(data)); }
  unlock() {
    this.locking = null;
    if (!this.path) return false;
    this.setPath(null);
    return true;
  }
  setPath(path) {
    const id = (path || this.path).data.node, box = this.box(id), y = box?.y;
    Object.assign(this, { path, preview: null, selected: box ? id : "" });
    this.arrange();
    this.follow(box, y);
    this.hover("");
    this.fillPanel();
    this.fillLegend();
    this.changed();
    this.say(path ? `Path of column ${plain(path.data.column)} locked: ${this.sidesOf(path)}.` : "Path unlocked.");
  }
  sidesOf({ data }) {
    const of = (side) => figure(data.columns.filter((column) => column.side === side).length);
    return `${of("up")} upstream, ${of("down")} downstream`;
  }
  /** Return the nodes of the path that are not shown, and what shows them. */
  missing({ data: { columns, edges }, byNode }) {
    const hidden = [...byNode.keys()].filter((id) => !this.box(id)), wanted = [];
    for (const [source, target] of edges) {
      const from = columns[source], to = columns[target];
      if (!this.box(from.node) && to.side !== "down") wanted.push(`${to.node}:up`);
      if (!this.box(to.node) && from.side !== "up") wanted.push(`${from.node}:down`);
    }
    return { hidden, wanted: [...new Set(wanted)] };
  }

  select(id) {
    if (this.selected === id) return;
    this.selected = id;
    this.fillPanel();
    this.changed();
  }
  jump(id, isCentred) {
    const box = this.box(id);
    if (!box) return;
    this.select(id);
    const [x, y] = this.toScreen(box.x + W / 2, box.y + H / 2), half = (W / 2) * this.zoom + 8;
    const covered = this.element.clientWidth > 700 && !this.panel.hidden ? this.panel.offsetWidth + 20 : 0;
    if (isCentred || x < half || x + half > this.width - covered || y < 30 || y > this.height - 30) {
      if (isCentred) this.zoom = Math.max(this.zoom, DETAILS_FROM + 0.1);
      this.x = box.x + W / 2 + covered / 2 / this.zoom;
      this.y = box.y + H / 2;
      this.moved();
    }
    this.say(this.spoken(box));
  }
  factsOf({ node, ins, outs }) {
    const hidden = (number) => number && `${figure(number)} more hidden`;
    return [kindOf(node), wordsOf(node), node.tests, node.review, node.owner && `owner: ${node.owner}`, node.note && `note: ${node.note}`, node.columns && count(node.columns, "column"),
      joined(", ", count(direct(ins).length, "parent"), hidden(node.parents)), joined(", ", count(direct(outs).length, "child", "children"), hidden(node.children))].filter(Boolean);
  }
  spoken(box) { return plain([box.node.name, ...this.factsOf(box)].join(". ")); }

  fillPanel() {
    const { panel, path } = this, box = this.box(this.selected);
    panel.hidden = !path && !box;
    if (panel.hidden) return;
    const close = () => { if (!this.unlock()) this.select(""); this.field.focus(); };
    fill(panel, button("×", close, { class: "close", "aria-label": path ? "Unlock the path" : "Close the details" }), path ? this.pathParts(path) : this.nodeParts(box));
    panel.scrollTop = 0;
    if (!path) this.fillColumns();
  }
  nodeParts({ node, ins, outs }) {
    const { load, columns } = this.can, { id } = node;
    const rows = "Relation Path Package Owner Tags Tests Review".split(" ").map((name) => [name, [node[name.toLowerCase()]].flat().join(", ")]).filter(([, value]) => value);
    const more = (side, number, noun) => load && number && button(`Show ${figure(number)} more ${noun}`, () => this.expand(id, [side]));
    const near = (title, edges, boxOf) => {
      const words = new Map(direct(edges).map((edge) => [boxOf(edge), edgeWords(edge.flags)]));
      return words.size > 0 && [make("h4", `${title} ${figure(words.size)}`), make("ul", inOrder(words.keys()).slice(0, 20).map((box) =>
        make("li", button(joined(" ", markOf(box.node), box.node.name), () => this.jump(box.node.id), { class: "link" }), words.get(box) && ` ${words.get(box)}`)), words.size > 20 && make("li", "…"))];
    };
    this.columnList = make("div");
    return [
      make("h3", link(node.name, node.href)),
      make("p", kindOf(node), " ", make(`b.${isBreaking(node) ? "failed" : node.status || ""}`, joined(" ", markOf(node), wordsOf(node)))),
      rows.length > 0 && make("dl", rows.map(([name, value]) => [make("dt", name), make("dd", value)])),
      make("div.group", more("up", node.parents, "parents"), more("down", node.children, "children"),
        columns && node.columns && button(this.unfolded.has(id) ? "Fold columns" : `Show ${count(node.columns, "column")}`, () => this.toggle(id))),
      !/added|removed/.test(node.status) && this.actionParts(id, ""), this.columnList,
      near("Reads", ins, (edge) => edge.from), near("Read by", outs, (edge) => edge.to),
    ];
  }
  actionParts(node, column) {
    const actions = (this.can.actions || []).map(({ label, href }) => [label, href(node, column)]).filter(([, address]) => address);
    return actions.length > 0 && make("div.actions", actions.map(([label, address]) => link(label, address)));
  }
  fillColumns() {
    const id = this.selected, found = this.unfolded.get(id), list = this.columnList;
    if (!found) { fill(list); return; }
    if (!list.firstChild) {
      let wait;
      this.columnInput = field("Search columns");
      this.columnInput.value = found.q || "";
      this.columnInput.addEventListener("input", () => {
        clearTimeout(wait);
        wait = setTimeout(() => this.unfold(id, { q: this.columnInput.value.trim() }), 200);
      });
      fill(list, make("h4", "Columns"), this.columnInput, make("div"));
    }
    const { columns = [], text, page, pages } = found;
    const turn = (name, by) => button(name, () => this.turnPage(id, by), { disabled: page + by < 1 || page + by > pages });
    const entry = (column) => make("li", this.can.path
      ? button(joined(" ", markOf(column), column.name), () => this.lock(id, column.name), { class: "link" }) : column.name,
    make("small", ` ${joined(" · ", column.type, column.status, column.about)}`));
    fill(list.lastChild, columns.length ? make("ul", columns.map(entry)) : make("p", text),
      pages > 1 && make("div.group", turn("Previous", -1), `${page} of ${pages}`, turn("Next", 1)));
  }

  pathParts(path) {
    const { data } = path, { hidden, wanted } = this.missing(path), { load } = this.can;
    const nameOf = (id) => this.box(id)?.node.name ?? data.columns.find(({ node }) => node === id)?.name ?? id;
    const list = (title, side) => {
      const found = data.columns.filter((step) => (step.side || "") === side);
      if (side === "up") found.reverse();
      return found.length > 0 && [make("h4", title), make("ol", found.map((step) => make("li",
        make("b", link(step.name, step.href), ".", step.column),
        make("small", ` ${joined(" · ", step.type, (step.kind || "").replace(/_/g, " "), step.confidence)}`), step.expression && make("code", step.expression))))];
    };
    const rows = (data.rows || []).map(({ node, column, usage, reader }) => make("li",
      make("b", `${nameOf(node)}.${column}`), ` ${usage}s the rows of `, make("b", nameOf(reader))));
    return [
      make("h3", `${nameOf(data.node)}.${data.column}`),
      make("p", `Path of the column: ${this.sidesOf(path)}, in ${count(path.byNode.size, "node")}.`),
      (data.notes || []).map((note) => make("p", note)),
      hidden.length > 0 && make("p", `${count(hidden.length, "node")} of the path ${hidden.length === 1 ? "is" : "are"} not shown. `,
        load && wanted.length > 0 && button("Show them", () => this.expandBy(wanted, data.node))),
      this.actionParts(data.node, data.column),
      list("Comes from", "up"), list("Column", ""), list("Used by", "down"),
      rows.length > 0 && [make("h4", "Columns that decide which rows there are"), make("ul.rows", rows)],
    ];
  }

  redraw(isMove = false) {
    this.isStale ||= !isMove;
    this.frame ||= requestAnimationFrame(() => this.paint());
  }
  resize() {
    const { clientWidth: width, clientHeight: height } = this.field, ratio = devicePixelRatio, size = `${width} ${height} ${ratio}`;
    if (!width || size === this.size) return;
    const isFirst = !this.width && this.isReady && !this.isMoved;
    Object.assign(this, { size, width, height, ratio });
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    if (isFirst) this.start();
    this.isStale = true;
    this.paint();
  }
  toScreen(x, y) { return [(x - this.x) * this.zoom + this.width / 2, (y - this.y) * this.zoom + this.height / 2]; }
  toScene(x, y) { return [(x - this.width / 2) / this.zoom + this.x, (y - this.height / 2) / this.zoom + this.y]; }

  /** Paint the view. While it moves, it is copied from a larger sheet. */
  paint() {
    const { width, height, x, y, zoom, ratio, context, isStale } = this;
    cancelAnimationFrame(this.frame);
    Object.assign(this, { frame: 0, isStale: false });
    if (!width) return;
    const room = Math.round(height * 0.4), show = (canvas, more) => {
      const [left, top] = this.toScene(-more, -more), [right, bottom] = this.toScene(width + more, height + more);
      this.paintOn(canvas, { left, top, right, bottom }, zoom * ratio, zoom);
    };
    if (isStale) {
      this.sheetAt = null;
      show(this.canvas, 0);
    } else {
      const { x: left, y: top } = this.sheetAt || { x: Infinity, y: 0 };
      if (Math.max(Math.abs(left - x), Math.abs(top - y)) * zoom > room) {
        this.sheet = make("canvas", { width: (width + 2 * room) * ratio | 0, height: (height + 2 * room) * ratio | 0 });
        this.sheetAt = { x, y };
        show(this.sheet, room);
      }
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(this.sheet, ...[this.sheetAt.x - x, this.sheetAt.y - y].map((moved) => Math.round((moved * zoom - room) * ratio)));
    }
    this.placeTip();
  }
  paintOn(canvas, seen, scale, zoom) {
    const g = canvas.getContext("2d", { alpha: false });
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.fillStyle = this.colours.page;
    g.fillRect(0, 0, canvas.width, canvas.height);
    g.setTransform(scale, 0, 0, scale, -seen.left * scale, -seen.top * scale);
    this.drawAll(g, seen, zoom);
  }

  isDim({ node }) {
    if (this.path) return !this.path.shown.has(node.id);
    const [kind, value] = this.dimmed.split("|");
    return kind === "change" ? changeOf(node) !== value : kind === "tests" && node.tests_tone !== value;
  }
  isDimEdge({ from, to, flags }) {
    if (this.path) return true;
    const [kind, value] = this.dimmed.split("|");
    return kind === "edge" ? !(flags & value) : this.isDim(from) || this.isDim(to);
  }

  /** Draw the area *seen*, one path per style. */
  drawAll(g, seen, zoom) {
    const { colours: tone, scene } = this, path = this.path || this.preview, near = this.box(this.hovered) || this.box(this.selected);
    const passes = this.path || this.dimmed ? [true, false] : [false], isTiny = zoom < NAMES_FROM && !g.isSvg;
    const isSeen = ({ from, to, bends }) => Math.max(from.x, to.x) + W + 70 > seen.left && Math.min(from.x, to.x) - 70 < seen.right
      && Math.max(from.y, to.y, ...bends) + H > seen.top && Math.min(from.y, to.y, ...bends) - 70 < seen.bottom;
    for (const [flags, group] of scene.styles) {
      const found = group.filter(isSeen), style = { colour: tone[edgeColour(flags)], dash: edgeDash(flags), width: 1.3, zoom };
      for (const isFaint of passes) {
        const edges = passes[1] === undefined ? found : found.filter((edge) => this.isDimEdge(edge) === isFaint);
        g.globalAlpha = isFaint ? 0.15 : 0.75;
        if (g.isSvg) for (const edge of edges) this.writeEdge(g, edge, style);
        else drawCurves(g, edges.map(curveOf), style);
        g.globalAlpha = isFaint ? 0.15 : 1;
        if (flags & (ADDED | REMOVED) && !isTiny) for (const edge of edges) write(g, flags & ADDED ? "+" : "−", ...signAt(edge), MARK, style.colour, "center");
      }
    }
    g.globalAlpha = 1;
    if (near && !g.isSvg && !this.path) {
      for (const edge of [...near.ins, ...near.outs].filter(isSeen)) drawCurves(g, [curveOf(edge)], { colour: tone.accent, dash: edgeDash(edge.flags), width: 2, zoom });
    }
    if (path) this.drawPath(g, path, zoom);
    const boxes = scene.boxes.filter((box) => box.x + W + REACH > seen.left && box.x - REACH < seen.right && box.y + box.height > seen.top && box.y < seen.bottom);
    const look = { tone, path, isFar: zoom < DETAILS_FROM && !g.isSvg, canLoad: this.can.load, canUnfold: this.can.columns };
    for (const isFaint of passes) {
      g.globalAlpha = isFaint ? 0.22 : 1;
      const part = boxes.filter((box) => this.isDim(box) === isFaint);
      if (isTiny) this.drawTiny(g, part, zoom);
      else for (const box of part) {
        if (g.isSvg) g.open({ class: "node", "data-id": box.node.id }, joined(", ", box.node.name, box.node.type, wordsOf(box.node)));
        drawBox(g, box, { ...look, ring: this.ringOf(box, near, path) });
        if (g.isSvg) g.close();
      }
    }
    g.globalAlpha = 1;
    if (isTiny && near) shape(g, () => g.rect(near.x, near.y, W, near.height), { line: tone.accent, width: 3 / zoom });
  }
  writeEdge(g, edge, style) {
    const { from: { node: from }, to: { node: to } } = edge;
    g.open({ class: "edge", "data-parent": from.id, "data-child": to.id }, joined(", ", `${from.name} → ${to.name}`, edgeWords(edge.flags)));
    drawCurves(g, [curveOf(edge)], style);
    g.close();
  }
  ringOf(box, near, path) {
    if (path && path.data.node === box.node.id) return this.colours["one-sided"];
    return box.node.id === this.selected || (!path && near !== box && this.nearby.has(box)) ? this.colours.accent : "";
  }
  drawTiny(g, boxes, zoom) {
    const kinds = new Map();
    for (const box of boxes) push(kinds, changeOf(box.node), box);
    for (const part of kinds.values()) {
      const { node } = part[0];
      shape(g, () => { for (const box of part) g.rect(box.x, box.y, W, box.height); },
        { paint: fillOf(node, this.colours), line: colourOf(node, this.colours), width: (isBreaking(node) ? 2 : 1) / zoom });
    }
  }
  /** Draw the steps of a path; dashed from the columns that decide which rows a node has. */
  drawPath(g, { data: { columns, edges, rows = [] } }, zoom) {
    const draw = (pairs, dash) => {
      const curves = new Map();
      for (const [source, target] of pairs) {
        const from = this.box(source.node), to = this.box(target.node);
        if (!from || !to || from === to) continue;
        const ends = [from.x + W, rowAt(from, source.column), to.x, rowAt(to, target.column)];
        curves.set(ends.join(), { ends });
      }
      drawCurves(g, [...curves.values()], { colour: this.colours["one-sided"], dash, width: 1.8, zoom });
    };
    draw(rows.map((row) => [row, { node: row.reader }]), [5, 4]);
    draw(edges.map((edge) => edge.map((place) => columns[place])));
  }

  hover(id, column = "") {
    if (id === this.hovered && column === this.hoveredRow) return;
    for (const { rows } of [this.box(this.hovered), this.box(id)].filter((box) => box?.rows)) rows.hovered = "";
    const box = this.box(id);
    Object.assign(this, { hovered: id, hoveredRow: column, preview: null });
    this.nearby = new Set(box && [...box.ins.map((edge) => edge.from), ...box.outs.map((edge) => edge.to)]);
    clearTimeout(this.waiting);
    this.tip.hidden = !box;
    this.redraw();
    if (!box) return;
    const { node, rows } = box, row = column && rows.columns.find((found) => found.name === column), canLock = this.can.path && !this.path;
    if (row) rows.hovered = column;
    const preview = (data) => {
      if (this.hovered !== id || this.hoveredRow !== column || this.path) return;
      this.preview = pathOf(data);
      this.redraw();
    };
    if (row && canLock) this.waiting = setTimeout(() => this.readPath(id, column).then(preview, () => {}), 120); // a click reports failures
    const lines = row ? [row.type, row.status, row.about, canLock && "A click locks its path"].filter(Boolean) : this.factsOf(box);
    fill(this.tip, make("b", column || node.name), lines.map((line) => make("span", line)));
  }
  placeTip() {
    const box = this.box(this.hovered), { offsetWidth, offsetHeight, style } = this.tip;
    if (!box) return;
    const [x, y] = this.toScreen(box.x, this.hoveredRow ? rowAt(box, this.hoveredRow) + ROW / 2 : box.y + H);
    style.left = `${clamp(x, 4, Math.max(4, this.width - offsetWidth - 4))}px`;
    style.top = `${y + 6 + offsetHeight > this.height ? y - 12 - H * this.zoom - offsetHeight : y + 6}px`;
  }

  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const [before, above] = this.toScene(x, y);
    this.zoom = clamp(this.zoom * factor, LEAST, MOST);
    const [after, below] = this.toScene(x, y);
    this.x += before - after;
    this.y += above - below;
    this.moved();
  }
  panBy(dx, dy) {
    this.x -= dx / this.zoom;
    this.y -= dy / this.zoom;
    this.isMoved = true;
    this.changed(true);
  }
  placeOf({ clientX, clientY }) {
    const { left, top } = this.field.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }
  hitAt(event) { return this.scene.at(...this.toScene(...this.placeOf(event))) || { kind: "" }; }

  listen() {
    const { field: stage, input, hits, search, ends: { signal } } = this, pointers = new Map();
    const on = (target, name, act, more) => target.addEventListener(name, act, { signal, ...more });
    let hasMoved = false;
    on(stage, "pointerdown", (event) => {
      if (event.button > 0) return;
      hasMoved &&= pointers.size > 0;
      pointers.set(event.pointerId, event);
      try { stage.setPointerCapture(event.pointerId); } catch { /* the pointer is gone */ }
    });
    on(stage, "pointermove", (event) => {
      if (!event.buttons) pointers.delete(event.pointerId); // the end of the drag was lost
      const before = pointers.get(event.pointerId), other = [...pointers.values()].find((found) => found !== before);
      if (!before) {
        const { box, column } = this.hitAt(event);
        if (event.pointerType !== "touch") this.hover(box ? box.node.id : "", column);
        stage.classList.toggle("graph-over", Boolean(box));
        return;
      }
      const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
      if (!hasMoved && Math.hypot(dx, dy) < 4) return;
      hasMoved = true;
      pointers.set(event.pointerId, event);
      if (!other) { this.panBy(dx, dy); return; }
      const spread = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1, [x, y] = this.placeOf(event), [x2, y2] = this.placeOf(other);
      this.panBy(dx / 2, dy / 2);
      this.zoomBy(spread(event) / spread(before), (x + x2) / 2, (y + y2) / 2);
    });
    const lift = (event) => {
      if (pointers.delete(event.pointerId) && !hasMoved && event.type === "pointerup" && !pointers.size) this.click(this.hitAt(event));
    };
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) on(stage, name, lift);
    on(stage, "pointerleave", () => { if (!pointers.size) this.hover(""); });
    on(stage, "dblclick", (event) => {
      const { box, kind } = this.hitAt(event);
      if (kind === "box") this.expand(box.node.id);
    });
    on(stage, "wheel", (event) => {
      event.preventDefault();
      const unit = event.deltaMode ? -16 : -1; // lines or pixels
      if (event.ctrlKey || event.metaKey) this.zoomBy(Math.exp(clamp(event.deltaY * unit, -80, 80) * 0.01), ...this.placeOf(event));
      else this.panBy(event.deltaX * unit, event.deltaY * unit);
    }, { passive: false });
    on(stage, "keydown", (event) => this.press(event));
    on(this.panel, "keydown", (event) => { if (event.key === "Escape") this.escape(event); });
    on(stage, "focus", () => this.say(this.box(this.selected) ? this.spoken(this.box(this.selected)) : this.label));
    on(input, "input", () => this.find());
    on(input, "focus", () => this.find());
    on(search, "keydown", (event) => {
      const first = hits.querySelector("button"), isEscape = event.key === "Escape" && !hits.hidden;
      if (!isEscape && (event.key !== "Enter" || event.target !== input)) return;
      event.preventDefault();
      event.stopPropagation();
      if (isEscape) hits.hidden = true; else first?.click();
    });
    on(search, "focusout", (event) => { if (!search.contains(event.relatedTarget)) hits.hidden = true; });
    on(window, "pagehide", () => { if (this.writing) this.writeState(); });
    on(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.readColours());
    const watch = () => on(matchMedia(`(resolution: ${devicePixelRatio}dppx)`), "change", () => { this.resize(); watch(); }, { once: true });
    watch();
    const themes = new MutationObserver(() => this.readColours()), sizes = new ResizeObserver(() => this.resize());
    themes.observe(document.documentElement, { attributes: true });
    sizes.observe(stage);
    on(signal, "abort", () => {
      for (const observer of [themes, sizes]) observer.disconnect();
      for (const timer of [this.writing, this.waiting]) clearTimeout(timer);
    });
  }

  click({ box, kind, column }) {
    const id = box ? box.node.id : "", { path, columns } = this.can;
    if (kind === "up" || kind === "down") this.expand(id, [kind]);
    else if (kind === "row" && path) this.lock(id, column);
    else if (kind === "prev" || kind === "next") this.turnPage(id, kind === "prev" ? -1 : 1);
    else if (this.path) return;
    else if (kind === "fold" && columns) this.toggle(id);
    else {
      this.select(id);
      if (kind === "find") this.columnInput.focus();
      else if (box) this.say(this.spoken(box));
    }
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const act = { "+": () => this.zoomBy(1.25), "-": () => this.zoomBy(0.8), 0: () => this.fit(),
      Enter: () => this.open(this.box(this.selected)), " ": () => this.toggle(this.selected) }[event.key];
    if (event.key === "Escape") this.escape(event);
    if (!arrow && !act) return;
    event.preventDefault();
    event.stopPropagation();
    if (act) act();
    else if (event.shiftKey) this.panBy(arrow[0] * -60, arrow[1] * -60);
    else this.step(...arrow);
  }
  escape(event) {
    const hasMessage = !this.message.hidden && this.scene.boxes.length;
    if (!hasMessage && !this.path && !this.selected) return;
    event.preventDefault();
    event.stopPropagation();
    if (hasMessage) this.show("");
    else if (!this.unlock()) this.select("");
    this.field.focus();
  }
  open(box) {
    if (box && this.can.open) this.can.open(box.node);
    else if (box) link("", box.node.href).click();
  }
  step(dx, dy) {
    const box = this.box(this.selected), { boxes, layers } = this.scene;
    if (!box) { this.jump((this.firstFocus() || inOrder(boxes)[0])?.node.id); return; }
    const layer = layers.get(box.x), ends = dx < 0 ? box.ins.map((edge) => edge.from) : box.outs.map((edge) => edge.to);
    const next = dy ? layer[layer.indexOf(box) + dy] : ends.filter((end) => end !== box).sort((a, b) => Math.abs(a.y - box.y) - Math.abs(b.y - box.y))[0];
    if (next) this.jump(next.node.id);
    else this.say("No further node is shown there.");
  }
  /** List the nodes that match; without words the changed ones. */
  find() {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = inOrder(this.scene.boxes.filter(({ node }) => (words.length
      ? words.every((word) => node.name.toLowerCase().includes(word)) : node.status && node.status !== "impacted")));
    const choose = (id) => { this.hits.hidden = true; this.unlock(); this.jump(id, true); this.field.focus(); };
    this.hits.hidden = !words.length && !found.length;
    fill(this.hits, found.slice(0, 10).map(({ node }) => make("li", button(node.name, () => choose(node.id), { class: "link" }),
      make("small", ` ${joined(" ", markOf(node), wordsOf(node) || node.type)}`))),
    found.length > 10 && make("li", `and ${figure(found.length - 10)} more`), !found.length && make("li", "No node matches."));
  }

  svg() {
    const g = new SvgContext(), seen = this.scene.bounds(), { left, top, right, bottom } = seen;
    this.drawAll(g, seen, 1);
    const size = { x: left, y: top, width: right - left, height: bottom - top };
    return `${opening("svg", { xmlns: "http://www.w3.org/2000/svg", ...size, viewBox: Object.values(size).join(" "), "font-family": SANS })}>${
      opening("rect", { ...size, fill: this.colours.page })}/>${g.parts.join("")}</svg>`;
  }
  png() {
    const seen = this.scene.bounds(), width = seen.right - seen.left, height = seen.bottom - seen.top;
    const scale = Math.min(2, LARGEST / width, LARGEST / height, Math.sqrt(AREA / (width * height)));
    const canvas = make("canvas", { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
    this.paintOn(canvas, seen, scale, scale);
    return new Promise((done) => canvas.toBlob(done));
  }
  /** Write CSV as `report/tabular/delimited.py` does. */
  csv(kind) {
    const cell = (value) => {
      const text = plain(value);
      return value === undefined || (text && !/[,"]/.test(text) && text.trim() === text) ? text : `"${text.replace(/"/g, '""')}"`;
    };
    const names = "id name type materialized package path owner tags relation status category words tests review note columns".split(" ");
    const rows = kind === "nodes" ? [names, ...this.scene.boxes.map(({ node }) => names.map((name) => node[name]))]
      : [["parent", "child", "kind"], ...this.scene.edges.map(({ from, to, flags }) => [from.node.id, to.node.id, edgeWords(flags)])];
    return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
  }
  async export(kind) {
    const part = kind.split(" ").pop(), name = this.title.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60);
    if (kind === "PNG") save(`${name}.png`, await this.png());
    else if (kind === "SVG") save(`${name}.svg`, new Blob([this.svg()], { type: "image/svg+xml" }));
    else save(`${name}-${part}.csv`, new Blob([this.csv(part)], { type: "text/csv" }));
  }
}

// -- Mounting

function mount(element, options) {
  const graph = new Graph(element, options);
  const destroy = () => {
    graph.ends.abort();
    fill(element, [...graph.table.childNodes].slice(1));
    element.classList.remove("graph-mounted");
  };
  return { setView: (view) => graph.setView(view), state: () => graph.state(), destroy, graph };
}

window.RecceGraph = { mount, QUERY, SHOWN };
})();
