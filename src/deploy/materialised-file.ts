import { posix } from "node:path";
import type { StackFile } from "../blueprint/stack.ts";
import { hashOf } from "../kernel/canonical.ts";

export interface MaterialisedFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  readonly uid: number;
  /** The content-addressed folder it belongs to, which comes into being at once. */
  readonly tree?: string;
}

/** The name of a file that is found by what it holds. */
export function contentName(made: Pick<MaterialisedFile, "content" | "mode" | "uid">, path: string): string {
  return `${hashOf(made).slice(0, 16)}-${posix.basename(path)}`;
}

/** What of a stack's file lies on the host, secrets in the place of their references. */
export function contentOf(file: StackFile, fill: (content: string) => string): Pick<MaterialisedFile, "content" | "mode" | "uid"> {
  if (file.secret) return { content: fill(file.content), mode: 0o400, uid: file.uid };
  return { content: file.content, mode: file.executable ? 0o555 : 0o444, uid: 0 };
}
