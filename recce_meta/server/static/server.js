"use strict";
// Theme and keyboard, and the exceptions of htmx: every page is complete without them.
(() => {
  const root = document.documentElement;
  const find = (selector) => document.querySelector(selector);

  const button = find("#theme");
  if (button) {
    const names = { "": "Theme: system", light: "Theme: light", dark: "Theme: dark" };
    const label = () => { button.textContent = names[root.dataset.theme || ""]; };
    button.hidden = false;
    label();
    button.addEventListener("click", () => {
      const next = { "": "light", light: "dark", dark: "" }[root.dataset.theme || ""];
      if (next) root.dataset.theme = next; else delete root.dataset.theme;
      try { if (next) localStorage.setItem("theme", next); else localStorage.removeItem("theme"); } catch { /* no storage */ }
      label();
    });
  }

  // The browser remembers the name of its reviewer.
  const reviewers = () => document.querySelectorAll(".review input[name=reviewer]");
  try {
    for (const field of reviewers()) field.value = localStorage.getItem("reviewer") || "";
    document.addEventListener("change", ({ target }) => {
      if (target.matches(".review input[name=reviewer]")) localStorage.setItem("reviewer", target.value);
    });
  } catch { /* no storage */ }

  // The diff of two chosen runs is computed before the button is pressed, and the button says that it takes time.
  const pairOf = (event) => event.target.closest?.("form.pair");
  document.addEventListener("change", (event) => {
    const form = pairOf(event);
    if (form?.checkValidity()) fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`).catch(() => {});
  });
  document.addEventListener("submit", (event) => { pairOf(event)?.setAttribute("aria-busy", "true"); });
  addEventListener("pageshow", () => find(".pair[aria-busy]")?.removeAttribute("aria-busy"));

  // A refused or expired request shows its own page instead of a part of it.
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement.dataset.job) held.add(ctx.sourceElement.dataset.job);
    if (!ctx.response.raw.redirected && ctx.response.status < 400) return;
    event.preventDefault();
    const isPoll = ctx.sourceElement.matches("[hx-trigger^=every], [hx-trigger=renew]");
    if (isPoll && (ctx.response.status === 503 || ctx.response.status === 504)) return; // the next update may work
    location.assign(ctx.response.raw.url || ctx.request.action);
  });
  // The page of a query reports that it is in the background, where browsers slow down its updates, or closed.
  let page = "";
  const held = new Set(); // jobs of this page; the drawer may show another node meanwhile
  const rename = () => { page = Math.random().toString(36).slice(2); };
  const lease = (state) => {
    const query = find("#query");
    if (query?.matches("[hx-trigger]")) held.add(query.dataset.job); else held.delete(query?.dataset.job);
    for (const job of held) navigator.sendBeacon(`${job}/lease`, new URLSearchParams({ page, state }));
  };
  const report = () => lease(document.hidden ? "hidden" : "open");
  rename();
  report();
  setInterval(report, 20_000);
  document.addEventListener("visibilitychange", () => lease(document.hidden ? "hidden" : "open"));
  addEventListener("pagehide", () => lease("closed"));
  addEventListener("pageshow", (event) => { if (event.persisted) rename(); });
  // An update of a part never moves the focus.
  document.addEventListener("htmx:before:swap", (event) => {
    for (const { fragment } of event.detail.tasks || []) {
      for (const field of fragment?.querySelectorAll("[autofocus]") || []) field.removeAttribute("autofocus");
    }
  });
  // Searching as one types is one step of the history.
  document.addEventListener("htmx:before:history:update", (event) => {
    const { history: step, sourceElement } = event.detail;
    const isSearch = sourceElement && sourceElement.matches(".search");
    if (isSearch && new URL(step.path, location.href).pathname === location.pathname) step.type = "replace";
  });

  const isVisible = (element) => element.checkVisibility();
  const rows = () => [...document.querySelectorAll("main tbody tr")].map((row) => row.querySelector("a[href]"))
    .filter((link) => link && isVisible(link));
  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const current = document.activeElement.closest("tbody tr");
    const at = current ? all.findIndex((link) => current.contains(link)) : -1;
    const next = all[Math.max(0, Math.min(all.length - 1, at + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const help = () => {
    const dialog = find("#help");
    if (dialog && !dialog.open) dialog.showModal();
  };
  const up = () => {
    const held = document.activeElement;
    if (held && held !== document.body && held.id !== "main") { held.blur(); return; }
    const above = document.querySelectorAll(".crumbs a");
    if (above.length) above[above.length - 1].click();
  };
  const go = (key) => {
    const link = find(`[data-go="${key}"]`);
    if (link) link.click();
  };
  const keys = {
    "/": () => { const field = find(".search input"); if (field) { field.focus(); field.select(); } },
    f: () => { const field = find("#list-q"); if (field) { field.focus(); field.select(); } },
    j: () => step(1),
    k: () => step(-1),
    "?": help,
    Escape: up,
  };
  const places = "hrdl";
  const WAIT = 1500; // milliseconds between `g` and the place
  let waitsUntil = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (find("dialog[open]")) return;
    const isTyping = event.target.matches?.("input, textarea, select, [contenteditable]");
    if (isTyping) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const isPlace = event.timeStamp < waitsUntil && places.includes(event.key);
    waitsUntil = event.key === "g" ? event.timeStamp + WAIT : 0;
    const act = isPlace ? () => go(event.key) : keys[event.key];
    if (act && (event.key !== "Escape" || !event.repeat)) { event.preventDefault(); act(); }
  });
  const link = find("#help-link");
  if (link) link.addEventListener("click", (event) => { event.preventDefault(); help(); });
})();
