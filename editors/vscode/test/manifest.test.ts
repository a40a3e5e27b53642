import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { COMMANDS } from "../src/protocol.js";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const lock = readFileSync("package-lock.json", "utf8");
const { contributes } = manifest;
const ids: string[] = contributes.commands.map(({ command }: { command: string }) => command);

test("commands of the extension and of the server have different prefixes", () => {
  assert.ok(ids.every((id) => id.startsWith("recceMeta.")));
  assert.ok(Object.values(COMMANDS).every((id) => id.startsWith("recce-meta.")));
});

test("every command of the manifest is registered", () => {
  const source = readFileSync("src/commands.ts", "utf8");

  for (const id of ids) assert.match(source, new RegExp(`"${id.slice("recceMeta.".length)}"`));
});

test("menus have commands of the manifest", () => {
  const shown = Object.values<{ command: string }[]>(contributes.menus).flat().map(({ command }) => command);

  assert.deepEqual(shown.filter((command) => !ids.includes(command)), []);
});

test("runs are exchanged only by commands unless a setting is changed", () => {
  assert.equal(contributes.configuration.properties["recceMeta.sync.auto"].default, false);
});

test("a folder that is not trusted starts no program", () => {
  assert.equal(manifest.capabilities.untrustedWorkspaces.supported, false);
});

test("activation needs no search for files", () => {
  assert.deepEqual(manifest.activationEvents, ["workspaceContains:dbt_project.yml", "onLanguage:sql", "onLanguage:jinja-sql"]);
});

test("the types of the editor are those of the oldest supported version", () => {
  assert.equal(manifest.engines.vscode, `^${manifest.devDependencies["@types/vscode"]}`);
});

test("every dependency has one version, and the lock names no host of packages", () => {
  const versions = Object.values<string>({ ...manifest.dependencies, ...manifest.devDependencies });

  assert.deepEqual(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version)), []);
  const { packages } = JSON.parse(lock) as { packages: Record<string, { resolved?: string; integrity?: string }> };
  const resolved = Object.values(packages).flatMap((entry) => entry.resolved ?? []);
  assert.deepEqual(resolved.filter((address) => !address.startsWith("https://registry.npmjs.org/")), []);
  assert.deepEqual(Object.entries(packages).filter(([path, { integrity }]) => path && !integrity), []);
});
