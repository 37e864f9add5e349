import * as z from "zod";
import { replyLineSchema } from "../agent/protocol.ts";
import { type Clock, timestamp } from "../kernel/clock.ts";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import { type Events, silentEvents } from "../kernel/events.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { lastLines } from "../kernel/shell.ts";
import { VERSION } from "../kernel/version.ts";
import type { Environment } from "../site/environment.ts";
import { type AdminConnection, AGENT_FOLDER, callBootstrap } from "./admin-connection.ts";
import type { BootstrapRequest } from "./bootstrap-command.ts";
import { type AgentFiles, carryAgent, lookAtAgent, sumsOf } from "./carry-agent.ts";
import { refuseUnknownSystem } from "./known-systems.ts";
import { nodeRuntimeFile, type Processor } from "./node-runtime.ts";
import { type Change, changeSchema } from "./resource.ts";
import { type DeployKey, wantedHost } from "./wanted.ts";

export interface HostOptions {
  readonly environment: Environment;
  readonly deployKeys: readonly DeployKey[];
  /** As the admin account. */
  readonly connection: AdminConnection;
  /** The bundled agent, `dist/agent.mjs`. */
  readonly agentFile: string;
  readonly nodeFile?: (processor: Processor) => Promise<string>;
  readonly events: Events;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface BootstrapOptions extends HostOptions {
  readonly openNewConnection: (user: string) => Promise<AdminConnection>;
  /** Shown before anything is changed; false leaves the host as it is. */
  readonly confirm: (changes: readonly Change[]) => Promise<boolean>;
  readonly guardSeconds?: number;
}

export interface BootstrapResult {
  readonly changed: readonly Change[];
  /** False when the changes were shown and not wanted. */
  readonly accepted: boolean;
  /** The host's age recipient, for the environment's vault; null only when the changes were not wanted. */
  readonly recipient: string | null;
}

const outcomeSchema = z.object({
  changes: z.array(changeSchema),
  guard: z.string().nullable(),
  unconfirmed: z.boolean(),
  recipient: z.string().nullable(),
});

/**
 * A bare VM becomes a host, or a host gets back what it lacks. Every change is shown first; sshd and firewall changes undo themselves on the
 * host unless both accounts have logged in anew.
 */
export async function bootstrapHost(options: BootstrapOptions): Promise<BootstrapResult> {
  const { connection, events } = options;
  const carried = await bringAgent(options);
  let found = await callPlan(options, events);
  if (found.unconfirmed) {
    note(options, "A change of sshd or the firewall was never confirmed by a login; it is taken back first.");
    await callBootstrap(connection, ["rollback"], callOptions(options, silentEvents));
    found = await callPlan(options, silentEvents);
  }
  if (found.changes.length === 0) return { changed: carried, accepted: true, recipient: found.recipient };
  if (!(await options.confirm(found.changes))) return { changed: carried, accepted: false, recipient: found.recipient };

  const made = outcomeSchema.parse(await callBootstrap(connection, ["apply"], { request: requestOf(options), ...callOptions(options, events) }));
  if (made.guard !== null) note(options, `Opening new connections as ${options.environment.host.admin} and ${options.environment.host.deploy}.`);
  try {
    await proveLogins(options, made.guard);
  } catch (error) {
    if (made.guard !== null) throw await takenBack(options, error);
    throw error;
  }
  return { changed: [...carried, ...made.changes], accepted: true, recipient: made.recipient };
}

/** What bootstrap would change: drift of a host from what it should be. Changes nothing. */
export async function checkHost(options: HostOptions): Promise<readonly Change[]> {
  const state = await lookAtAgent(options.connection, options.signal);
  refuseUnknownSystem(state.distribution, options.environment);
  const sums = await sumsOf(await agentFiles(options, state.processor));
  const found = await callPlan(options, options.events);
  return state.sums.agent === sums.agent && state.sums.node === sums.node ? found.changes : [AGENT_CHANGE, ...found.changes];
}

const AGENT_CHANGE: Change = { group: "agent", title: `carry the agent and its Node runtime to ${AGENT_FOLDER}`, diff: [] };

/** A folder that nothing uses yet is all this adds: without it the host could not say what else it lacks. */
async function bringAgent(options: BootstrapOptions): Promise<readonly Change[]> {
  const { connection, events, clock, signal } = options;
  const state = await lookAtAgent(connection, signal);
  // Before the agent is there to refuse: it should leave nothing on a host that it is not for.
  refuseUnknownSystem(state.distribution, options.environment);
  const files = await agentFiles(options, state.processor);
  const sums = await sumsOf(files);
  if (state.sums.agent === sums.agent && state.sums.node === sums.node) return [];
  const step = { kind: "step", id: "agent", title: AGENT_CHANGE.title } as const;
  events.emit({ ...step, at: timestamp(clock), state: "begun" });
  await carryAgent(connection, files, sums, signal);
  events.emit({ ...step, at: timestamp(clock), state: "done" });
  return [AGENT_CHANGE];
}

async function agentFiles(options: HostOptions, processor: Processor): Promise<AgentFiles> {
  return { agent: options.agentFile, node: await (options.nodeFile ?? nodeRuntimeFile)(processor) };
}

async function callPlan(options: HostOptions, events: Events): Promise<z.infer<typeof outcomeSchema>> {
  return outcomeSchema.parse(await callBootstrap(options.connection, ["plan"], { request: requestOf(options), ...callOptions(options, events) }));
}

function requestOf(options: HostOptions & { readonly guardSeconds?: number }): BootstrapRequest {
  const { environment, deployKeys, guardSeconds, clock } = options;
  return { wanted: wantedHost(environment, { deployKeys, ...(guardSeconds === undefined ? {} : { guardSeconds }) }), operatorNow: clock.now() };
}

const RELOAD_TRIES = 5;

/** A login that sshd grants, not only a port that answers: as admin, who confirms, and as deploy, whose key must reach the agent. */
async function proveLogins(options: BootstrapOptions, guard: string | null): Promise<void> {
  const { host } = options.environment;
  await using deploy = await openPatiently(options, host.deploy);
  const { stdout, stderr } = await deploy.exec(`millwright/${VERSION} hello`, { stdin: Buffer.alloc(0) });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => replyLineSchema.safeParse(parseJson(line)));
  if (!lines.some((line) => line.success && "ok" in line.data && line.data.ok)) {
    throw new MillwrightError("LOGIN_NOT_PROVEN", `${host.deploy} can log in, but its key does not reach the agent.`, {
      subject: host.deploy,
      details: lastLines(`${stdout}\n${stderr}`, 5),
    });
  }
  await using admin = await openPatiently(options, host.admin);
  if (guard !== null) await callBootstrap(admin, ["confirm", guard], callOptions(options, silentEvents));
}

/** While sshd reads its settings again it listens to nobody for a moment. A refused login is not tried again: sshd punishes that. */
async function openPatiently(options: BootstrapOptions, user: string): Promise<AdminConnection> {
  for (let left = RELOAD_TRIES; ; left--) {
    try {
      return await options.openNewConnection(user);
    } catch (error) {
      if (left <= 1 || !(error instanceof MillwrightError) || error.code !== "HOST_UNREACHABLE") throw error;
      await options.clock.sleep(1000, options.signal);
    }
  }
}

/** Over the connection that is still open; if it is not, the host's own timer does the same. */
async function takenBack(options: BootstrapOptions, cause: unknown): Promise<MillwrightError> {
  const why = messageOf(cause);
  const now = await callBootstrap(options.connection, ["rollback"], { events: silentEvents }).then(
    () => "They were taken back.",
    () => `The host takes them back by itself within ${options.guardSeconds ?? 120} s.`,
  );
  return new MillwrightError("LOGIN_NOT_PROVEN", `No new login succeeded with the new sshd and firewall settings: ${why} ${now}`, {
    subject: options.environment.host.address,
    hint: "Check firewall.ssh in site.yaml (is this machine's address in it?), the admin's key, and that your own key is one of the deploy keys; then run bootstrap again.",
    ...(cause instanceof MillwrightError ? { details: cause.details } : {}),
    cause,
  });
}

function callOptions(options: HostOptions, events: Events): { readonly events: Events; readonly signal?: AbortSignal } {
  return options.signal === undefined ? { events } : { events, signal: options.signal };
}

function note(options: HostOptions, text: string): void {
  options.events.emit({ kind: "note", at: timestamp(options.clock), level: "info", text });
}
