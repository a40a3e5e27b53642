// How the server is started. Nothing here needs the editor.

/** Process to start. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  /** Where the command comes from, for the log. */
  readonly origin: string;
}

/** What is known when the server is to be started. */
export interface Surroundings {
  /** Setting `recceMeta.command`. */
  readonly command: readonly string[];
  /** Interpreter of the Python extension, if it has one. */
  readonly python: string | undefined;
  /** True if that interpreter has recce_meta and pygls. */
  readonly pythonHasServer: boolean;
  /** `recce-meta` on the PATH, if it is there. */
  readonly onPath: string | undefined;
  /** First folder of the workspace. */
  readonly folder: string | undefined;
  /** Folder of the extension. It has no Python files. */
  readonly extension: string;
}

/** Program for the interpreter: exits with 0 if the server can be started with it. */
export const CHECK = "import importlib.util as u, sys; sys.exit(not (u.find_spec('recce_meta') and u.find_spec('pygls')))";

/** Return how to start the server; undefined if it is not installed. */
export function launchOf(found: Surroundings): Launch | undefined {
  const [command, ...args] = found.command;
  if (command) return { command, args, cwd: found.folder, origin: "the setting recceMeta.command" };
  if (found.python && found.pythonHasServer) {
    // `-m` imports from the current folder first: a file json.py of the project must not replace Python's own.
    return { command: found.python, args: ["-m", "recce_meta", "lsp"], cwd: found.extension, origin: "the interpreter of the Python extension" };
  }
  if (found.onPath) return { command: found.onPath, args: ["lsp"], cwd: found.folder, origin: "the PATH" };
  return undefined;
}

/** Return the command that installs the server, for the interpreter that will start it. */
export function installCommand(python: string | undefined): string {
  return python ? `${quoted(python)} -m pip install "recce-meta[lsp]"` : 'pip install "recce-meta[lsp]"';
}

/** Return why the server does not start, and what to do. */
export function missingMessage(python: string | undefined): string {
  const where = python ? `in ${python} or on the PATH` : "on the PATH, and the Python extension has no interpreter";
  return `The recce_meta server was not found ${where}. Install it with: ${installCommand(python)}`;
}

/** Return the message for a server that ended before it answered. */
export function failedMessage(launch: Launch, reason: string): string {
  return `The recce_meta server did not start: ${reason}. Command, from ${launch.origin}: ${[launch.command, ...launch.args].join(" ")}`;
}

/** Return the files that may be the program *name*, in the order of the PATH. Relative folders are left out. */
export function candidates(name: string, path: string | undefined, platform: string): string[] {
  const isWindows = platform === "win32";
  const isAbsolute = (folder: string) => (isWindows ? /^([a-z]:)?[\\/]/i.test(folder) : folder.startsWith("/"));
  const folders = (path ?? "").split(isWindows ? ";" : ":").filter(isAbsolute);
  return folders.map((folder) => (isWindows ? `${folder}\\${name}.exe` : `${folder}/${name}`));
}

const quoted = (path: string) => (/^[\w.:/\\-]+$/.test(path) ? path : `"${path}"`);
