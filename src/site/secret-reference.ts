/** The reference to a secret as it stands in a stack file until the agent fills it in on the host. */
export function secretReference(name: string): string {
  return `<<secret ${name}>>`;
}

export const SECRET_REFERENCE = /<<secret ([a-z][a-z0-9_]*)>>/g;
