import { join, relative } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { ensureSiteSecrets } from "../secrets/ensure-site-secrets.ts";
import type { Random } from "../secrets/generate.ts";
import { ensureIdentity, IDENTITY_RECOVERY_HINT, type Identity } from "../secrets/identity.ts";
import { setSecrets } from "../secrets/site-secrets.ts";
import { writeDurable } from "../kernel/durable-file.ts";
import { quoteWords } from "../kernel/shell.ts";
import type { Environment } from "../site/environment.ts";
import { loadSite } from "../site/load-site.ts";
import type { AnswersSoFar } from "./answers.ts";
import type { Ask } from "./ask.ts";
import { judgeCertificateAnswer, readOperatorsCertificate } from "./operators-certificate.ts";
import { runWizard } from "./run-wizard.ts";
import { OPERATORS_CHAIN } from "./site-document.ts";
import { siteFolder } from "./site-folder.ts";
import { refuseExistingSite, removeProgress, writeSite } from "./write-site.ts";

export interface NewSiteOptions {
  /** The folder to make, or an existing one without a site. */
  readonly directory: string;
  /** The folder that the person is in. */
  readonly from: string;
  readonly given: AnswersSoFar;
  readonly ask: Ask;
  readonly say: (line: string) => void;
  /** Where the operator's age identity is, or will be made. */
  readonly identityFile: string;
  /** The operator's name in secrets/recipients.yaml. */
  readonly operator: string;
  /** Secrets that are made up at random for an environment's stack, from the blueprint. */
  readonly secretNames: (environment: Environment) => readonly string[];
  readonly clock: Clock;
  readonly random?: Random;
}

export interface NewSite {
  readonly directory: string;
  readonly name: string;
  readonly environments: readonly string[];
  readonly files: readonly string[];
  readonly recipient: string;
  readonly identityCreated: boolean;
  /** What the person should know or type next, in this order. */
  readonly next: readonly string[];
}

/** `millwright new`: questions → a complete site folder with its secrets. */
export async function newSite(options: NewSiteOptions): Promise<NewSite> {
  const { directory, identityFile } = options;
  await refuseExistingSite(directory);
  const progressFile = join(directory, ".millwright", "answers.json");
  const answers = await runWizard({
    ask: options.ask,
    given: options.given,
    say: options.say,
    progressFile,
    judge: (key, known) => judgeCertificateAnswer(key, known, options.clock),
  });
  const certificate = readOperatorsCertificate(answers, options.clock);
  const identity = await ensureIdentity(identityFile);

  const environments: string[] = [];
  const files = await writeSite(directory, siteFolder(answers), async (folder) => {
    if (certificate !== undefined) await writeDurable(join(folder, OPERATORS_CHAIN), certificate.chain);
    const site = await loadSite(folder);
    for (const environment of site.environments.values()) {
      await fillSecretsOf(options, { site, environment, identity });
      environments.push(environment.name);
    }
    if (certificate !== undefined) await setSecrets(folder, "production", { tls_key: certificate.key }, identity.identity);
  });
  await removeProgress(directory, progressFile);
  return {
    directory,
    name: answers.name,
    environments,
    files,
    recipient: identity.recipient,
    identityCreated: identity.created,
    next: [
      ...(identity.created ? [`Your age identity is now in ${identityFile}. ${IDENTITY_RECOVERY_HINT}`] : []),
      ...(answers.certificate === "ca" ? ["Let the browsers trust certificates/ca.pem."] : []),
      "Make a key for the safe, which opens the backups when every laptop is lost: millwright secrets recovery-key",
      "Put the folder under git and commit it.",
      ...leadTo(options.from, directory),
    ],
  };
}

/** The next command, and how to come to the folder that it is to be typed in. */
function leadTo(from: string, directory: string): readonly string[] {
  const way = relative(from, directory);
  return way === "" ? ["Next: millwright host trust production"] : [`Next: cd ${quoteWords([way])}, then millwright host trust production`];
}

interface Filling {
  readonly site: Parameters<typeof ensureSiteSecrets>[0]["site"];
  readonly environment: Environment;
  readonly identity: Identity;
}

async function fillSecretsOf(options: NewSiteOptions, filling: Filling): Promise<void> {
  await ensureSiteSecrets({
    ...filling,
    names: options.secretNames(filling.environment),
    operator: options.operator,
    clock: options.clock,
    ...(options.random === undefined ? {} : { random: options.random }),
  });
}
