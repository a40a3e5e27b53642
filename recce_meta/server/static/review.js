"use strict";
// The review page without loading it anew: the server renders every state, and this fetches the part that changed.
(() => {
  const find = (selector) => document.querySelector(selector);
  if (!find("#review")) return;
  const OF_DRAWER = ["node", "tab", "panel", "column", "unfold", "result", "kind", "columns", "key", "where", "k", "bins", "limit", "sql", "base_sql", "find", "sort", "page"];
  const CLOSED = Object.fromEntries(OF_DRAWER.map((name) => [name, ""]));
  const TABS = ["code", "columns", "data", "profile", "query", "notes"];
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
  const frame = (search) => {
    const query = new URLSearchParams(search);
    // The path of a column is drawn in the graph as well.
    for (const name of OF_DRAWER) if (name !== "column") query.delete(name);
    return String(query);
  };
  let shown = location.search, last = 0, arrived = 0, compares = false, answers = false;

  // Text that is not sent yet, with the value of the server that it replaces: it stays with its node and form.
  const typed = new Map();
  const fields = () => [...document.querySelectorAll("#drawer form[method=post] :is(textarea, input:not([type]))")]
    .filter((field) => field.name !== "reviewer")
    .map((field) => {
      const about = ["node", "column", "parent", "parent_column"].map((name) => field.form.elements[name]?.value);
      return [field, JSON.stringify([find("#drawer > .node").dataset.node, field.form.action, about, field.name])];
    });
  const keep = () => {
    for (const [{ value, defaultValue }, key] of fields()) {
      if (value !== defaultValue) typed.set(key, { value, defaultValue });
      else if (typed.get(key)?.defaultValue === defaultValue) typed.delete(key);
    }
  };
  const restore = () => {
    for (const [field, key] of fields()) {
      const kept = typed.get(key);
      if (kept?.defaultValue !== field.defaultValue) continue;
      field.value = kept.value;
      field.closest("details")?.setAttribute("open", "");
    }
  };

  /** Show the state of *address*: the drawer alone if only that differs. *step* is how the history notes it. */
  async function show(address, step, isWhole = false) {
    const url = new URL(address, location.href), whole = isWhole || frame(url.search) !== frame(shown);
    const turn = (last += 1);
    // At once, so that the next key continues from here.
    if (step) history[`${step}State`](null, "", url);
    find("#drawer").setAttribute("aria-busy", "true");
    const answer = await fetch(whole ? url : `${url.pathname}/drawer${url.search}`).catch(() => ({ ok: false, url }));
    const own = new URL(answer.url).pathname;
    // A refused request, a redirect and an error have their own page.
    if (!answer.ok || ![url.pathname, `${url.pathname}/drawer`].includes(own)) { location.assign(url); return; }
    const part = parsed(await answer.text()).querySelector(whole ? "#review" : "#drawer");
    if (turn !== last) return; // a later state was asked for meanwhile
    const isTall = find("#review").dataset.tall, held = document.activeElement?.id;
    keep();
    if (part) find(whole ? "#review" : "#drawer").replaceWith(part);
    restore();
    arrived = turn;
    if (isTall !== undefined) find("#review").dataset.tall = isTall;
    shown = url.search;
    window.htmx?.process(find("#review"));
    mark();
    if (held && document.activeElement === document.body) document.getElementById(held)?.focus();
  }

  /** Show *parts* anew, by default the verdict and the list; the drawer stays while it is being filled in. */
  async function refresh(parts) {
    const turn = last, whole = parsed(await (await fetch(location.href)).text());
    if (turn !== last) return refresh(parts); // a later state was asked for meanwhile
    const isUsed = document.activeElement?.closest("#drawer");
    keep();
    for (const part of parts || [".verdict", "#all", ".tools", ".left", ...(isUsed ? [] : ["#drawer"])]) {
      const place = `#review > ${part}, .work > ${part}, #drawer ${part}`, next = whole.querySelector(place);
      if (next) find(place)?.replaceWith(next);
    }
    restore();
    window.htmx?.process(find("#review"));
    mark();
  }
  document.addEventListener("htmx:after:swap", () => {
    if (compares && !find("#all[hx-trigger]")) refresh();
    // An answer that has arrived offers checks and further questions.
    if (answers && !find("#query[hx-trigger]") && !document.activeElement?.closest("#offers")) refresh(["#offers"]);
  });

  /** Mark the open node in list and graph, and show what works with scripts only. */
  function mark() {
    compares = Boolean(find("#all[hx-trigger]"));
    answers = Boolean(find("#query[hx-trigger]"));
    const review = find("#review"), open = find("#drawer > .node");
    review.toggleAttribute("data-open", Boolean(open));
    for (const one of document.querySelectorAll(".row, .box")) {
      const isOn = open?.dataset.node !== undefined && one.dataset.node === open.dataset.node;
      one.classList.toggle("on", isOn);
      const link = one.matches("a") ? one : one.querySelector("a");
      if (isOn) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
      if (isOn && one.matches(".row")) one.scrollIntoView({ block: "nearest" });
    }
    const name = find(".foot input[name=reviewer]");
    try { if (name) name.value ||= localStorage.getItem("reviewer") || ""; } catch { /* no storage */ }
    for (const button of document.querySelectorAll("#copy, .tall")) button.hidden = false;
  }
  const go = (changes, step = "push") => {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) if (value) url.searchParams.set(name, value); else url.searchParams.delete(name);
    return show(url, step);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("#review a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.getAttribute("href"), location.href);
    if (url.origin !== location.origin || url.pathname !== location.pathname || link.hasAttribute("download")) return;
    event.preventDefault();
    // The drawer may have changed since the server wrote the links of the frame.
    if (link.closest(".seg, .chips, .more, .folder, .graph-tools")) {
      const now = new URLSearchParams(location.search);
      for (const name of OF_DRAWER) if (now.has(name)) url.searchParams.set(name, now.get(name)); else url.searchParams.delete(name);
    }
    show(url, "push");
  });
  // A mark of a reviewer changes the verdict and the list as well.
  document.addEventListener("submit", async (event) => {
    const form = event.target, button = event.submitter;
    if (form.matches(".search-rows")) { event.preventDefault(); go({ q: form.elements.q.value }, "replace"); return; }
    if (form.matches(".graph-tools form")) {
      event.preventDefault();
      go(Object.fromEntries([...form.elements].filter((one) => one.name && one.type !== "hidden").map((one) => [one.name, one.type === "checkbox" && !one.checked ? "" : one.value])));
      return;
    }
    if (form.matches(".grid-tools")) { event.preventDefault(); go({ find: form.elements.find.value, sort: form.elements.sort.value, page: "" }); return; }
    if (!form.matches("#review form[method=post]")) return;
    event.preventDefault();
    // The drawer still shows the previous node.
    if (last !== arrived && form.closest("#drawer")) return;
    const body = new URLSearchParams(new FormData(form, button));
    if (!form.matches(".review-form")) {
      const action = button?.getAttribute("formaction") || form.action;
      const answer = await fetch(action, { method: "POST", body }), url = new URL(answer.url);
      // A saved result changes the verdict and the list; a refusal has a page of its own.
      if (answer.ok && form.closest(".verdict, #all")) refresh();
      else if (answer.ok && url.pathname === location.pathname) show(url, url.href === location.href ? "" : "push", action.endsWith("/save"));
      else { form.action = action; form.submit(); }
      return;
    }
    // The page itself is asked for below, so its redirect is not followed.
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    if (answer.type === "opaqueredirect") { form.reset(); keep(); show(location.href, "", true); return; }
    // The refusal has a page of its own. `submit` does not send the value of a button.
    const given = Object.assign(document.createElement("input"), { type: "hidden", name: button.name, value: button.value });
    form.append(given);
    form.submit();
  });
  document.addEventListener("change", ({ target }) => { if (target.matches(".grid-tools select")) target.form.requestSubmit(); });
  let typing = 0;
  document.addEventListener("input", (event) => {
    if (event.target.id !== "filter") return;
    clearTimeout(typing);
    typing = setTimeout(async () => {
      const { value, selectionStart } = find("#filter");
      await go({ q: value }, "replace");
      const field = find("#filter");
      field.setSelectionRange?.(selectionStart, selectionStart);
    }, 200);
  });
  addEventListener("popstate", () => show(location.href, ""));

  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("button");
    if (button?.matches(".tall")) find("#review").toggleAttribute("data-tall");
    if (button?.id !== "copy") return;
    try { await navigator.clipboard.writeText(location.href); button.textContent = "Copied"; } catch { prompt("Address of this view", location.href); }
    setTimeout(() => { button.textContent = "Copy link"; }, 2000);
  });

  const press = (selector) => find(selector)?.click();
  const step = (by) => {
    const keys = [...document.querySelectorAll(".list .row")].map((row) => row.dataset.node);
    const asked = new URLSearchParams(location.search).get("node");
    const at = keys.indexOf(keys.includes(asked) ? asked : find("#drawer > .node")?.dataset.node);
    const key = keys[Math.max(0, Math.min(keys.length - 1, at + by))];
    if (key) go({ ...CLOSED, node: key, tab: new URLSearchParams(location.search).get("tab") });
  };
  const keys = {
    j: () => step(1), k: () => step(-1), v: () => press(".seg a:not([aria-current])"), a: () => press(".foot button[value=approved]"),
    c: () => go({ ...CLOSED, panel: "checks" }), q: () => go({ ...CLOSED, panel: "query" }),
    r: () => press("#compare-all"),
    z: () => find("#review").toggleAttribute("data-tall"), y: () => press("#copy"), "/": () => find("#filter").focus(),
    Escape: () => (new URLSearchParams(location.search).has("column") ? go({ column: "" }) : press("#drawer .close")),
  };
  let goes = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("#drawer textarea")) {
      event.target.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]") || event.target.matches("input, textarea, select")) return;
    // After `g`, a letter is the place of another page.
    const isPlace = event.timeStamp < goes;
    goes = event.key === "g" ? event.timeStamp + 1500 : 0;
    const isTab = /^[1-6]$/.test(event.key) && new URLSearchParams(location.search).has("node");
    const act = isPlace ? null : isTab ? () => go({ ...CLOSED, node: new URLSearchParams(location.search).get("node"), tab: TABS[event.key - 1] }) : keys[event.key];
    if (!act || (event.key === "Escape" && !find("#drawer .close"))) return;
    event.preventDefault();
    act();
  }, true);

  // Comments of earlier versions lead to the section of a node.
  if (location.hash.startsWith("#node-")) {
    const bytes = location.hash.slice(6).replace(/~/g, "%");
    let node = bytes;
    try { node = decodeURIComponent(bytes); } catch { /* not an address of ours */ }
    show(`${location.pathname}?${new URLSearchParams({ node })}`, "replace");
  } else mark();
})();
