// What the extension and the server say to each other beyond the language server protocol, and the extension and its page.
// The server's side is `recce_meta/lsp/features/commands.py`.

/**
 * Commands of the server. Arguments are positional. The first is the URI of the file that the question is about.
 * A failure is an error of the protocol, with a message for the user.
 */
export const COMMANDS = {
  lineage: "recce-meta.lineage", // (uri): of a lens, answered by the panel and not by the server
  impact: "recce-meta.impact", // (uri, column or position) → Markdown
  preview: "recce-meta.preview", // (uri) → text of one or more lines
  graph: "recce-meta.graph", // (uri, query) → GraphView
  graphColumns: "recce-meta.graphColumns", // (uri, node, search, page) → GraphColumns
  graphPath: "recce-meta.graphPath", // (uri, node, column) → ColumnPath
  refresh: "recce-meta.refresh", // (uri)
  push: "recce-meta.push", // (uri) → summary, one or more lines
  pull: "recce-meta.pull", // (uri) → summary, one or more lines
  sync: "recce-meta.sync", // (uri) → summary, one or more lines
  syncStatus: "recce-meta.syncStatus", // (uri) → SyncStatus
} as const;

export const STATUS = "recceMeta/status";

/** Notification of the server: state of its index of one project. */
export interface ProjectStatus {
  /** Folder of the project. */
  project?: string;
  name?: string;
  state: "indexing" | "ready" | "failed";
  models?: number | null;
  source?: "manifest" | "files" | "both" | null;
  /** ISO 8601. */
  run_at?: string | null;
  /** Run that the project is compared with, in words. */
  base?: string | null;
  message?: string | null;
}

/** State of the exchange with the remote store, as the server knows it without a connection. */
export interface SyncStatus {
  /** Name of the remote store; null if none is configured. */
  remote?: string | null;
  /** ISO 8601; null before the first exchange. */
  last_sync?: string | null;
  /** Number of runs that were not sent yet; null if unknown. */
  pending?: number | null;
  conflicts?: number | null;
  /** Failure of the last exchange. */
  error?: string | null;
  /** Why nothing is known. */
  message?: string | null;
}

export type Question = "graph" | "columns" | "path";

/** Model that the page shows. */
export interface Shown {
  uri: string;
  title: string;
}

/** What the page begins with. */
export interface PageData extends Shown {
  follows: boolean;
}

export type FromPage =
  | { type: "ask"; id: number; shown: string; what: Question; parameters: readonly (string | number)[] }
  | { type: "open"; address: string }
  | { type: "follow"; on: boolean };

export type ToPage =
  | { type: "answer"; id: number; value: unknown }
  | { type: "failure"; id: number; message: string }
  | { type: "show"; shown: Shown };
