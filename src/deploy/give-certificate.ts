import { X509Certificate } from "node:crypto";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { removeDurable, writeDurable } from "../kernel/durable-file.ts";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import type { StepCode } from "../kernel/run-plan.ts";
import { checkCertificate } from "../secrets/check-certificate.ts";
import type { DeployContext } from "./deploy-context.ts";
import { restoreCertificate } from "./previous-platform.ts";

const PATIENCE_MILLISECONDS = 5000;
const POLL_MILLISECONDS = 50;

/** Names the certificate that Traefik is to serve, or none. Chain and key lie there already, under names that nothing else ever had. */
export const giveCertificate: StepCode<DeployContext> = {
  async do({ deps, stack, desired: { certificate } }) {
    if (certificate === undefined) {
      await removeDurable(deps.paths.certificate);
      return;
    }
    // Instead of one that it cannot use, Traefik would serve a certificate that no browser trusts.
    checkCertificate(certificate.chain, certificate.key, stack.facts.domain, deps.clock);
    await point(deps.paths, certificate.pointer);
  },
  undo: ({ deps }) => restoreCertificate(deps.paths),
};

/** Users get it: a handshake through the published port shows this certificate and no other. */
export const proveCertificate: StepCode<DeployContext> = {
  async do({ deps, stack, desired: { certificate } }, _step, { signal }) {
    if (certificate === undefined) throw new MillwrightError("PLAN_STALE", "The stack has no certificate of its own.");
    const { domain, listen } = stack.facts;
    const wanted = new X509Certificate(certificate.chain).fingerprint256;
    const began = deps.clock.now();
    let deadline = began + PATIENCE_MILLISECONDS;
    let isReminded = false;
    for (;;) {
      const shown = await deps.shownCertificate({ domain, listen }).catch((error: unknown) => `none: ${messageOf(error)}`);
      if (shown === wanted) return { summary: `served after ${deps.clock.now() - began} ms`, fingerprint: wanted };
      if (deps.clock.now() >= deadline) {
        if (isReminded) throw notServed(domain, wanted, shown);
        // The event of the first rename may have been lost on Traefik; another is another event.
        await point(deps.paths, certificate.pointer);
        isReminded = true;
        deadline = deps.clock.now() + PATIENCE_MILLISECONDS;
      }
      await deps.clock.sleep(POLL_MILLISECONDS, signal);
    }
  },
};

/** One rename out of a folder that is not watched. */
async function point(paths: HostPaths, pointer: string): Promise<void> {
  await writeDurable(paths.certificate, pointer, { mode: 0o644, stage: paths.trafficStage });
}

function notServed(domain: string, wanted: string, shown: string): MillwrightError {
  return new MillwrightError("CERTIFICATE_NOT_SERVED", `The proxy did not take the new certificate within ${(2 * PATIENCE_MILLISECONDS) / 1000} s.`, {
    subject: domain,
    details: [`wanted ${wanted}`, `shown ${shown}`],
  });
}
