import { describe, expect, it } from "vitest";
import { composeCli } from "../../src/docker/compose-cli.ts";
import type { RunResult, Shell } from "../../src/kernel/shell.ts";

function shellThat(result: Partial<RunResult>): Shell & { readonly ran: (readonly string[])[] } {
  const ran: (readonly string[])[] = [];
  return {
    ran,
    run: async (words) => {
      ran.push(words);
      return { code: 0, stdout: "", stderr: "", ...result };
    },
  };
}

const PREFIX =
  "docker --host unix:///var/run/docker.sock compose --ansi never --progress plain --project-directory /p --file /p/compose.yaml --env-file /dev/null";

describe("docker compose", () => {
  it("is told engine, folder, file and project, and reads no .env", async () => {
    const shell = shellThat({});
    const compose = composeCli(shell);
    await compose.up("acme-production", "/p", ["database"]);
    await compose.up("acme-production", "/p");
    await compose.stop("acme-production", "/p", ["web", "cron"], 30);
    await compose.run("acme-production", "/p", "web", ["odoo", "--version"], () => {});
    await compose.validate("/p");
    expect(shell.ran.map((words) => words.join(" "))).toEqual([
      `${PREFIX} --project-name acme-production up --detach --no-build --pull never --no-deps database`,
      `${PREFIX} --project-name acme-production up --detach --no-build --pull never`,
      `${PREFIX} --project-name acme-production stop --timeout 30 web cron`,
      `${PREFIX} --project-name acme-production run --rm --no-deps --no-TTY web odoo --version`,
      `${PREFIX} config --quiet`,
    ]);
  });

  it.each([
    ["Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", "DOCKER_DOWN"],
    ["failed to register layer: write /usr/lib/x: no space left on device", "DISK_FULL"],
    ["Error response from daemon: No such image: postgres:18", "IMAGE_MISSING"],
    ["Error response from daemon: driver failed programming external connectivity", "COMPOSE_FAILED"],
  ])("turns %j into %s", async (stderr, code) => {
    await expect(composeCli(shellThat({ code: 1, stderr })).up("p", "/p", ["database"])).rejects.toMatchObject({ code, subject: "database" });
  });

  it("keeps the last 15 lines of a failure", async () => {
    const stderr = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
    await expect(composeCli(shellThat({ code: 1, stderr })).down("p", "/p")).rejects.toMatchObject({
      details: Array.from({ length: 15 }, (_, index) => `line ${index + 15}`),
    });
  });

  it("gives the status of a one-off container, but takes Docker's own for a failure", async () => {
    expect(await composeCli(shellThat({ code: 1 })).run("p", "/p", "web", [], () => {})).toBe(1);
    await expect(composeCli(shellThat({ code: 125, stderr: "invalid mount" })).run("p", "/p", "web", [], () => {})).rejects.toMatchObject({
      code: "COMPOSE_FAILED",
    });
  });

  it("calls a file that Compose refuses invalid, in Compose's words", async () => {
    const refused = composeCli(shellThat({ code: 15, stderr: "services.web Additional property foo is not allowed" })).validate("/p");
    await expect(refused).rejects.toMatchObject({ code: "STACK_INVALID", message: expect.stringContaining("Additional property foo") as string });
  });
});
