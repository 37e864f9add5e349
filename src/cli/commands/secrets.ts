import { join } from "node:path";
import { secretNames, secretNeeds } from "../../blueprint/secret-names.ts";
import { readIfThere } from "../../kernel/durable-file.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import { Secret } from "../../kernel/secret.ts";
import { certificateProblem } from "../../secrets/check-certificate.ts";
import { secretProblem } from "../../secrets/check-secret.ts";
import { hasRecipients, readRecipients } from "../../secrets/recipients.ts";
import { openSiteVault, rekey, setSecrets } from "../../secrets/site-secrets.ts";
import { didYouMean } from "../../site/did-you-mean.ts";
import { loadSite } from "../../site/load-site.ts";
import { certificateFiles } from "../../site/site.ts";
import { confirm } from "../confirm.ts";
import type { CliContext } from "../context.ts";
import { ownIdentity } from "../own-identity.ts";
import type { Run } from "../program.ts";
import { odooBlueprint } from "../rendered-stack.ts";
import { table } from "../table.ts";
import { type EnvironmentOption, loadTarget, siteDirectory, type Target } from "../target.ts";
import { vaultConcerns } from "../vault-concerns.ts";

interface NameOption extends EnvironmentOption {
  readonly name: string;
}

/** What the vaults hold and who can open them, without opening one. */
export const secretsListCommand: Run<object> = async (options, context) => {
  const site = await loadSite(siteDirectory(options, context));
  if (!(await hasRecipients(site.directory))) {
    return { data: { operators: [], hosts: {}, secrets: [] }, text: "The site has no secrets yet.\nNext: millwright check" };
  }
  const recipients = await readRecipients(site.directory);
  const { operators, recovery, hosts, holds } = recipients;
  const blueprint = odooBlueprint();
  const secrets = [...site.environments.values()].flatMap((environment) => {
    const held = holds[environment.name] ?? [];
    const needs = secretNeeds(environment, blueprint);
    const names = [...new Set([...needs.map(({ name }) => name), ...held])].sort();
    const isAsked = (name: string): boolean =>
      needs.some((need) => need.name === name && need.from === "outside") && !(name === "tls_key" && environment.certificate.kind === "ca");
    return names.map((name) => ({ environment: environment.name, name, held: held.includes(name), asked: isAsked(name) }));
  });
  const openers = [
    ...operators.map(({ name, recipient }) => [name, "every vault", recipient]),
    ...(recovery === undefined ? [] : [["recovery key", "every vault", recovery]]),
    ...Object.entries(hosts).map(([name, to]) => [`host of ${name}`, name, to]),
  ];
  const rows = secrets.map(({ environment, name, held, asked }) => [
    environment,
    name,
    held ? "held" : asked ? `only you have it: millwright secrets set ${name} ${environment}` : "made with the next command that needs it",
  ]);
  const text = `${table(["environment", "secret", ""], rows)}\n\n${table(["who", "can open", "by the key"], openers)}`;
  const concerns = vaultConcerns(recipients);
  return { data: { operators, recovery, hosts, secrets, concerns }, text: [text, ...concerns].join("\n\n") };
};

/** For a person who asks for it by name, such as the administrator's password for the first login. */
export const secretsShowCommand: Run<NameOption> = async (options, context) => {
  const { site, environment } = await loadTarget(options, context);
  const values = await openSiteVault(site.directory, environment.name, (await ownIdentity(context)).identity);
  const value = Object.hasOwn(values, options.name) ? values[options.name] : undefined;
  if (value === undefined) throw unknown(options.name, environment.name, Object.keys(values));
  return { data: { environment: environment.name, name: options.name }, text: "", reveal: value };
};

/** The value comes by a hidden prompt or standard input, never by the command line, where every account of the machine could read it. */
export const secretsSetCommand: Run<NameOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  const { site, environment } = target;
  const { name } = options;
  const names = secretNames(environment, odooBlueprint());
  if (!names.includes(name)) throw unknown(name, environment.name, names);
  if (name === "tls_key" && environment.certificate.kind === "ca") {
    throw invalid(name, "it belongs to a certificate that millwright makes itself", "Set certificate.kind to `files` in site.yaml to bring your own.");
  }
  const { identity } = await ownIdentity(context);
  const before = await openSiteVault(site.directory, environment.name, identity);
  const value = await newValue(name, target, context);
  if (Object.hasOwn(before, name)) await confirm(`Replace ${name} of ${environment.name}? ${effectOf(name)}`, options, context);
  await setSecrets(site.directory, environment.name, { [name]: value }, identity);
  const text = `${name} is in secrets/${environment.name}.age now: commit it.\nNext: millwright deploy ${environment.name}`;
  return { data: { environment: environment.name, name }, text };
};

/** Encrypts every vault anew for exactly those whom secrets/recipients.yaml names. */
export const secretsRekeyCommand: Run<object> = async (options, context) => {
  const site = await loadSite(siteDirectory(options, context));
  const { identity, recipient } = await ownIdentity(context);
  const recipients = await readRecipients(site.directory);
  if (!recipients.operators.some((operator) => operator.recipient === recipient)) {
    throw new MillwrightError("VAULT_LOCKED", "Your own key is not among the operators: you could not open the vaults any more.", {
      subject: site.files.recipients,
      hint: `Add yours (${recipient}), or let one of those who are listed run it.`,
    });
  }
  await rekey(site.directory, [...site.environments.keys()], recipients, identity);
  const names = recipients.operators.map(({ name }) => name);
  const text = [
    `The vaults can be opened by ${names.join(", ")}${recipients.recovery === undefined ? "" : " and the recovery key"}, and each host's by its host.`,
    "Who is not listed any more still knows what the vaults held before: commit, deploy, and replace what that person must not know.",
  ];
  return { data: { operators: recipients.operators, hosts: recipients.hosts }, text: text.join("\n") };
};

async function newValue(name: string, target: Target, context: CliContext): Promise<Secret> {
  if (name === "tls_key") return await newCertificateKey(target, context);
  if (name === "backup_sftp_key") return await newLoginKey(name, context);
  const value = await readValue(name, context);
  const problem = secretProblem(value);
  if (problem !== undefined) throw invalid(name, problem, "Choose another value.");
  return new Secret(value);
}

/** A certificate's key must be that of the chain that lies in the site's folder. */
async function newCertificateKey({ site, environment }: Target, context: CliContext): Promise<Secret> {
  const chainFile = certificateFiles(environment)?.chain;
  const chain = chainFile === undefined ? undefined : await readIfThere(join(site.directory, chainFile));
  if (chain === undefined) throw invalid("tls_key", "the site has no certificate for it", "Put the chain where certificate.chain in site.yaml says.");
  const key = await readKey("tls_key", context);
  const problem = certificateProblem(chain, key, environment.domain, context.clock);
  if (problem !== undefined) throw invalid("tls_key", `it does not fit ${chainFile}: ${problem}`, "Bring certificate and key together, both as PEM.");
  return key;
}

/** On the host nobody is there to open it, and both programs there read OpenSSH's format and PEM. */
async function newLoginKey(name: string, context: CliContext): Promise<Secret> {
  const key = await readKey(name, context);
  const { isOpenLoginKey } = await import("../../remote/login-keys.ts");
  if (isOpenLoginKey(key)) return key;
  const hint = `Make one for this alone: ssh-keygen -t ed25519 -N "" -f backup, then millwright secrets set ${name} < backup`;
  throw invalid(name, "it is no private key of SSH without a passphrase", hint);
}

async function readKey(name: string, context: CliContext): Promise<Secret> {
  if (context.input === undefined) {
    throw new MillwrightError("ANSWER_MISSING", "A key has many lines, which no prompt takes.", {
      subject: name,
      hint: `Pass its file: millwright secrets set ${name} < key.pem`,
    });
  }
  return new Secret(`${(await readValue(name, context)).replaceAll("\r\n", "\n")}\n`);
}

async function readValue(name: string, context: CliContext): Promise<string> {
  if (context.input !== undefined) return (await context.input()).replace(/\r?\n$/, "");
  const { inquirerAsk } = await import("../../wizard/inquirer-ask.ts");
  return await inquirerAsk({ interactive: context.interactive, signal: context.signal }).secret({
    key: name,
    flag: "the value on standard input",
    message: `Value of ${name}`,
    explanation: "It is not shown as you type.",
  });
}

function effectOf(name: string): string {
  if (name === "tls_key") return "The proxy takes it with the next deploy.";
  if (name === "odoo_admin") return "Odoo gets it with a first release only; after that the password is changed in Odoo itself.";
  if (name === "odoo_probe") return "Odoo gets it with a first release only; after that change it for the account millwright-probe too.";
  return "The next deploy changes it everywhere; until it is over, what runs may fail to log in.";
}

function unknown(name: string, environment: string, names: readonly string[]): MillwrightError {
  const meant = didYouMean(name, names);
  return new MillwrightError("SECRET_UNKNOWN", `${environment} has no secret ${name}${meant === undefined ? "" : ` (did you mean ${meant}?)`}.`, {
    subject: name,
    hint: "`millwright secrets list` shows their names.",
  });
}

function invalid(name: string, why: string, hint: string): MillwrightError {
  return new MillwrightError("SECRET_INVALID", `This cannot be ${name}: ${why}.`, { subject: name, hint });
}
