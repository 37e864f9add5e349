export interface SshAddress {
  readonly address: string;
  readonly port: number;
  readonly user: string;
}

export interface SshTarget extends SshAddress {
  /** A host on the way, logged in to with the same keys; its own host key must be pinned too. */
  readonly jump?: SshAddress;
}

export function describeAddress({ address, port, user }: SshAddress): string {
  return `${user}@${address}${port === 22 ? "" : `:${port}`}`;
}
