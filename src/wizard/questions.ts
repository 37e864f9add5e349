import { SITE_DEFAULTS } from "../site/site-defaults.ts";
import type { AnswerKey, AnswersSoFar } from "./answers.ts";
import type { Choice } from "./ask.ts";

/** A question of the wizard, as data. */
export interface Question {
  readonly key: AnswerKey;
  readonly kind: "input" | "number" | "confirm" | "select";
  readonly message: string;
  /** One line: what it is for, or how to find out. */
  readonly explanation: string;
  readonly choices?: readonly Choice[];
  readonly propose?: (answers: AnswersSoFar) => string | number | boolean | undefined;
  /** True when the proposal may be taken without a person: it is right for most and harmless for the rest. */
  readonly assumed?: boolean;
  readonly when?: (answers: AnswersSoFar) => boolean;
}

export const QUESTIONS: readonly Question[] = [
  { key: "company", kind: "input", message: "Company", explanation: "As people write it; shown in messages and in the certificate." },
  {
    key: "name",
    kind: "input",
    message: "Short name of the site",
    explanation: "Lower-case letters, digits and hyphens; names everything on the host and cannot be changed later.",
    propose: ({ company }) => siteNameFrom(company ?? ""),
    assumed: true,
  },
  {
    key: "series",
    kind: "select",
    message: "Odoo series",
    explanation: "Take the newest unless your addons are for another one.",
    choices: [
      { value: "19.0", name: "19.0 (newest)" },
      { value: "18.0", name: "18.0" },
      { value: "17.0", name: "17.0" },
    ],
    propose: () => "19.0",
    assumed: true,
  },
  {
    key: "users",
    kind: "number",
    message: "People at work in Odoo at the same time",
    explanation: "Not everybody with a login: those who click within the same few minutes. Count each shop-floor terminal as one.",
    propose: () => 20,
  },
  {
    key: "modules",
    kind: "input",
    message: "Modules to install",
    explanation: "Technical names with commas between. Manufacturing, stock, purchase and sales are proposed; more can be installed later.",
    propose: () => SITE_DEFAULTS.odoo.modules.join(", "),
    assumed: true,
  },
  {
    key: "domain",
    kind: "input",
    message: "Name in the browser",
    explanation: "Such as erp.acme.example. Your DNS must point it to the host before the first start.",
  },
  {
    key: "certificate",
    kind: "select",
    message: "Web certificate",
    explanation: "It makes the browser's lock close.",
    choices: [
      { value: "ca", name: "An authority of our own, made now: works without internet, browsers must be told to trust it" },
      { value: "acme", name: "Let's Encrypt: nothing to do, but the host must be reachable from the internet" },
      { value: "files", name: "We have a certificate and its key as files" },
    ],
    propose: () => "ca",
  },
  {
    key: "acmeEmail",
    kind: "input",
    message: "E-mail for the certificate authority",
    explanation: "Warned if a certificate is about to end.",
    when: ({ certificate }) => certificate === "acme",
  },
  {
    key: "certificateChain",
    kind: "input",
    message: "File of the certificate",
    explanation: "PEM: the certificate itself first, then those above it. It is copied into the site.",
    when: ({ certificate }) => certificate === "files",
  },
  {
    key: "certificateKey",
    kind: "input",
    message: "File of its private key",
    explanation: "PEM without a passphrase. It goes encrypted into the site's vault.",
    when: ({ certificate }) => certificate === "files",
  },
  {
    key: "address",
    kind: "input",
    message: "Address of the host",
    explanation: "IP address or name of the dedicated machine (Debian 12, 13 or Ubuntu 24.04), reached by SSH.",
  },
  { key: "port", kind: "number", message: "SSH port", explanation: "22 unless somebody moved it.", propose: () => SITE_DEFAULTS.host.port, assumed: true },
  {
    key: "admin",
    kind: "input",
    message: "Admin account on the host",
    explanation: "An account with sudo and your SSH key. Used to set the host up; deploying gets an account of its own.",
    propose: () => "admin",
  },
  {
    key: "memory",
    kind: "input",
    message: "Memory of the host",
    explanation: "`free -h` on the host shows it; round up to what was ordered, such as 16GiB.",
    propose: () => "16GiB",
  },
  { key: "cpus", kind: "number", message: "Processors of the host", explanation: "`nproc` on the host shows them.", propose: () => 4 },
  {
    key: "jump",
    kind: "input",
    message: "Jump host",
    explanation: "account@host, if SSH must go through another machine; empty for none.",
    propose: () => "",
    assumed: true,
  },
  {
    key: "mirror",
    kind: "input",
    message: "Registry mirror in the plant",
    explanation: "http(s)://host:port of a mirror of Docker Hub, if the host has no internet; empty for none.",
    propose: () => "",
    assumed: true,
  },
  {
    key: "dataDisk",
    kind: "input",
    message: "Disk for the data",
    explanation: "An empty second disk such as /dev/sdb, formatted by bootstrap; empty to use the system's disk.",
    propose: () => "",
    assumed: true,
  },
  {
    key: "sessions",
    kind: "select",
    message: "Where logins are kept",
    explanation: "Files are simplest and right for one host.",
    choices: [
      { value: "files", name: "Files" },
      { value: "redis", name: "Redis: a service more, kept out of file backups" },
    ],
    propose: () => SITE_DEFAULTS.sessions,
    assumed: true,
  },
  {
    key: "staging",
    kind: "confirm",
    message: "A staging environment too?",
    explanation: "A second host like the first, to try releases on. It can be added later.",
    propose: () => false,
    assumed: true,
  },
  {
    key: "stagingAddress",
    kind: "input",
    message: "Address of the staging host",
    explanation: "Another machine than production's.",
    when: ({ staging }) => staging === true,
  },
  {
    key: "stagingDomain",
    kind: "input",
    message: "Staging's name in the browser",
    explanation: "Another one than production's.",
    propose: ({ domain }) => (domain === undefined ? undefined : `staging.${domain}`),
    assumed: true,
    when: ({ staging }) => staging === true,
  },
];

/** What to type on the command line instead of answering. */
export function flagOf(key: AnswerKey): string {
  return `--set ${key}=…`;
}

/** `Müller & Söhne GmbH` → `muller-sohne`; undefined when nothing usable is left. */
export function siteNameFrom(company: string): string | undefined {
  const words = company
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replaceAll("ß", "ss")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "" && !LEGAL_FORMS.has(word));
  const joined = words.join("-").replace(/^[^a-z]+/, "");
  const name =
    joined.length > 30
      ? joined
          .slice(0, 31)
          .replace(/-[^-]*$/, "")
          .slice(0, 30)
      : joined;
  return name === "" ? undefined : name;
}

const LEGAL_FORMS = new Set(["gmbh", "ag", "kg", "co", "inc", "ltd", "llc", "corp", "sa", "sarl", "srl", "spa", "bv", "nv", "ab", "oy", "as", "plc", "se"]);
