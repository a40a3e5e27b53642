// Commands of the palette and of menus. Their ids begin with `recceMeta.`; the server's own begin with `recce-meta.`.
import * as vscode from "vscode";
import { type LineagePanel, isModel } from "./lineage.js";
import { COMMANDS } from "./protocol.js";
import type { Session } from "./session.js";

const IMPACT = "recce-meta";

/** Register the commands. */
export function registerCommands(session: Session, panel: LineagePanel): vscode.Disposable {
  const texts = new ImpactTexts();
  const run = (id: string, act: (uri?: vscode.Uri) => unknown) => vscode.commands.registerCommand(`recceMeta.${id}`, act);
  // A lens asks the server, whose answer the editor would drop.
  session.intercept = (command, [uri, target]) => {
    if (typeof uri !== "string") return false;
    if (command === COMMANDS.lineage) panel.show(vscode.Uri.parse(uri));
    else if (command === COMMANDS.impact) void attempt(() => showImpact(session, texts, uri, target));
    else if (command === COMMANDS.preview) void attempt(() => showPreview(session, uri));
    else return false;
    return true;
  };
  return vscode.Disposable.from(
    vscode.workspace.registerTextDocumentContentProvider(IMPACT, texts),
    run("showLineage", (uri) => onModel(uri, (file) => panel.show(file))),
    run("showImpact", (uri) => onModel(uri, (file) => attempt(() => showImpact(session, texts, file.toString(), cursorIn(file))))),
    run("preview", (uri) => onModel(uri, (file) => attempt(() => showPreview(session, file.toString())))),
    run("refresh", () => attempt(() => session.request(COMMANDS.refresh, session.place()))),
    ...(["push", "pull", "sync"] as const).map((name) => run(name, () => attempt(() => exchange(session, name)))),
    run("restart", () => session.restart()),
    run("showOutput", () => session.output.show()),
  );
}

/** Exchange with the remote store, and show the server's summary. */
export async function exchange(session: Session, name: "push" | "pull" | "sync"): Promise<void> {
  const location = vscode.ProgressLocation.Window;
  const answer = await vscode.window.withProgress({ location, title: `recce_meta: ${name}` }, () => session.request<unknown>(COMMANDS[name], session.place()));
  if (typeof answer === "string" && answer) {
    session.output.info(answer);
    void vscode.window.showInformationMessage(answer.split("\n", 1)[0] ?? "");
  }
  session.isSyncDue = true; // It is read when the server has read the project again.
}

/** Return the position of the cursor; undefined if another file is active. */
function cursorIn(file: vscode.Uri): { line: number; character: number } | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.uri.toString() !== file.toString()) return undefined;
  const { line, character } = editor.selection.active;
  return { line, character };
}

/** Show the impact of *target*, a column or a position, else of the model, as the server describes it. */
async function showImpact(session: Session, texts: ImpactTexts, uri: string, target: unknown): Promise<void> {
  const answer = await session.request<unknown>(COMMANDS.impact, uri, ...(target === undefined ? [] : [target]));
  if (typeof answer !== "string" || !answer) return;
  await vscode.commands.executeCommand("markdown.showPreviewToSide", texts.renew(answer));
}

/** Show what the saved edits of a model do to its data. */
async function showPreview(session: Session, uri: string): Promise<void> {
  const location = vscode.ProgressLocation.Window;
  const answer = await vscode.window.withProgress({ location, title: "recce_meta: preview" }, () => session.request<unknown>(COMMANDS.preview, uri));
  if (typeof answer !== "string") return;
  session.output.info(answer);
  session.output.show(true);
}

/** Text of the last answer about impact. */
class ImpactTexts implements vscode.TextDocumentContentProvider {
  private readonly uri = vscode.Uri.from({ scheme: IMPACT, path: "Impact.md" });
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changes.event;
  private text = "";

  provideTextDocumentContent(): string {
    return this.text;
  }

  renew(text: string): vscode.Uri {
    this.text = text;
    this.changes.fire(this.uri);
    return this.uri;
  }
}

function onModel(uri: vscode.Uri | undefined, act: (file: vscode.Uri) => unknown): unknown {
  const document = vscode.window.activeTextEditor?.document;
  const file = uri ?? (document && isModel(document) ? document.uri : undefined);
  return file ? act(file) : vscode.window.showInformationMessage("Open the file of a model first.");
}

async function attempt(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}
