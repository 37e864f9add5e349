import type { Docker } from "../docker/docker.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { CliContext } from "./context.ts";

/** The Docker engine of this machine that `--docker` names, once it has answered: what is wrong with it is no matter of the host. */
export async function ownEngine(socket: string, context: CliContext): Promise<Docker> {
  const { dockerodeDocker } = await import("../docker/dockerode-docker.ts");
  const engine = dockerodeDocker(context.clock, socket);
  try {
    await engine.version();
  } catch (cause) {
    if (!(cause instanceof MillwrightError) || cause.code !== "DOCKER_DOWN") throw cause;
    throw new MillwrightError("DOCKER_DOWN", `No Docker engine answers this account on ${socket}.`, {
      subject: socket,
      hint: "Look at it here, `ls -l` and `docker context ls`, then name the right one with --docker.",
      cause,
    });
  }
  return engine;
}
