import type { Plant } from "../test/live/plant.ts";

/**
 * Odoo's own time from the start of its container until every worker has answered the login page fast and the websocket port answers: no
 * swap can be faster. Runs on the host, with the spare colour's own Compose file, beside the colour that serves.
 */
const SCRIPT = `
const { execFileSync } = require("node:child_process");
const http = require("node:http");
const [project, file, workers, domain] = process.argv.slice(1);
const docker = (...words) => execFileSync("docker", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
const get = (host, port, path) => new Promise((resolve) => {
  const began = Date.now();
  const request = http.get({ host, port, path, agent: false, timeout: 10000, headers: { host: domain, "x-forwarded-host": domain, "x-forwarded-proto": "https" } }, (response) => {
    response.resume();
    response.on("end", () => resolve({ status: response.statusCode, took: Date.now() - began }));
  });
  request.on("timeout", () => request.destroy());
  request.on("error", () => resolve({ status: 0, took: 0 }));
});
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
(async () => {
  docker("compose", "-p", project, "-f", file, "create", "web");
  const began = Date.now();
  docker("compose", "-p", project, "-f", file, "start", "web");
  const id = docker("compose", "-p", project, "-f", file, "ps", "--quiet", "web");
  const address = docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", id).split(" ")[0];
  const until = async (good) => { while (!(await good())) await wait(50); return (Date.now() - began) / 1000; };
  const first = await until(async () => (await get(address, 8069, "/web/login")).status === 200);
  const warm = await until(async () => {
    const round = await Promise.all(Array.from({ length: Number(workers) * 2 }, () => get(address, 8069, "/web/login")));
    return round.every((answer) => answer.status === 200 && answer.took < 1000);
  });
  const websocket = await until(async () => (await get(address, 8072, "/websocket/health")).status === 200);
  docker("compose", "-p", project, "-f", file, "stop", "web");
  console.log(JSON.stringify({ first, warm, websocket }));
})();
`;

export interface Floor {
  readonly first: number;
  readonly warm: number;
  readonly websocket: number;
}

export async function measureFloor(plant: Plant, colour: string): Promise<Floor> {
  const file = `/srv/millwright/${plant.stack}/colours/${colour}/compose.yaml`;
  const node = "/opt/millwright/current/node";
  return JSON.parse(await plant.sh(node, "-e", SCRIPT, "--", `${plant.stack}-${colour}`, file, "2", "erp.plant.example")) as Floor;
}
