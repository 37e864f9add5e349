import { readFile } from "node:fs/promises";
import { parse, stringify } from "yaml";
import * as z from "zod";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import { siteFiles } from "../site/site.ts";
import { environmentName } from "../site/site-values.ts";
import { STANDBY_SUFFIX } from "../site/standby.ts";
import { exists, writeDurable } from "../kernel/durable-file.ts";

const recipient = z.string().regex(/^age1[02-9ac-hj-np-z]{58}$/, "must be an age recipient (age1…)");

/** `secrets/recipients.yaml`: who can open the site's vaults. Operators and the recovery key open all of them, a host its environment's. */
export const recipientsSchema = z.strictObject({
  operators: z.array(z.strictObject({ name: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._@-]{0,60}$/), recipient })).min(1),
  /** Of the key that lies in a safe; absent before one was made. */
  recovery: recipient.optional(),
  /** By the environment's name; that of its standby has `-standby` at its end. */
  hosts: z.record(z.string().regex(/^[a-z][a-z0-9]{0,15}(-standby)?$/), recipient),
  /** Names of the secrets in each environment's vault, so that one knows what is missing without opening it. */
  holds: z.record(environmentName, z.array(z.string())).default({}),
  /** The vaults are being encrypted for others. Found later, that was cut off: some may open for a key that nobody has, and not for one that is listed. */
  unfinished: z.literal(true).optional(),
});

export type Recipients = z.infer<typeof recipientsSchema>;

/** A name for the list from that of an account, which may be anything: `ACME\Jörg` on a machine of a Windows domain. */
export function operatorName(account: string): string {
  const name = account
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replaceAll(/[^A-Za-z0-9._@-]+/g, "-")
    .replace(/^[^A-Za-z0-9_]+/, "")
    .slice(0, 61);
  return name === "" ? "operator" : name;
}

/** Whoever can open everything of the site: no host. */
export function peopleOf({ operators, recovery }: Pick<Recipients, "operators" | "recovery">): readonly string[] {
  return [...operators.map((operator) => operator.recipient), ...(recovery === undefined ? [] : [recovery])];
}

export function recipientsOf(recipients: Recipients, environment: string): readonly string[] {
  const hosts = [environment, `${environment}${STANDBY_SUFFIX}`].flatMap((name) => recipients.hosts[name] ?? []);
  return [...peopleOf(recipients), ...new Set(hosts)];
}

export async function readRecipients(siteDirectory: string): Promise<Recipients> {
  const path = siteFiles(siteDirectory).recipients;
  try {
    return recipientsSchema.parse(parse(await readFile(path, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).replaceAll("\n", " ") : messageOf(error);
    throw new MillwrightError("VAULT_INVALID", `The list of who can open the vaults cannot be read: ${why}`, {
      subject: path,
      hint: "Get the file back from the site's git history.",
      cause: error,
    });
  }
}

/** False only when the file is absent: one that cannot be read must not be replaced. */
export async function hasRecipients(siteDirectory: string): Promise<boolean> {
  return await exists(siteFiles(siteDirectory).recipients);
}

function formatRecipients(recipients: Recipients): string {
  return `# Who can open the vaults in this folder. Hosts are added by \`millwright host bootstrap\`, which encrypts the vault anew.\n${stringify(recipients, { lineWidth: 0 })}`;
}

export async function writeRecipients(siteDirectory: string, recipients: Recipients): Promise<void> {
  await writeDurable(siteFiles(siteDirectory).recipients, formatRecipients(recipientsSchema.parse(recipients)));
}
