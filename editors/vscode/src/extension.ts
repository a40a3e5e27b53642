import * as vscode from "vscode";
import { exchange, registerCommands } from "./commands.js";
import { LineagePanel } from "./lineage.js";
import { Session } from "./session.js";
import { statusItem } from "./status.js";

const AUTO_SYNC_EVERY = 15 * 60_000;
const CALM = 2_000;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const session = new Session(context.extensionUri);
  const panel = new LineagePanel(session, context.extensionUri);
  const bar = vscode.window.createStatusBarItem("recceMeta.status", vscode.StatusBarAlignment.Left);
  bar.name = "recce_meta";
  bar.command = "recceMeta.showOutput";
  const showStatus = () => {
    const { text, tooltip, tone } = statusItem(session.shown(), session.sync, new Date());
    const background = tone === "normal" ? undefined : new vscode.ThemeColor(`statusBarItem.${tone}Background`);
    Object.assign(bar, { text, tooltip, backgroundColor: background });
    bar.show();
  };
  const syncs = setInterval(() => syncIfAsked(session), AUTO_SYNC_EVERY);
  const clock = setInterval(showStatus, 60_000);
  context.subscriptions.push(session, panel, bar, registerCommands(session, panel), session.onChange((status) => {
    showStatus();
    if (status?.state === "ready") onReady(session, panel);
  }), vscode.window.onDidChangeActiveTextEditor(showStatus), { dispose: () => [syncs, clock].forEach(clearInterval) });
  showStatus();
  await session.watch();
  await session.restart();
}

function onReady(session: Session, panel: LineagePanel): void {
  panel.renew();
  // Not at once: a project from the cache is ready before its files are read, and a DuckDB store is open for one process alone.
  if (session.isSyncDue) setTimeout(() => void readSync(session), CALM);
}

async function readSync(session: Session): Promise<void> {
  if (!session.isSyncDue || session.shown()?.state !== "ready") return;
  const isFirst = !session.sync;
  try {
    await session.readSync();
  } catch (error) {
    session.output.warn(String(error));
  }
  if (isFirst) syncIfAsked(session);
}

/** Exchange with the remote store only if the setting allows it. */
function syncIfAsked(session: Session): void {
  const isAllowed = vscode.workspace.getConfiguration("recceMeta").get("sync.auto", false);
  if (isAllowed && session.sync?.remote) exchange(session, "sync").catch((error: unknown) => session.output.warn(String(error)));
}
