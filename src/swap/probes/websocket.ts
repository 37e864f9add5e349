import { fail, pass, type Probe, requestTo, type Target, WEBSOCKET_PORT } from "./probe.ts";

/** The gevent process on its own port. It listens some 2 s after the pages do, and until then browsers would get 502. */
export function websocketProbe(target: Target): Probe {
  return {
    name: "websocket",
    look: async () => {
      const health = await target.http.ask(requestTo(target, "/websocket/health", { port: WEBSOCKET_PORT }));
      if (health.status !== 200) return fail(`/websocket/health answered ${health.status}`, { status: health.status });
      const status = await target.http.upgrade(requestTo(target, "/websocket", { port: WEBSOCKET_PORT, headers: { Origin: `https://${target.domain}` } }));
      return status === 101 ? pass("upgrade taken") : fail(`the upgrade was answered ${status} instead of 101`, { status });
    },
  };
}
