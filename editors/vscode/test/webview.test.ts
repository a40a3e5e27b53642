import assert from "node:assert/strict";
import { test } from "node:test";
import { html, newNonce, policy } from "../src/webview.js";

const FILES = { graphScript: "https://w/graph.js", pageScript: "https://w/page.js?a=1&b=2", graphStyle: "https://w/graph.css", pageStyle: "https://w/page.css" };
const DATA = { uri: "file:///shop/models/orders.sql", title: "orders", follows: true };
const SOURCE = "https://*.vscode-cdn.net";

test("the policy forbids everything but own styles and scripts with the nonce", () => {
  assert.equal(policy("abc", SOURCE), "default-src 'none'; style-src https://*.vscode-cdn.net; script-src 'nonce-abc'; base-uri 'none'; form-action 'none'");
});

test("the policy allows nothing inline and no evaluation", () => {
  assert.doesNotMatch(policy("abc", SOURCE), /unsafe/);
});

test("each script that runs has the nonce, and no element has a handler or a style", () => {
  const page = html("abc", SOURCE, FILES, DATA);

  const scripts = page.match(/<script[^>]*>/g) ?? [];
  assert.equal(scripts.length, 3);
  assert.ok(scripts.every((script) => script.includes('nonce="abc"') || script.includes('type="application/json"')));
  assert.doesNotMatch(page, /\son\w+=|\sstyle=|<style/);
});

test("data cannot end its script, and comes back unchanged", () => {
  const title = "</script><script>alert(1)</script><!--";

  const page = html("abc", SOURCE, FILES, { ...DATA, title });

  assert.equal(page.match(/<\/script>/g)?.length, 3);
  const text = /id="data">(.*?)<\/script>/s.exec(page)?.[1];
  assert.deepEqual(JSON.parse(text ?? ""), { ...DATA, title });
});

test("addresses are escaped", () => {
  assert.match(html("abc", SOURCE, FILES, DATA), /src="https:\/\/w\/page\.js\?a=1&#38;b=2"/);
  assert.match(html("abc", SOURCE, { ...FILES, pageStyle: '"><img>' }, DATA), /href="&#34;&#62;&#60;img&#62;"/);
});

test("nonces have 128 bits and differ", () => {
  const nonces = new Set(Array.from({ length: 100 }, newNonce));

  assert.equal(nonces.size, 100);
  for (const nonce of nonces) assert.match(nonce, /^[0-9a-f]{32}$/);
});
