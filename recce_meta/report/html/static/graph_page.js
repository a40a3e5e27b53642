"use strict";
// Lineage graphs on pages: their data, tables and actions, the address of the page, and the form around them.
(() => {
const { mount, QUERY, SHOWN } = window.RecceGraph;

/** Replace the parameters *names* of *to* by those of *from*. */
function carry(from, to, names) {
  for (const name of names) to.delete(name);
  for (const name of new Set(names)) for (const value of from.getAll(name)) to.append(name, value);
}
function writeAddress(state) {
  const url = new URL(location.href);
  carry(state, url.searchParams, [...QUERY, ...SHOWN]);
  history.replaceState(history.state, "", url);
}
async function readJson(address, parameters) {
  const url = new URL(address, document.baseURI);
  carry(parameters, url.searchParams, ["expand", ...parameters.keys()]);
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.json();
}
/** Return what the graph of this page has without scripts, for another view. */
async function readTables(query) {
  const answer = await fetch(`?${query}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return [...page.querySelector(".graph").childNodes];
}

// [{"label": "Row count", "href": "/…?node={node}"}]: an address with {column} is an action on columns.
// Only nodes with rows have actions.
const actionOf = ({ label, href: pattern }) => ({
  label,
  href: (node, column) => pattern.includes("{column}") === Boolean(column) && /^(model|seed|snapshot|source|relation)\./.test(node)
    && pattern.replace(/\{(node|column)\}/g, (_, name) => encodeURIComponent(name === "node" ? node : column)),
});
function mountOn(element) {
  if (element.classList.contains("graph-mounted")) return;
  const { graph, columns, path, actions = "[]" } = element.dataset;
  element.graph = mount(element, {
    title: element.getAttribute("aria-label"),
    load: graph && ((query) => readJson(graph, query)),
    tables: graph && readTables,
    columns: columns && ((node, q, page) => readJson(columns, new URLSearchParams({ node, q, page }))),
    path: path && ((node, column) => readJson(path, new URLSearchParams({ node, column }))),
    actions: JSON.parse(actions).map(actionOf),
    state: location.search,
    onState: writeAddress,
  });
}
const mountAll = () => document.querySelectorAll(".graph[data-graph]").forEach(mountOn);
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mountAll); else mountAll();
document.addEventListener("htmx:after:swap", mountAll);

/** Let *parameters* hold what the script shows, and the parameters *names* of the drawn view. */
function keepView(parameters, names) {
  const graph = document.querySelector(".graph-mounted")?.graph;
  if (graph) carry(graph.state(), parameters, [...names, ...SHOWN]);
}
document.addEventListener("formdata", ({ target, formData }) => {
  if (!target.matches(".graph-form")) return;
  keepView(formData, ["expand", "most"]);
  const { node, select } = target.elements; // another node has another position
  if ([node, select].some((field) => field && field.value !== field.defaultValue)) formData.delete("at");
});
// The links of filters, and those of the table that show neighbours. A link is copied after its mousedown.
for (const kind of ["mousedown", "click"]) {
  document.addEventListener(kind, ({ target }) => {
    const link = target.closest(".graph-form .chip, .graph-table a");
    if (!link || link.pathname !== location.pathname) return;
    const url = new URL(link.href);
    keepView(url.searchParams, link.matches(".chip") ? ["expand"] : []);
    link.href = url;
  }, true);
}
})();
