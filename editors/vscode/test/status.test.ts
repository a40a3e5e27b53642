import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProjectStatus, SyncStatus } from "../src/protocol.js";
import { statusItem, statusOf, syncLines } from "../src/status.js";

const NOW = new Date("2026-11-20T10:00:00Z");
const READY: ProjectStatus = { name: "shop", state: "ready", models: 1234, source: "both", run_at: "2026-11-20T08:43:10Z", base: "prod, run bc1c9a92" };
const SYNCED: SyncStatus = { remote: "team", last_sync: "2026-11-20T09:55:00Z", pending: 3, conflicts: 1 };

test("before the first notification the server is starting", () => {
  assert.deepEqual(statusItem(undefined, undefined, NOW), { text: "$(sync~spin) recce_meta", tooltip: "Starting the server", tone: "normal" });
});

test("a project that is ready shows its size, its source, its time and its base", () => {
  const item = statusItem(READY, undefined, NOW);

  assert.equal(item.text, "$(type-hierarchy) recce_meta");
  assert.deepEqual(item.tooltip.split("\n"), [
    "shop: 1,234 models from dbt's manifest and changed files, as of 2026-11-20 08:43 UTC",
    "Compared with prod, run bc1c9a92",
  ]);
});

test("a project that cannot be read is an error with its reason", () => {
  const item = statusItem({ state: "failed", message: "dbt_project.yml line 3 is not YAML" }, undefined, NOW);

  assert.equal(item.tone, "error");
  assert.match(item.tooltip, /could not be read: dbt_project\.yml line 3/);
});

test("runs to push and conflicts are in the text, the last sync in the tooltip", () => {
  const item = statusItem(READY, SYNCED, NOW);

  assert.equal(item.text, "$(type-hierarchy) recce_meta ↑3 $(warning) 1");
  assert.equal(item.tone, "warning");
  assert.match(item.tooltip, /Last sync with team: 5 minutes ago\n3 runs to push\n1 conflict: /);
});

test("without a remote store nothing is said of an exchange", () => {
  assert.deepEqual(syncLines(undefined, NOW), []);
  assert.deepEqual(syncLines({ remote: null, pending: 4 }, NOW), []);
  assert.equal(statusItem(READY, { remote: null, pending: 4 }, NOW).text, "$(type-hierarchy) recce_meta");
});

test("an unknown number of runs is not shown as none", () => {
  assert.deepEqual(syncLines({ remote: "team", pending: null }, NOW), ["Never synced with team", "Runs to push: not known"]);
});

test("the reason why nothing is known of an exchange is in the tooltip alone", () => {
  const item = statusItem(READY, { remote: null, message: "no store at warehouse.example" }, NOW);

  assert.equal(item.text, "$(type-hierarchy) recce_meta");
  assert.match(item.tooltip, /Exchange of runs: no store at warehouse\.example$/);
});

test("a failed exchange is a warning with its reason", () => {
  const item = statusItem(READY, { ...SYNCED, conflicts: 0, error: "connection refused" }, NOW);

  assert.equal(item.tone, "warning");
  assert.match(item.tooltip, /Last sync failed: connection refused/);
});

test("times are words up to two days, then a date", () => {
  const last = (time: string) => syncLines({ remote: "team", last_sync: time, pending: 0 }, NOW)[0];

  assert.equal(last("2026-11-20T09:59:31Z"), "Last sync with team: just now");
  assert.equal(last("2026-11-20T09:59:00Z"), "Last sync with team: 1 minute ago");
  assert.equal(last("2026-11-20T07:00:00Z"), "Last sync with team: 3 hours ago");
  assert.equal(last("2026-11-01T07:00:00Z"), "Last sync with team: 2026-11-01 07:00 UTC");
  assert.equal(last("2026-11-21T07:00:00Z"), "Last sync with team: 2026-11-21 07:00 UTC");
  assert.equal(last("yesterday"), "Last sync with team: yesterday");
});

test("the status is that of the project of the active file, else the last one", () => {
  const outer: ProjectStatus = { ...READY, project: "/projects/shop", name: "shop" };
  const inner: ProjectStatus = { ...READY, project: "/projects/shop/parts/stock", name: "stock" };
  const projects = new Map([outer, inner].map((status) => [status.project ?? "", status]));
  const name = (path?: string) => statusOf(projects, path)?.name;

  assert.equal(name("/projects/shop/models/orders.sql"), "shop");
  assert.equal(name("/projects/shop/parts/stock/models/items.sql"), "stock");
  assert.equal(name("/projects/shopping/models/items.sql"), "stock");
  assert.equal(name(), "stock");
  assert.equal(statusOf(new Map(), "/projects/shop/models/orders.sql"), undefined);
});
