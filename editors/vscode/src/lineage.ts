// The panel with the lineage graph.
import { basename } from "node:path";
import * as vscode from "vscode";
import { COMMANDS, type FromPage, type Question, type Shown, type ToPage } from "./protocol.js";
import type { Session } from "./session.js";
import { html, newNonce } from "./webview.js";

const QUESTIONS: Record<Question, string> = { graph: COMMANDS.graph, columns: COMMANDS.graphColumns, path: COMMANDS.graphPath };

/** One panel, which shows one model at a time. */
export class LineagePanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;
  private shown = "";
  /** File that the panel opened last. The panel does not follow it, so that a click does not move what was clicked. */
  private opened = "";
  private follows = true;
  private readonly watching: vscode.Disposable;

  constructor(private readonly session: Session, private readonly extension: vscode.Uri) {
    this.watching = vscode.window.onDidChangeActiveTextEditor((editor) => {
      const uri = editor?.document.uri;
      if (!uri || uri.toString() === this.opened) return;
      this.opened = "";
      if (this.panel?.visible && this.follows && isModel(editor.document)) this.move(uri);
    });
  }

  /** Open the panel, or move it to the file *uri*. */
  show(uri: vscode.Uri): void {
    if (this.panel) {
      this.panel.reveal(undefined, true);
      this.move(uri);
      return;
    }
    this.follows = vscode.workspace.getConfiguration("recceMeta").get("lineage.followEditor", true);
    this.shown = uri.toString();
    const out = vscode.Uri.joinPath(this.extension, "out");
    const panel = vscode.window.createWebviewPanel("recceMeta.lineage", "Lineage", { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true }, {
      enableScripts: true, localResourceRoots: [out],
    });
    this.panel = panel;
    panel.onDidDispose(() => { this.panel = undefined; });
    panel.webview.onDidReceiveMessage((message: FromPage) => this.receive(message));
    const file = (name: string) => panel.webview.asWebviewUri(vscode.Uri.joinPath(out, name)).toString();
    const files = { graphScript: file("graph.js"), pageScript: file("page.js"), graphStyle: file("graph.css"), pageStyle: file("page.css") };
    panel.webview.html = html(newNonce(), panel.webview.cspSource, files, { ...this.about(uri), follows: this.follows });
  }

  /** Load the graph again, after the project has changed. */
  renew(): void {
    if (this.panel && this.shown) this.post({ type: "show", shown: this.about(vscode.Uri.parse(this.shown)) });
  }

  dispose(): void {
    this.watching.dispose();
    this.panel?.dispose();
  }

  private move(uri: vscode.Uri): void {
    if (uri.toString() === this.shown) return;
    this.shown = uri.toString();
    this.post({ type: "show", shown: this.about(uri) });
  }

  private about(uri: vscode.Uri): Shown {
    return { uri: uri.toString(), title: basename(uri.path).replace(/\.\w+$/, "") };
  }

  private post(message: ToPage): void {
    void this.panel?.webview.postMessage(message);
  }

  private async receive(message: FromPage): Promise<void> {
    if (message.type === "follow") this.follows = message.on;
    else if (message.type === "open") await this.open(message.address);
    else {
      const { id, what, shown, parameters } = message;
      await this.session.request(QUESTIONS[what], shown, ...parameters).then(
        (value) => this.post({ type: "answer", id, value }),
        (error: unknown) => this.post({ type: "failure", id, message: error instanceof Error ? error.message : String(error) }),
      );
    }
  }

  /** Open a file of the server's answer next to the panel. */
  private async open(address: string): Promise<void> {
    const uri = this.session.fileOf(address);
    if (uri?.scheme !== "file") return;
    const line = Number(/^L(\d+)/.exec(uri.fragment)?.[1] ?? 1) - 1;
    const file = uri.with({ fragment: "" });
    const other = vscode.window.visibleTextEditors.find(({ viewColumn }) => viewColumn !== this.panel?.viewColumn);
    this.opened = file.toString();
    await vscode.window.showTextDocument(file, {
      viewColumn: other?.viewColumn ?? vscode.ViewColumn.One, preserveFocus: true, preview: true, selection: new vscode.Range(line, 0, line, 0),
    });
  }
}

/** Return true for a file that can be a model. */
export function isModel(document: vscode.TextDocument): boolean {
  return document.uri.scheme === "file" && /\.(sql|py|csv)$/.test(document.uri.path);
}
