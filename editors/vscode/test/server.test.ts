import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { CHECK, candidates, failedMessage, installCommand, launchOf, missingMessage, type Surroundings } from "../src/server.js";

const NOTHING: Surroundings = {
  command: [], python: undefined, pythonHasServer: false, onPath: undefined, folder: "/shop", extension: "/extensions/recce-meta",
};

test("the setting wins over the interpreter and the PATH", () => {
  const launch = launchOf({ ...NOTHING, command: ["uv", "run", "recce-meta", "lsp"], python: "/venv/bin/python", pythonHasServer: true, onPath: "/bin/recce-meta" });

  assert.deepEqual([launch?.command, launch?.args, launch?.cwd], ["uv", ["run", "recce-meta", "lsp"], "/shop"]);
});

test("the interpreter starts in the folder of the extension, so that files of the project are not imported", () => {
  const launch = launchOf({ ...NOTHING, python: "/venv/bin/python", pythonHasServer: true, onPath: "/bin/recce-meta" });

  assert.deepEqual([launch?.command, launch?.args, launch?.cwd], ["/venv/bin/python", ["-m", "recce_meta", "lsp"], "/extensions/recce-meta"]);
});

test("an interpreter without the server is passed over for the PATH", () => {
  const launch = launchOf({ ...NOTHING, python: "/usr/bin/python", onPath: "/bin/recce-meta" });

  assert.deepEqual([launch?.command, launch?.args], ["/bin/recce-meta", ["lsp"]]);
});

test("without any of them there is nothing to start", () => {
  assert.equal(launchOf(NOTHING), undefined);
  assert.equal(launchOf({ ...NOTHING, command: [""] }), undefined);
});

test("the message for a missing server names the interpreter and the command of pip", () => {
  assert.match(missingMessage("/venv/bin/python"), /not found in \/venv\/bin\/python or on the PATH\..* \/venv\/bin\/python -m pip install "recce-meta\[lsp\]"$/);
  assert.match(missingMessage(undefined), /the Python extension has no interpreter\..* pip install "recce-meta\[lsp\]"$/);
});

test("a path with a space is quoted in the command of pip", () => {
  assert.equal(installCommand("C:\\Program Files\\Python\\python.exe"), '"C:\\Program Files\\Python\\python.exe" -m pip install "recce-meta[lsp]"');
});

test("the message for a failed start has the command and where it comes from", () => {
  const launch = launchOf({ ...NOTHING, onPath: "/bin/recce-meta" });
  assert.ok(launch);

  assert.equal(failedMessage(launch, "exit code 2"), "The recce_meta server did not start: exit code 2. Command, from the PATH: /bin/recce-meta lsp");
});

test("programs are not looked up in relative folders of the PATH", () => {
  assert.deepEqual(candidates("recce-meta", ".:/usr/bin:bin::/opt/bin", "linux"), ["/usr/bin/recce-meta", "/opt/bin/recce-meta"]);
  assert.deepEqual(candidates("recce-meta", "C:\\Python\\Scripts;.;bin", "win32"), ["C:\\Python\\Scripts\\recce-meta.exe"]);
  assert.deepEqual(candidates("recce-meta", undefined, "linux"), []);
});

test("the check of an interpreter is a Python program that imports no package", { skip: !hasPython() && "no python3 on the PATH" }, () => {
  const run = (find: string) => execFileSync("python3", ["-c", `import importlib.util as u\nu.find_spec = ${find}\n${CHECK}`]);

  run("lambda name: name");
  assert.throws(() => run("lambda name: None if name == 'pygls' else name"));
  assert.throws(() => run("lambda name: None if name == 'recce_meta' else name"));
});

function hasPython(): boolean {
  try {
    execFileSync("python3", ["--version"]);
    return true;
  } catch {
    return false;
  }
}
