import { describe, expect, it } from "vitest";
import { observeHost } from "../../src/bootstrap/host-facts.ts";
import type { System } from "../../src/bootstrap/system.ts";
import { FakeHost } from "./fake-host.ts";

describe("observeHost", () => {
  it.each([
    ["is at work", "ENABLED=yes", ["ufw"]],
    ["is switched off, though Ubuntu starts its unit all the same", "ENABLED=no", []],
  ])("tells whether ufw %s", async (_, line, firewalls) => {
    const host = new FakeHost();
    await host.system.files.write("/etc/ufw/ufw.conf", `# /etc/ufw/ufw.conf\n${line}\nLOGLEVEL=low\n`, 0o644);
    host.active.add("ufw.service");
    expect((await observeHost(host.system)).firewalls).toEqual(firewalls);
  });

  describe("where systemd listens for sshd", () => {
    const portsOf = async (answers: Readonly<Record<string, string>>): Promise<readonly number[]> => {
      const { system } = new FakeHost();
      const run: System["shell"]["run"] = async (words, options) => {
        const stdout = { "systemctl is-active --quiet ssh.socket": "", ...answers }[words.join(" ")];
        return stdout === undefined ? await system.shell.run(words, options) : { code: 0, stdout, stderr: "" };
      };
      return (await observeHost({ ...system, shell: { ...system.shell, run } })).ssh.ports;
    };
    const listening = 'LISTEN 0 4096 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=505,fd=3))\nLISTEN 0 128 127.0.0.1:6010 0.0.0.0:* users:(("sshd",pid=600,fd=9))\n';
    const unit = (port: number): string => `0.0.0.0:${port} (Stream)\n[::]:${port} (Stream)\n`;
    const show = "systemctl show -p Listen --value ssh.socket";

    it("counts a port that is set but waits for a reload", async () => {
      expect(await portsOf({ "ss -Hltnp": listening, [show]: unit(22), "sshd -T": "port 2222\n" })).toEqual([22, 2222]);
    });

    it("still counts the port that is listened on when the unit has already been given another", async () => {
      expect(await portsOf({ "ss -Hltnp": listening, [show]: unit(2222), "sshd -T": "port 2222\n" })).toEqual([22, 2222]);
    });
  });
});
