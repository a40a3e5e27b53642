// Texts of the status bar and of notifications. Nothing here needs the editor.
import type { ProjectStatus, SyncStatus } from "./protocol.js";

/** Item of the status bar. */
export interface StatusItem {
  readonly text: string;
  /** Lines. */
  readonly tooltip: string;
  readonly tone: "normal" | "warning" | "error";
}

const NAME = "recce_meta";
const SOURCES = { manifest: "dbt's manifest", files: "the files of the project", both: "dbt's manifest and changed files" } as const;

/** Return the item for the state of the index, undefined before the first notification, and of the exchange. */
export function statusItem(project: ProjectStatus | undefined, sync: SyncStatus | undefined, now: Date): StatusItem {
  const lines = [projectLine(project), ...(project?.base ? [`Compared with ${project.base}`] : []), ...syncLines(sync, now)];
  const marks = sync?.remote ? [sync.pending ? `↑${sync.pending}` : "", sync.conflicts ? `$(warning) ${sync.conflicts}` : ""] : [];
  const text = [`${iconOf(project)} ${NAME}`, ...marks].filter(Boolean).join(" ");
  const tone = project?.state === "failed" ? "error" : sync?.conflicts || sync?.error ? "warning" : "normal";
  return { text, tooltip: lines.join("\n"), tone };
}

function iconOf(project: ProjectStatus | undefined): string {
  if (project?.state === "ready") return "$(type-hierarchy)";
  return project?.state === "failed" ? "$(error)" : "$(sync~spin)";
}

function projectLine(project: ProjectStatus | undefined): string {
  if (!project) return "Starting the server";
  if (project.state === "indexing") return project.message || "Reading the project";
  if (project.state === "failed") return `The project could not be read: ${project.message || "see the output"}`;
  const source = project.source ? ` from ${SOURCES[project.source]}` : "";
  const models = typeof project.models === "number" ? counted(project.models, "model") : "Models";
  return `${project.name ? `${project.name}: ` : ""}${models}${source}${project.run_at ? `, as of ${minute(project.run_at)}` : ""}`;
}

/** Return what is known of the exchange; nothing without a remote store. */
export function syncLines(sync: SyncStatus | undefined, now: Date): string[] {
  if (sync?.message) return [`Exchange of runs: ${sync.message}`];
  if (!sync?.remote) return [];
  const pending = sync.pending === null || sync.pending === undefined ? "Runs to push: not known" : `${counted(sync.pending, "run")} to push`;
  return [
    sync.last_sync ? `Last sync with ${sync.remote}: ${ago(sync.last_sync, now)}` : `Never synced with ${sync.remote}`,
    pending,
    ...(sync.conflicts ? [`${counted(sync.conflicts, "conflict")}: run recce-meta sync --status`] : []),
    ...(sync.error ? [`Last sync failed: ${sync.error}`] : []),
  ];
}

/** Return the status of the project that the file *path* is in; else the last one. */
export function statusOf(projects: ReadonlyMap<string, ProjectStatus>, path: string | undefined): ProjectStatus | undefined {
  const all = [...projects.values()];
  const inside = all.filter(({ project }) => project && path && (path.startsWith(`${project}/`) || path.startsWith(`${project}\\`)));
  const length = ({ project }: ProjectStatus) => project?.length ?? 0;
  return inside.sort((a, b) => length(b) - length(a))[0] ?? all.at(-1);
}

const counted = (number: number, noun: string) => `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;

/** Return the moment in UTC, to the minute; an unreadable one as it is. */
function minute(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function ago(iso: string, now: Date): string {
  const minutes = Math.floor((now.getTime() - new Date(iso).getTime()) / 60_000);
  if (Number.isNaN(minutes) || minutes < 0) return minute(iso);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${counted(minutes, "minute")} ago`;
  if (minutes < 48 * 60) return `${counted(Math.floor(minutes / 60), "hour")} ago`;
  return minute(iso);
}
