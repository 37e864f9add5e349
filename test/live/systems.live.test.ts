import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ubuntuInReach } from "../lab/lab.ts";
import { type Plant, createPlant, errorOf } from "./plant.ts";
import { story } from "./steps.ts";

const IN_REACH = await ubuntuInReach();
if (!IN_REACH) process.stderr.write("Ubuntu 24.04 is not tried: archive.ubuntu.com does not answer this machine.\n");

describe.skipIf(!IN_REACH)("a bare Ubuntu 24.04", () => {
  let plant: Plant;
  const step = story(() => plant);

  beforeAll(async () => {
    plant = await createPlant({ host: "ubuntu", template: "ubuntu" });
  });
  afterAll(async () => {
    await plant?.[Symbol.asyncDispose]();
  });

  step("is the real thing: systemd listens for sshd, ufw's unit is up and switched off, timesyncd and needrestart are there", async () => {
    expect(await plant.sh("sh", "-c", '. /etc/os-release; echo "$ID $VERSION_ID"')).toBe("ubuntu 24.04");
    expect(await plant.sh("systemctl", "is-active", "ssh.socket", "ufw.service")).toBe("active\nactive");
    expect(await plant.sh("ufw", "status")).toBe("Status: inactive");
    expect(await plant.sh("dpkg-query", "-W", "-f", "${Package}\n", "systemd-timesyncd", "needrestart")).toBe("needrestart\nsystemd-timesyncd");
  });

  step("becomes a host by bootstrap, which does not warn of a firewall that is off", async () => {
    const { code, stderr } = await plant.plain("host", "bootstrap", "--yes");
    expect({ code, warned: stderr.includes("ufw") }).toEqual({ code: 0, warned: false });
  });

  step("is left as it is by a second bootstrap, and host check finds nothing", async () => {
    expect((await plant.bootstrap())["changed"]).toEqual([]);
    expect((await plant.run("host", "check")).code).toBe(0);
  });

  step("serves release 1", async () => {
    await plant.serveFirst();
    expect((await plant.serving()).number).toBe(1);
  });
});

describe("a bare Debian 12", () => {
  let plant: Plant;

  beforeAll(async () => {
    plant = await createPlant({ host: "debian12", template: "debian12" });
  });
  afterAll(async () => {
    await plant?.[Symbol.asyncDispose]();
  });

  it("is refused with a way out, and nothing on it is changed", async () => {
    const files = (): Promise<string> => plant.sh("sh", "-c", "find /etc /opt /srv /usr /var/lib -printf '%p %T@ %C@\\n' | sort");
    const before = await files();
    const error = errorOf(await plant.run("host", "bootstrap", "--yes"));
    expect(error).toMatchObject({ code: "HOST_UNSUPPORTED", subject: "docker.source", hint: expect.stringContaining("Debian 13") as string });
    expect(errorOf(await plant.run("host", "check"))).toEqual(error);
    expect(await files()).toBe(before);
  });
});
