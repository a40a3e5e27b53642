"use strict";
// Sorting, filtering and opening: everything is on the page without it.
(() => {
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));

  // Tables: a heading becomes a button; a third press gives the first order back.
  for (const table of all("table.sortable")) {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    if (rows.length < 2) continue;
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      if (!head.hasAttribute("data-sort")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const now = was === "descending" ? "ascending" : was === "ascending" ? null : "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        if (now) head.setAttribute("aria-sort", now);
        body.append(...(now ? sorted(rows, column, now === "ascending" ? 1 : -1) : rows));
      });
    });
  }

  function sorted(rows, column, direction) {
    const keyed = rows.map((row, place) => ({ row, place, key: keyOf(row.cells[column]) }));
    keyed.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
      const order = typeof a.key === "number" && typeof b.key === "number"
        ? a.key - b.key
        : String(a.key).localeCompare(String(b.key), undefined, { numeric: true });
      return order * direction || a.place - b.place;
    });
    return keyed.map((one) => one.row);
  }

  function keyOf(cell) {
    if (!cell) return null;
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const shown = cell.textContent.trim();
    return shown === "" || shown === "–" ? null : shown;
  }

  // Nodes: by name and by what came of them.
  const tools = document.querySelector(".tools");
  const filter = document.getElementById("filter");
  const chips = all("[data-filter]");
  const nodes = all("[data-state]");
  const boxes = all(".box");
  let state = "";
  if (tools && nodes.length) tools.hidden = false;

  function apply() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const named = (name) => words.every((word) => name.includes(word));
    for (const node of nodes) {
      node.hidden = !(named(`${node.dataset.name} ${node.textContent.toLowerCase()}`) && (!state || node.dataset.state.split(" ").includes(state)));
    }
    for (const box of boxes) box.classList.toggle("dim", words.length > 0 && !named(box.textContent.toLowerCase()));
  }

  if (filter) {
    filter.addEventListener("input", apply);
    filter.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { filter.value = ""; apply(); }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
      event.preventDefault();
      filter.focus();
    });
  }
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      state = chip.dataset.filter;
      chips.forEach((other) => other.setAttribute("aria-pressed", String(other === chip)));
      apply();
    });
  }

  // The drawer: the fragment of the address names a node, or one of its tabs.
  const drawer = document.getElementById("drawer"), bar = drawer?.querySelector(".headacts");
  function show() {
    const asked = document.getElementById(location.hash.slice(1));
    const open = asked?.closest("#drawer > .node");
    const panel = open && (asked.closest(".panel") ?? open.querySelector(".panel"));
    drawer.closest(".review-page").toggleAttribute("data-open", Boolean(open));
    for (const one of all("#drawer > .node, .panel")) one.classList.toggle("on", one === open || one === panel);
    for (const one of all(".row, .box")) {
      const isOn = Boolean(open) && one.dataset.node !== "" && one.dataset.node === open.dataset.node;
      one.classList.toggle("on", isOn);
      const link = one.matches("a") ? one : one.querySelector("a");
      if (isOn) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
      if (isOn && one.matches(".row")) one.scrollIntoView({ block: "nearest" });
    }
    if (!open) return;
    for (const tab of all(".tabs a", open)) {
      const isOn = tab.hash === `#${open.id}` ? panel.id === `${open.id}-code` : tab.hash === `#${panel.id}`;
      tab.classList.toggle("on", isOn);
      if (isOn) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
    }
    const nodes = all("#drawer > .node"), place = nodes.indexOf(open);
    bar.querySelector(".pos").textContent = `${place + 1} of ${nodes.length}`;
    for (const [rel, node] of [["prev", nodes[place - 1]], ["next", nodes[place + 1]]]) {
      const link = bar.querySelector(`[rel=${rel}]`);
      link.hidden = !node;
      link.href = `#${node?.id}`;
    }
    drawer.scrollTop = 0;
  }
  if (drawer) {
    document.documentElement.classList.add("scripted");
    bar.hidden = false;
    // No element has this id, so the list stays where it is.
    bar.querySelector(".close").addEventListener("click", () => { location.hash = "closed"; });
    addEventListener("hashchange", show);
    show();
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
      const open = drawer.querySelector(":scope > .on");
      const key = { j: "[rel=next]", k: "[rel=prev]", Escape: ".close" }[event.key];
      const link = open && (key ? bar.querySelector(`${key}:not([hidden])`) : /^[1-6]$/.test(event.key) && all(".tabs a", open)[event.key - 1]);
      if (link) link.click();
      else if (!open && event.key === "j") document.querySelector(".list .row a")?.click();
    });
  }

  // Folds: all at once, and all of them on paper.
  const expand = document.getElementById("expand");
  if (expand) {
    expand.addEventListener("click", () => {
      const open = expand.textContent === "Expand all";
      all("details").forEach((fold) => { fold.open = open; });
      expand.textContent = open ? "Fold all" : "Expand all";
    });
  }
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((fold) => { fold.open = false; }));
})();
