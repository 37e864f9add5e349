import { HOST_IDENTITY } from "../deploy/open-host-vault.ts";
import { timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Events } from "../kernel/events.ts";
import { beginGuard, isGuardPending, rollBackGuard } from "./guard.ts";
import { observeHost } from "./host-facts.ts";
import { hostResources } from "./host-resources.ts";
import { applyResource, isProof, observeResource } from "./kinds/kinds.ts";
import { PENDING } from "./kinds/running.ts";
import { preflight } from "./preflight.ts";
import type { Change, Difference, Resource } from "./resource.ts";
import type { System } from "./system.ts";
import type { WantedHost } from "./wanted.ts";

export interface BootstrapRun {
  readonly wanted: WantedHost;
  /** The operator's clock, in milliseconds, when it asked. */
  readonly operatorNow: number;
  readonly system: System;
  readonly mode: "plan" | "apply";
  readonly events: Events;
}

export interface BootstrapOutcome {
  /** What would be changed, or has been. */
  readonly changes: readonly Change[];
  readonly notes: readonly string[];
  /** Set when a new login must confirm the change of sshd or the firewall. */
  readonly guard: string | null;
  /** True when an earlier change still waits for its confirmation (plan mode only: apply takes it back first). */
  readonly unconfirmed: boolean;
  /** What the stack's vault must be encrypted for; null until the host has its identity. */
  readonly recipient: string | null;
}

export async function runBootstrap(run: BootstrapRun): Promise<BootstrapOutcome> {
  const { wanted, system, mode, events } = run;
  await using lock = mode === "apply" ? await system.exclusive("millwright-bootstrap") : undefined;
  if (mode === "apply" && lock === undefined) {
    throw new MillwrightError("LOCK_HELD", "Another bootstrap is at work on this host.", {
      subject: wanted.stack,
      hint: "Wait for it to end, then run it again.",
    });
  }
  // Known ground: settings that nobody has proven are not built upon.
  if (mode === "apply") await rollBackGuard(system);

  const facts = await observeHost(system);
  const notes = preflight(wanted, facts, run.operatorNow);
  for (const text of notes) events.emit({ kind: "note", at: timestamp(system.clock), level: "warning", text });

  const resources = hostResources(wanted, facts);
  const { changes, guard } = mode === "plan" ? { changes: await findChanges(resources, system), guard: null } : await makeChanges(resources, run);
  return {
    changes,
    notes,
    guard,
    unconfirmed: mode === "plan" && (await isGuardPending(system)),
    recipient: (await system.identities.recipient(HOST_IDENTITY)) ?? null,
  };
}

async function findChanges(resources: readonly Resource[], system: System): Promise<readonly Change[]> {
  const changes: Change[] = [];
  const due = new Set<string>();
  for (const resource of resources) {
    const observed = await observeResource(resource, system);
    // A proof of what is yet to be made would only repeat that it is not made.
    const isEarly = isProof(resource) && changes.some(({ group }) => group === resource.group);
    const findings = isEarly ? observed.filter((finding) => finding.foreign === true) : observed;
    const isDue = resource.kind === "action" && due.has(resource.name) && findings.length === 0;
    const all = isDue ? [{ title: resource.title }] : findings;
    if (all.length > 0) for (const name of resource.triggers ?? []) due.add(name);
    changes.push(...all.map((finding) => toChange(resource, finding)));
  }
  return changes;
}

async function makeChanges(resources: readonly Resource[], run: BootstrapRun): Promise<{ readonly changes: readonly Change[]; readonly guard: string | null }> {
  const { system, wanted } = run;
  const changes: Change[] = [];
  let guard: string | null = null;
  try {
    for (const [index, resource] of resources.entries()) {
      const findings = await observeResource(resource, system);
      if (findings.length === 0) continue;
      if (resource.guarded === true) guard ??= await beginGuard(system, wanted.guardSeconds);
      await makeChange(resource, findings, `${resource.group}:${index}`, run);
      changes.push(...findings.map((finding) => toChange(resource, finding)));
    }
  } catch (error) {
    if (guard !== null) await rollBackGuard(system);
    throw error;
  }
  return { changes, guard };
}

async function makeChange(resource: Resource, findings: readonly Difference[], id: string, { system, events }: BootstrapRun): Promise<void> {
  const title = findings.map((finding) => finding.title).join("; ");
  const say = (state: "begun" | "done" | "failed"): void => events.emit({ kind: "step", at: timestamp(system.clock), id, title, state });
  say("begun");
  try {
    if (!isProof(resource)) {
      // The mark first: a run that is cut off between the change and its action leaves the action due.
      for (const name of resource.triggers ?? []) await markDue(name, system);
      await applyResource(resource, system);
    }
    const left = isProof(resource) ? findings : await observeResource(resource, system);
    if (left.length > 0) {
      throw new MillwrightError("BOOTSTRAP_FAILED", `The host is not as it must be: ${left.map((finding) => finding.title).join("; ")}.`, {
        subject: resource.group,
        hint: "Something else on the host holds against it: look there, then run bootstrap again.",
        details: left.flatMap((finding) => finding.diff ?? []),
      });
    }
  } catch (error) {
    say("failed");
    throw error;
  }
  say("done");
}

async function markDue(name: string, { files }: System): Promise<void> {
  if ((await files.look(PENDING)) === undefined) await files.makeDirectory(PENDING, 0o700);
  await files.write(`${PENDING}/${name}`, "", 0o600);
}

function toChange(resource: Resource, finding: Difference): Change {
  return { group: resource.group, title: finding.title, diff: [...(finding.diff ?? [])] };
}
