// Bundles the extension and the script of its page into out/, and copies the graph of the reports unchanged.
// With --tests, it bundles the tests into out-test/ instead.
import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { build } from "esbuild";

const ROOT = "../..";
const STATIC = `${ROOT}/recce_meta/report/html/static`;
const COMMON = { bundle: true, minify: true, legalComments: "none", logLevel: "warning" };
const NODE = { ...COMMON, platform: "node", target: "node20" };

async function emptied(folder) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
}

if (process.argv.includes("--tests")) {
  await emptied("out-test");
  const tests = (await readdir("test")).filter((name) => name.endsWith(".ts")).map((name) => `test/${name}`);
  await build({ ...NODE, minify: false, entryPoints: [...tests, "src/webview.ts"], outdir: "out-test", entryNames: "[name]", format: "esm", outExtension: { ".js": ".mjs" } });
} else {
  await emptied("out");
  await Promise.all([
    build({ ...NODE, entryPoints: ["src/extension.ts"], outfile: "out/extension.js", format: "cjs", external: ["vscode"] }),
    build({ ...COMMON, entryPoints: ["src/page.ts"], outfile: "out/page.js", format: "iife", target: "chrome122" }),
    build({ ...COMMON, entryPoints: ["src/page.css"], outfile: "out/page.css" }),
    ...["graph.js", "graph.css"].map((name) => copyFile(`${STATIC}/${name}`, `out/${name}`)),
    copyFile(`${ROOT}/LICENSE`, "LICENSE"),
  ]);
}
