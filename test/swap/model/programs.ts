import type { Compose, Docker } from "../../../src/docker/docker.ts";
import { MillwrightError } from "../../../src/kernel/errors.ts";
import { Secret } from "../../../src/kernel/secret.ts";
import type { Connections } from "../../../src/swap/connections.ts";
import { WEBSOCKET_PORT } from "../../../src/swap/probes/probe.ts";
import type { Http } from "../../../src/swap/http.ts";
import type { SecretValues } from "../../../src/secrets/fill-secrets.ts";
import type { Machine } from "./machine.ts";
import { currentProcess, effect, effectNow } from "./process.ts";

/** What the agent meets on the machine, in the place of the modules that talk to the real thing. Each call is an effect of its process. */

const LOOKS = new Set(["version", "containers", "allContainers", "logs", "logsSince", "memory", "image", "images", "validate"]);

function machine(): Machine {
  return currentProcess().host as Machine;
}

/** Every method of an interface as an effect. */
function asEffects<T extends object>(of: (machine: Machine, part: () => void) => T): T {
  const call = async (method: string, words: readonly unknown[]): Promise<unknown> => {
    const here = machine();
    const name = `${method} ${here.nameOf(words)}`;
    const isLook = LOOKS.has(method);
    if (!isLook && method !== "exec") currentProcess().changes.push(name);
    return await effect(isLook ? "ask" : "docker", name, (part) => {
      if (here.engine.isDown) throw new MillwrightError("DOCKER_DOWN", "The Docker engine does not answer.");
      const target = of(here, part) as Record<string, (...words: readonly unknown[]) => Promise<unknown>>;
      return target[method]?.(...words);
    });
  };
  const methods = Object.keys(of(machine(), () => {}));
  return Object.fromEntries(methods.map((method) => [method, async (...words: readonly unknown[]) => await call(method, words)])) as T;
}

export const dockerodeDocker = (): Docker => asEffects(({ engine }, part) => engine.docker(part));
export const composeCli = (): Compose => asEffects(({ engine }, part) => engine.compose(part));
export const DOCKER_SOCKET = "/var/run/docker.sock";

export const nodeHttp: Http = {
  ask: (request) => {
    const { odoo } = machine();
    return effect("ask", `${request.address}:${request.port}${request.path}`, () => odoo.ask(request));
  },
  together: (request, count) => {
    const { odoo } = machine();
    return effect("ask", `${count} × ${request.address}:${request.port}${request.path}`, () => Array.from({ length: count }, () => odoo.ask(request)));
  },
  upgrade: (request) => {
    const { odoo } = machine();
    return effect("ask", `upgrade ${request.address}:${request.port}`, () => (odoo.ask(request).status === 200 ? 101 : 500));
  },
};

export const procConnections: Connections = {
  established: (pid, port) => {
    const { odoo } = machine();
    return effect("ask", `connections of ${pid}:${port}`, () => (port === WEBSOCKET_PORT ? odoo.websocketsOn(pid) : odoo.requestsOn(pid)));
  },
  dialling: async () => 0,
};

/** SIGHUP goes to nobody but Traefik. */
export function sendSignal(): void {
  const { odoo } = machine();
  effectNow("docker", "SIGHUP", undefined, () => odoo.readRoutes());
}

export const HOST_IDENTITY = "/etc/millwright/age.key";

export async function openHostVault(): Promise<SecretValues> {
  return SECRETS;
}

const SECRETS: SecretValues = Object.fromEntries(["db_superuser", "db_odoo", "odoo_admin", "odoo_probe"].map((name) => [name, new Secret(`${name}-value-1`)]));
