import { readFileSync } from "node:fs";
import type { Clock } from "../kernel/clock.ts";
import { hasCode, isMissing } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { Secret } from "../kernel/secret.ts";
import { certificateProblem, checkCertificate } from "../secrets/check-certificate.ts";
import type { AnswerKey, Answers, AnswersSoFar } from "./answers.ts";

export interface OperatorsCertificate {
  readonly chain: string;
  readonly key: Secret;
}

/** The files that the operator named; undefined when the certificate comes from elsewhere. */
export function readOperatorsCertificate(answers: Answers, clock: Clock): OperatorsCertificate | undefined {
  if (answers.certificate !== "files") return undefined;
  const chain = readNamed(answers, "certificateChain");
  const key = new Secret(readNamed(answers, "certificateKey"));
  checkCertificate(chain, key, answers.domain, clock);
  return { chain, key };
}

/** True, or why the file that answers one of the two questions cannot be used, as far as the answers before it tell. */
export function judgeCertificateAnswer(key: AnswerKey, answers: AnswersSoFar, clock: Clock): true | string {
  const domain = answers.domain ?? "";
  if (key === "certificateChain") return judged(() => certificateProblem(readNamed(answers, key), undefined, domain, clock));
  if (key !== "certificateKey") return true;
  return judged(() => {
    const file = new Secret(readNamed(answers, key));
    // A chain that is no good is a matter of its own question.
    if (judgeCertificateAnswer("certificateChain", answers, clock) !== true) return undefined;
    return certificateProblem(readNamed(answers, "certificateChain"), file, domain, clock);
  });
}

function judged(problem: () => string | undefined): true | string {
  try {
    return problem() ?? true;
  } catch (error) {
    if (error instanceof MillwrightError) return error.message;
    throw error;
  }
}

function readNamed(answers: AnswersSoFar, key: "certificateChain" | "certificateKey"): string {
  const path = answers[key] ?? "";
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const why = isMissing(cause) ? "there is no such file" : hasCode(cause, "EISDIR") ? "it is a folder" : "this account may not";
    throw new MillwrightError("CERTIFICATE_INVALID", `${path} cannot be read: ${why}.`, { subject: path, hint: `Give the right path: --set ${key}=…`, cause });
  }
}
