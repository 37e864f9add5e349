import * as z from "zod";

/**
 * What a host must have, as data. Pure functions make the list from the wanted host and the facts about it; `kinds/` knows how each kind is
 * observed and applied. A list is walked from top to bottom, and each resource is observed anew, so that a run that was cut off is
 * finished by the next.
 */
export type Resource = ResourceBase &
  (
    | FileResource
    | { readonly kind: "directory"; readonly path: string; readonly mode: number }
    | { readonly kind: "symlink"; readonly path: string; readonly target: string }
    | { readonly kind: "packages"; readonly names: readonly string[]; readonly preseed?: string }
    /** An installation by dpkg that was cut off is finished. */
    | { readonly kind: "package-database" }
    | { readonly kind: "group"; readonly name: string }
    | { readonly kind: "account"; readonly name: string; readonly home: string; readonly shell: string }
    | MembershipResource
    /** Proof that sudo lets the account run these commands as root and nothing else. */
    | { readonly kind: "rights"; readonly account: string; readonly commands: readonly string[] }
    | { readonly kind: "unit"; readonly unit: string; readonly active: boolean }
    | LiveResource
    /** Runs when a resource that names it in `triggers` has changed, in this run or in one that was cut off before it got here. */
    | { readonly kind: "action"; readonly name: string; readonly title: string; readonly words: readonly (readonly string[])[] }
    | { readonly kind: "disk"; readonly device: string; readonly mount: string }
    /** The host's own age key, made once on the host and never replaced. */
    | { readonly kind: "identity"; readonly path: string }
  );

interface ResourceBase {
  readonly group: Group;
  /** Names of actions to run later in the list when this one has changed. */
  readonly triggers?: readonly string[];
  /** A change that can lock everybody out: it is undone unless a new login confirms it. */
  readonly guarded?: boolean;
}

export type Group = "disk" | "kernel" | "packages" | "accounts" | "agent" | "docker" | "updates" | "firewall" | "ssh";

interface FileResource {
  readonly kind: "file";
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  /** Judges the new content before it replaces the old; `{}` is the file. Skipped while the program is not installed yet. */
  readonly validate?: readonly string[];
}

interface MembershipResource {
  readonly kind: "membership";
  readonly account: string;
  readonly groups: readonly string[];
  /** True when the account may be in no other groups but its own. */
  readonly only: boolean;
}

/** Something only the running system can tell: what `look` prints. Without `apply` it is a proof. */
interface LiveResource {
  readonly kind: "live";
  readonly title: string;
  readonly look: readonly string[];
  /** Whole lines that must be printed. */
  readonly lines?: readonly string[];
  /** Texts that must stand somewhere in the output. */
  readonly texts?: readonly string[];
  readonly apply?: readonly string[];
}

export type ResourceOf<K extends Resource["kind"]> = Extract<Resource, { readonly kind: K }>;

export const changeSchema = z.object({
  group: z.string(),
  /** One line for people: what will be made different. */
  title: z.string(),
  /** Lines that go (`-`) and come (`+`), where the change is one of text. */
  diff: z.array(z.string()).default([]),
});

export type Change = z.infer<typeof changeSchema>;

/** What a kind found to be different from what is wanted; empty when nothing is. */
export interface Difference {
  readonly title: string;
  readonly diff?: readonly string[];
  /** Wrong whatever else is about to be changed, and for a person to put right. */
  readonly foreign?: boolean;
}
