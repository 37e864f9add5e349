import { hashOf } from "../kernel/canonical.ts";
import { PACKAGE_SCRIPT } from "./package-script.ts";

/** How an image is made of an official one: packages of its own distribution are put into it. */
export interface Derivation {
  /** `name:tag@sha256:…` */
  readonly base: string;
  readonly packages: readonly string[];
}

export interface DerivedImage extends Derivation {
  /** `derivedName` of it. */
  readonly image: string;
}

export const DERIVATION = {
  base: /^[a-z0-9][a-z0-9._/-]*(:[A-Za-z0-9._-]+)?@sha256:[0-9a-f]{64}$/,
  /** A package's name as Debian has it, and nothing that apt would take for more than a name. */
  package: /^[a-z0-9][a-z0-9.+-]*[a-z0-9+]$/,
} as const;

/** Stacks have a hyphen in their names, so this is never the tag of a release. */
const NAME = /^millwright\/([a-z][a-z0-9]*):[0-9a-f]{16}$/;

/** The tag of a derived image says all that it is made of, so it is known before the image is there, and another one is another image. */
export function derivedName(name: string, { base, packages }: Derivation): string {
  return `millwright/${name}:${hashOf({ base, packages, script: PACKAGE_SCRIPT }).slice(0, 16)}`;
}

export function isDerivedName(reference: string): boolean {
  return NAME.test(reference);
}

/** Whether an image bears the name of what it is said to be made of. */
export function isTrulyNamed({ image, ...derivation }: DerivedImage): boolean {
  const name = NAME.exec(image)?.[1];
  return name !== undefined && image === derivedName(name, derivation);
}
