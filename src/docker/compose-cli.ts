import { MillwrightError } from "../kernel/errors.ts";
import { lastLines, type RunOptions, type RunResult, type Shell } from "../kernel/shell.ts";
import { knownDockerError, lastLine } from "./docker-error.ts";
import type { Compose } from "./docker.ts";

export const DOCKER_SOCKET = "/var/run/docker.sock";

/** Far beyond the longest grace that a service has to stop: only an engine that hangs takes so long. */
const TIMEOUT_MILLISECONDS = 2 * 60 * 60_000;

/** The `docker compose` plugin (v2). Each call names engine, project, folder and file, and reads no `.env`: nothing is left to chance. */
export function composeCli(shell: Shell, socketPath: string = DOCKER_SOCKET): Compose {
  const engine = ["docker", "--host", `unix://${socketPath}`, "compose", "--ansi", "never", "--progress", "plain"];
  const compose = (directory: string, project: string | undefined): string[] => {
    const files = ["--project-directory", directory, "--file", `${directory}/compose.yaml`, "--env-file", "/dev/null"];
    return [...engine, ...files, ...(project === undefined ? [] : ["--project-name", project])];
  };
  const run = async (words: readonly string[], subject: string, options: RunOptions = {}): Promise<void> => {
    const result = await shell.run(words, { timeoutMilliseconds: TIMEOUT_MILLISECONDS, ...options });
    if (result.code !== 0) throw composeError(result, subject);
  };

  return {
    async up(project, directory, services = []) {
      const alone = services.length === 0 ? [] : ["--no-deps"];
      await run([...compose(directory, project), "up", "--detach", "--no-build", "--pull", "never", ...alone, ...services], services.join(", ") || project);
    },
    async stop(project, directory, services, graceSeconds) {
      await run([...compose(directory, project), "stop", "--timeout", String(graceSeconds), ...services], services.join(", "));
    },
    async down(project, directory) {
      await run([...compose(directory, project), "down"], project);
    },
    async runBeside(project, directory, service, name, ports) {
      const publish = ports.flatMap((port) => ["--publish", `127.0.0.1::${port}`]);
      await run([...compose(directory, project), "run", "--detach", "--no-deps", "--no-TTY", "--name", name, ...publish, service], name);
    },
    async run(project, directory, service, words, onLine, signal) {
      const command = [...compose(directory, project), "run", "--rm", "--no-deps", "--no-TTY", service, ...words];
      const result = await shell.run(command, { onLine, timeoutMilliseconds: TIMEOUT_MILLISECONDS, ...(signal === undefined ? {} : { signal }) });
      if (result.code === null) throw composeError(result, service);
      // 125 and up to 127 are Docker's own: the container was not started.
      if (result.code >= 125 && result.code <= 127) throw composeError(result, service);
      return result.code;
    },
    async validate(directory) {
      const result = await shell.run([...compose(directory, undefined), "config", "--quiet"]);
      if (result.code === 0) return;
      const known = knownDockerError(result.stderr, directory);
      throw (
        known ??
        new MillwrightError("STACK_INVALID", `Compose does not accept the file: ${lastLine(result.stderr)}`, {
          subject: `${directory}/compose.yaml`,
          details: lastLines(`${result.stdout}\n${result.stderr}`, 15),
        })
      );
    },
  };
}

function composeError(result: RunResult, subject: string): MillwrightError {
  const words = `${result.stderr}\n${result.stdout}`;
  const known = knownDockerError(words, subject);
  if (known !== undefined) return known;
  const details = lastLines(`${result.stdout}\n${result.stderr}`, 15);
  if (/No such image|pull access denied|manifest unknown/i.test(words)) {
    return new MillwrightError("IMAGE_MISSING", `The host does not have the image: ${details.at(-1) ?? "unknown"}`, { subject, details });
  }
  const reason = details.findLast((line) => /error|failed|denied|invalid|unknown|conflict/i.test(line)) ?? details.at(-1);
  const status = result.code === null ? "was ended by a signal" : `ended with ${result.code}`;
  return new MillwrightError("COMPOSE_FAILED", `\`docker compose\` ${status}: ${reason ?? "no reason given"}`, { subject, details });
}
