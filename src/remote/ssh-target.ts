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
  return `${user}@${port === 22 ? address : describePlace({ address, port })}`;
}

/** Address and port; an address of IPv6 in brackets, as it has colons of its own. */
export function describePlace({ address, port }: Pick<SshAddress, "address" | "port">): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
