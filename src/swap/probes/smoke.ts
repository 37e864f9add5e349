import * as z from "zod";
import type { StackFacts } from "../../blueprint/stack.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import { excerpt, fail, pass, type Probe, requestTo, type Target } from "./probe.ts";

type Smoke = StackFacts["smoke"][number];

/** Login of the account that the site's JSON-RPC checks use; its password is the vault's secret `odoo_probe`. */
export const PROBE_LOGIN = "millwright-probe";

/** Odoo has no read-only accounts, so the checks are held to methods that only read. */
const READS = new Set([
  "search_count",
  "search_read",
  "search",
  "read",
  "read_group",
  "fields_get",
  "get_views",
  "name_search",
  "default_get",
  "check_access_rights",
]);

/** Throws for a check that might write. */
export function assertReads(smoke: readonly Smoke[]): void {
  for (const check of smoke) {
    if (check.kind !== "jsonrpc" || READS.has(check.method)) continue;
    const hint = `Methods a check may call: ${[...READS].join(", ")}.`;
    throw new MillwrightError("SITE_INVALID", `The check "${check.name}" calls ${check.method}, which may write.`, { subject: check.name, hint });
  }
}

export interface SmokeAccount {
  readonly database: string;
  readonly password: () => Promise<Secret | undefined>;
}

/** The site's own checks. */
export function smokeProbes(target: Target, smoke: readonly Smoke[], account: SmokeAccount): readonly Probe[] {
  const client = new RpcClient(target, account);
  return smoke.map((check) => ({ name: check.name, look: () => (check.kind === "http" ? lookHttp(target, check) : lookRpc(client, check)) }));
}

async function lookHttp(target: Target, check: Extract<Smoke, { kind: "http" }>): ReturnType<Probe["look"]> {
  const answer = await target.http.ask(requestTo(target, check.path));
  const evidence = { status: answer.status, milliseconds: Math.round(answer.milliseconds), body: excerpt(answer.body) };
  if (answer.status !== check.status) return fail(`${check.path} answered ${answer.status} instead of ${check.status}`, evidence);
  if (check.contains !== undefined && !answer.body.includes(check.contains)) return fail(`${check.path} does not contain "${check.contains}"`, evidence);
  return pass(`${check.path} in ${evidence.milliseconds} ms`, evidence);
}

async function lookRpc(client: RpcClient, check: Extract<Smoke, { kind: "jsonrpc" }>): ReturnType<Probe["look"]> {
  const result = await client.execute(check.model, check.method, check.args);
  return pass(`${check.model}.${check.method} answered`, { result: excerpt(JSON.stringify(result) ?? "null") });
}

const replySchema = z.object({
  result: z.unknown(),
  error: z.object({ message: z.string(), data: z.object({ message: z.string() }).partial().optional() }).optional(),
});

/** Odoo's JSON-RPC with the probe account. It logs in once: each login writes a row of res_users_log. */
class RpcClient {
  readonly #target: Target;
  readonly #account: SmokeAccount;
  #login: Promise<{ readonly uid: number; readonly password: Secret }> | undefined;

  constructor(target: Target, account: SmokeAccount) {
    this.#target = target;
    this.#account = account;
  }

  async execute(model: string, method: string, args: readonly unknown[]): Promise<unknown> {
    this.#login ??= this.#logIn();
    const { uid, password } = await this.#login.catch((error: unknown) => {
      this.#login = undefined;
      throw error;
    });
    return await this.#call("object", "execute_kw", [this.#account.database, uid, password.reveal(), model, method, args]);
  }

  async #logIn(): Promise<{ readonly uid: number; readonly password: Secret }> {
    const password = await this.#account.password();
    if (password === undefined) throw new Error("the vault has no secret odoo_probe for the account of the checks");
    const uid = await this.#call("common", "authenticate", [this.#account.database, PROBE_LOGIN, password.reveal(), {}]);
    if (typeof uid !== "number") throw new Error(`the account ${PROBE_LOGIN} cannot log in with the vault's secret odoo_probe`);
    return { uid, password };
  }

  async #call(service: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: "2.0", method: "call", id: 1, params: { service, method, args } });
    const answer = await this.#target.http.ask(
      requestTo(this.#target, "/jsonrpc", { method: "POST", body, timeoutMilliseconds: 30_000, headers: { "Content-Type": "application/json" } }),
    );
    if (answer.status !== 200) throw new Error(`/jsonrpc answered ${answer.status}`);
    const reply = replySchema.parse(JSON.parse(answer.body));
    if (reply.error !== undefined) throw new Error(reply.error.data?.message ?? reply.error.message);
    return reply.result;
  }
}
