import { isIPv4 } from "node:net";
import { MillwrightError } from "../kernel/errors.ts";
import { lastLines, type Shell } from "../kernel/shell.ts";

export interface Redirected {
  /** Address of the host that the port is published on; empty for all. */
  readonly asked: string;
  readonly port: number;
  /** Where new connections to it go instead. */
  readonly address: string;
  readonly target: number;
}

/** Leads new TCP connections from outside to another container than the one that publishes the port. Those that stand stay where they are. */
export interface Redirect {
  /** Replaces what was led before, in one atomic step. */
  begin(ports: readonly Redirected[]): Promise<void>;
  /** No error when nothing is led. */
  end(): Promise<void>;
}

/** One table for a host: it carries one stack. Gone after a reboot, as it should be: then the published container serves again. */
const TABLE = "ip millwright_redirect";
/** Declared before it is deleted, because deleting what is not there is an error. */
const CLEAR = `table ${TABLE}\ndelete table ${TABLE}\n`;

export function nftRedirect(shell: Shell): Redirect {
  const load = async (rules: string): Promise<void> => {
    const { code, stderr } = await shell.run(["nft", "-f", "-"], { input: rules, timeoutMilliseconds: 30_000 });
    if (code === 0) return;
    throw new MillwrightError("REDIRECT_FAILED", `nft ended with ${code ?? "a signal"}: ${lastLines(stderr, 1)[0] ?? "no reason given"}`, {
      hint: "Run `millwright host check`: the agent's unit must have CAP_NET_ADMIN, and nftables must be installed.",
    });
  };
  return {
    begin: (ports) => load(redirectRules(ports)),
    end: () => load(CLEAR),
  };
}

/** Ten before the engine's own translation of published ports: whatever translates a connection first decides. Pure. */
export function redirectRules(ports: readonly Redirected[]): string {
  const rules = ports.map((redirected) => {
    const { asked, port, address, target } = redirected;
    if (!isPlain(redirected))
      throw new MillwrightError("REDIRECT_FAILED", `Connections to ${asked}:${port} cannot be led to ${address}:${target}: both must be IPv4.`);
    const to = asked === "" || asked === "0.0.0.0" ? "fib daddr type local" : `ip daddr ${asked}`;
    return `    ${to} tcp dport ${port} dnat to ${address}:${target}`;
  });
  return `${CLEAR}table ${TABLE} {\n  chain prerouting {\n    type nat hook prerouting priority dstnat - 10; policy accept;\n${rules.join("\n")}\n  }\n}\n`;
}

/** The stack names the address: text of another kind would be a rule of its sender's in the host's firewall. */
function isPlain({ asked, port, address, target }: Redirected): boolean {
  const isPort = (value: number): boolean => Number.isInteger(value) && value > 0 && value <= 65535;
  return (asked === "" || isIPv4(asked)) && isIPv4(address) && isPort(port) && isPort(target);
}
