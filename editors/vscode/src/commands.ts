// Commands of the palette and of menus. Their ids begin with `recceMeta.`; the server's own begin with `recce-meta.`.
import * as vscode from "vscode";
import { type LineagePanel, isModel } from "./lineage.js";
import { COMMANDS } from "./protocol.js";
import { place, type Session } from "./session.js";

const IMPACT = "recce-meta";

/** Register the commands. */
export function registerCommands(session: Session, panel: LineagePanel): vscode.Disposable {
  const texts = new ImpactTexts();
  const run = (id: string, act: (uri?: vscode.Uri) => unknown) => vscode.commands.registerCommand(`recceMeta.${id}`, act);
  session.intercept = (command, [uri]) => {
    if (command !== COMMANDS.lineage || typeof uri !== "string") return false;
    panel.show(vscode.Uri.parse(uri));
    return true;
  };
  return vscode.Disposable.from(
    vscode.workspace.registerTextDocumentContentProvider(IMPACT, texts),
    run("showLineage", (uri) => onModel(uri, (file) => panel.show(file))),
    run("showImpact", (uri) => onModel(uri, (file) => attempt(() => showImpact(session, texts, file)))),
    run("refresh", () => attempt(() => session.request(COMMANDS.refresh, place()))),
    ...(["push", "pull", "sync"] as const).map((name) => run(name, () => attempt(() => exchange(session, name)))),
    run("restart", () => session.restart()),
    run("showOutput", () => session.output.show()),
  );
}

/** Exchange with the remote store, and show the server's sentence about it. */
export async function exchange(session: Session, name: "push" | "pull" | "sync"): Promise<void> {
  const location = vscode.ProgressLocation.Window;
  const answer = await vscode.window.withProgress({ location, title: `recce_meta: ${name}` }, () => session.request<unknown>(COMMANDS[name], place()));
  if (typeof answer === "string" && answer) void vscode.window.showInformationMessage(answer);
  await session.readSync();
}

/** Show the impact of the column under the cursor, else of the model, as the server describes it. */
async function showImpact(session: Session, texts: ImpactTexts, uri: vscode.Uri): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const position = editor?.document.uri.toString() === uri.toString() ? editor.selection.active : new vscode.Position(0, 0);
  const answer = await session.request<unknown>(COMMANDS.impact, uri.toString(), { line: position.line, character: position.character });
  if (typeof answer !== "string" || !answer) return;
  await vscode.commands.executeCommand("markdown.showPreviewToSide", texts.renew(answer));
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
