// The running server: start, restart, stop, requests, and the state that it reports.
import { access, constants } from "node:fs/promises";
import { execFile } from "node:child_process";
import { platform } from "node:process";
import * as vscode from "vscode";
import { LanguageClient, State } from "vscode-languageclient/node";
import { COMMANDS, STATUS, type ProjectStatus, type SyncStatus } from "./protocol.js";
import { CHECK, candidates, failedMessage, installCommand, type Launch, launchOf, missingMessage } from "./server.js";
import { statusOf } from "./status.js";

const LANGUAGES = ["sql", "jinja-sql", "snowflake-sql", "yaml", "jinja-yaml"];

/** The part of the Python extension's interface that is used here. */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(path: { readonly path: string }): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

/** One server for the workspace. */
export class Session implements vscode.Disposable {
  readonly output = vscode.window.createOutputChannel("recce_meta", { log: true });
  /** Last status of each project, by its folder; the latest is the last. */
  readonly projects = new Map<string, ProjectStatus>();
  sync: SyncStatus | undefined;
  /** True if `sync` must be read again: after the start, and after an exchange. */
  isSyncDue = true;
  /** Handles the command that a lens or another part of the editor sends to the server; true if it was handled here. */
  intercept: (command: string, parameters: readonly unknown[]) => boolean = () => false;
  private client: LanguageClient | undefined;
  private readonly changes = new vscode.EventEmitter<ProjectStatus | undefined>();
  /** Fires with the notification of the server, or without one if other state has changed. */
  readonly onChange = this.changes.event;
  private readonly parts: vscode.Disposable[] = [this.output, this.changes];
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly extension: vscode.Uri) {}

  /** Start the server, or start it again with the present settings. Calls wait for each other. */
  restart(): Promise<void> {
    this.turn = this.turn.then(() => this.stop()).then(() => this.start()).catch((error: unknown) => this.output.error(String(error)));
    return this.turn;
  }

  /** Start again if settings or the Python interpreter change. */
  async watch(): Promise<void> {
    this.parts.push(vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("recceMeta.command")) void this.restart();
    }));
    const python = await pythonApi();
    if (python) this.parts.push(python.environments.onDidChangeActiveEnvironmentPath(() => void this.restart()));
  }

  /** Ask the server to run *command*. Fails if it does not run. */
  async request<Answer>(command: string, ...parameters: unknown[]): Promise<Answer> {
    if (!this.client?.isRunning()) throw new Error("The recce_meta server is not running; see Show output");
    return this.client.sendRequest<Answer>("workspace/executeCommand", { command, arguments: parameters });
  }

  /** Return the file of the protocol's URI. */
  fileOf(address: string): vscode.Uri | undefined {
    return this.client?.protocol2CodeConverter.asUri(address);
  }

  /** Return the status of the project of the active file, else the last one. */
  shown(): ProjectStatus | undefined {
    return statusOf(this.projects, vscode.window.activeTextEditor?.document.uri.fsPath);
  }

  /** Return the URI of a file of the shown project, for commands about a project. */
  place(): string | null {
    const folder = this.shown()?.project;
    return folder ? vscode.Uri.joinPath(vscode.Uri.file(folder), "dbt_project.yml").toString() : null;
  }

  async readSync(): Promise<void> {
    this.isSyncDue = false;
    this.sync = (await this.request<SyncStatus | null>(COMMANDS.syncStatus, this.place())) ?? undefined;
    this.changes.fire(undefined);
  }

  dispose(): Thenable<void> {
    for (const part of this.parts) part.dispose();
    return this.stop();
  }

  private async start(): Promise<void> {
    const python = await interpreter();
    const launch = launchOf({
      command: vscode.workspace.getConfiguration("recceMeta").get<string[]>("command", []),
      python,
      pythonHasServer: Boolean(python) && (await succeeds(python ?? "", ["-c", CHECK], this.extension.fsPath)),
      onPath: await firstProgram(candidates("recce-meta", process.env["PATH"], platform)),
      folder: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
      extension: this.extension.fsPath,
    });
    if (launch) await this.connect(launch);
    else {
      this.output.error(missingMessage(python));
      this.report({ state: "failed", message: missingMessage(python) });
      void this.offerInstall(python);
    }
  }

  private async connect(launch: Launch): Promise<void> {
    this.output.info(`Starting ${[launch.command, ...launch.args].join(" ")}, from ${launch.origin}`);
    const executable = { command: launch.command, args: [...launch.args], options: launch.cwd ? { cwd: launch.cwd } : {} };
    const client = new LanguageClient("recceMeta", "recce_meta", executable, {
      documentSelector: LANGUAGES.map((language) => ({ scheme: "file", language })),
      outputChannel: this.output,
      initializationFailedHandler: () => false,
      initializationOptions: { showsResults: true }, // of commands, in windows of its own
      middleware: {
        executeCommand: (command, parameters, next) => (this.intercept(command, parameters) ? undefined : next(command, parameters)),
      },
    });
    this.client = client;
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped && this.client === client) this.report({ state: "failed", message: "The server has ended; see Show output" });
    });
    client.onNotification(STATUS, (status: ProjectStatus) => this.report(status));
    try {
      await client.start();
    } catch (error) {
      const message = failedMessage(launch, error instanceof Error ? error.message : String(error));
      this.output.error(message);
      this.report({ state: "failed", message });
    }
  }

  private report(status: ProjectStatus): void {
    const folder = status.project ?? "";
    this.projects.delete(folder);
    this.projects.set(folder, status);
    this.changes.fire(status);
  }

  private async offerInstall(python: string | undefined): Promise<void> {
    const copy = "Copy command", settings = "Open settings";
    const chosen = await vscode.window.showWarningMessage(missingMessage(python), copy, settings);
    if (chosen === copy) await vscode.env.clipboard.writeText(installCommand(python));
    else if (chosen === settings) await vscode.commands.executeCommand("workbench.action.openSettings", "recceMeta.command");
  }

  private async stop(): Promise<void> {
    const { client } = this;
    this.client = this.sync = undefined;
    this.projects.clear();
    this.isSyncDue = true;
    await client?.dispose().catch(() => undefined); // A server that ended already cannot be shut down.
  }
}

async function pythonApi(): Promise<PythonApi | undefined> {
  const found = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  return found?.activate();
}

async function interpreter(): Promise<string | undefined> {
  const python = await pythonApi();
  if (!python?.environments) return undefined;
  const path = python.environments.getActiveEnvironmentPath(vscode.workspace.workspaceFolders?.[0]?.uri);
  return (await python.environments.resolveEnvironment(path))?.executable.uri?.fsPath;
}

function succeeds(command: string, parameters: string[], cwd: string): Promise<boolean> {
  return new Promise((done) => {
    execFile(command, parameters, { cwd, timeout: 20_000 }, (error) => done(!error));
  });
}

async function firstProgram(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isProgram = await access(path, constants.X_OK).then(() => true, () => false);
    if (isProgram) return path;
  }
  return undefined;
}
