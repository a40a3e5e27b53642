// What the extension and the server say to each other beyond the language server protocol, and the extension and its page.
// The server's side is `recce_meta/lsp/commands.py`.

/** Commands of the server. Arguments are positional; the first is the URI of the file that the question is about. */
export const COMMANDS = {
  lineage: "recce-meta.lineage",
  impact: "recce-meta.impact",
  graph: "recce-meta.graph", // (uri, query) → GraphView
  graphColumns: "recce-meta.graphColumns", // (uri, node, search, page) → GraphColumns
  graphPath: "recce-meta.graphPath", // (uri, node, column) → ColumnPath
  refresh: "recce-meta.refresh",
  push: "recce-meta.push",
  pull: "recce-meta.pull",
  sync: "recce-meta.sync",
  syncStatus: "recce-meta.syncStatus",
} as const;

export const STATUS = "recceMeta/status";

/** Notification of the server: state of its index of the project. */
export interface ProjectStatus {
  state: "indexing" | "ready" | "failed";
  models: number;
  source?: "manifest" | "files" | "both" | null;
  /** ISO 8601. */
  run_at?: string | null;
  /** Run that the project is compared with, in words. */
  base?: string | null;
  message?: string | null;
  /** True if the project was read for the first time on this machine. */
  first?: boolean;
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
  error?: string | null;
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
