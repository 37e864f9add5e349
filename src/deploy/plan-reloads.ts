import { basename } from "node:path";
import { sha256 } from "../kernel/canonical.ts";
import type { Step } from "../kernel/plan.ts";
import { changedSettings } from "./changed-settings.ts";
import { type Materialised, SETTINGS_FOLDER } from "./materialise.ts";
import type { MaterialisedFile } from "./materialised-file.ts";
import type { Observed } from "./observe-platform.ts";
import type { PlacedCertificate } from "./place-certificate.ts";

/** What reaches a running service without a new container: docs/decisions/0001-configuration-by-content.md. */

export type PlannedStep = Omit<Step, "failure" | "params"> & Partial<Pick<Step, "failure" | "params">>;

interface Input {
  readonly desired: Materialised;
  readonly observed: Observed;
}

interface CertificateSteps {
  /** Before the routes and the services. */
  readonly first: readonly PlannedStep[];
  /** After the proxy, where it is renewed. */
  readonly afterProxy: readonly PlannedStep[];
}

/** A certificate is in place before a proxy starts that has to serve it; none is taken away while a proxy serves that still needs it. Pure. */
export function certificateSteps({ desired, observed }: Input, isProxyRenewed: boolean): CertificateSteps {
  const { certificate } = desired;
  if (certificate === undefined) return { first: [], afterProxy: observed.certificate === undefined ? [] : [TAKE_AWAY] };
  const cause = causeOfCertificate(certificate, observed);
  if (cause === undefined) return { first: [], afterProxy: [] };
  const give: PlannedStep = {
    id: "certificate",
    kind: "certificate",
    title: isProxyRenewed ? "Lay the certificate out for the proxy" : "Let the proxy read its new certificate",
    cause: isProxyRenewed ? cause : `${cause}: a reload is enough`,
    undo: "let it read the previous one",
  };
  return isProxyRenewed ? { first: [give], afterProxy: [PROVE] } : { first: [give, PROVE], afterProxy: [] };
}

const PROVE: PlannedStep = {
  id: "certificate-served",
  kind: "certificate-served",
  title: "Prove by a TLS handshake that the certificate is served",
  cause: "a proxy that cannot read one serves another",
};

const TAKE_AWAY: PlannedStep = {
  id: "certificate",
  kind: "certificate",
  title: "Take the site's own certificate away",
  cause: "no proxy here serves it any more",
  undo: "lay it out again",
};

function causeOfCertificate({ pointer, placed }: PlacedCertificate, { certificate, recorded, alteredFiles, missingFiles }: Observed): string | undefined {
  const before = recorded?.certificate ?? "";
  if (certificate === undefined) return before === "" ? "none yet" : "removed by hand on the host";
  if (certificate !== pointer) {
    if (before !== "" && before !== sha256(certificate)) return "changed by hand on the host";
    const changed = Object.entries(placed).filter(([, path]) => !certificate.includes(basename(path)));
    return `${changed.map(([path]) => path).join(" and ")} changed`;
  }
  // Read again, since the proxy may have read what was there in between.
  const [damaged] = Object.entries(placed).filter(([, path]) => alteredFiles.includes(path) || missingFiles.includes(path));
  return damaged === undefined ? undefined : `${damaged[0]} was changed by hand on the host`;
}

/** The settings that a running PostgreSQL takes. Where it does not run, or not yet with the folder, it reads them when it starts. Pure. */
export function settingsStep({ desired, observed }: Input): readonly PlannedStep[] {
  const causes = desired.settings.flatMap((file) => causeOfSettings(file, observed));
  if (causes.length === 0) return [];
  const database = observed.platform.find(({ service }) => service === "database");
  const hasFolder = observed.recorded?.services["database"]?.mounts[SETTINGS_FOLDER] !== undefined;
  const isReload = database?.state === "running" && database.health !== "unhealthy" && hasFolder;
  return [
    {
      id: "settings",
      kind: "settings",
      title: isReload ? "Let PostgreSQL read its new settings" : "Write what PostgreSQL reads again by a reload",
      cause: isReload ? `${causes.join(", ")}: a reload is enough` : causes.join(", "),
      undo: isReload ? "let it read the previous ones" : "put the previous ones back",
      params: { isReload },
    },
  ];
}

function causeOfSettings({ path, content }: MaterialisedFile, { settings, recorded }: Observed): readonly string[] {
  const present = settings[path];
  const name = `${SETTINGS_FOLDER}/${basename(path)}`;
  if (present === content) return [];
  const before = recorded?.settings[path];
  if (present === undefined) return [before === undefined ? `no ${name} yet` : `${name} was removed by hand on the host`];
  if (before !== undefined && before !== sha256(present)) return [`${name} was changed by hand on the host`];
  const names = name.endsWith("/reload.conf") ? changedSettings(present, content) : [];
  return [names.length === 0 ? `${name} changed` : `${names.join(", ")} changed`];
}
