// HTML of the lineage page. Nothing here needs the editor.
import type { PageData } from "./protocol.js";

/** Addresses of the files of the page, as the webview may load them. */
export interface PageFiles {
  readonly graphScript: string;
  readonly pageScript: string;
  readonly graphStyle: string;
  readonly pageStyle: string;
}

/** Return the security policy: own scripts and styles, no connection, no other host. */
export function policy(nonce: string, cspSource: string): string {
  return `default-src 'none'; style-src ${cspSource}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
}

/** Return the page. *nonce* must be new for each page; *cspSource* is that of the webview. */
export function html(nonce: string, cspSource: string, files: PageFiles, data: PageData): string {
  const style = (address: string) => `<link rel="stylesheet" href="${escaped(address)}">`;
  const script = (address: string) => `<script nonce="${nonce}" src="${escaped(address)}" defer></script>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy(nonce, cspSource))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lineage</title>
${style(files.graphStyle)}
${style(files.pageStyle)}
<script type="application/json" id="data">${json(data)}</script>
${script(files.graphScript)}
${script(files.pageScript)}
</head>
<body>
<header><h1></h1><button type="button" id="follow" title="Show the lineage of the model in the active editor">Follow editor</button></header>
<main></main>
</body>
</html>
`;
}

/** Return a random nonce of 128 bits. */
export function newNonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const escaped = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
/** Return JSON that cannot end the script element that holds it. */
const json = (value: unknown) => JSON.stringify(value).replace(/</g, "\\u003c");
