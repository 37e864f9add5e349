import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Stack, type StackFacts, stackId } from "../../src/blueprint/stack.ts";
import { acceptStack, verifyStack } from "../../src/deploy/accept-stack.ts";
import { readStack, removeOldStacks, setCurrentStack, storeStack } from "../../src/deploy/stack-store.ts";
import { derive, fixtureStack, image, STACK } from "./fixture-stack.ts";
import { Host } from "./host.ts";

const withId = (stack: Stack): Stack => ({ ...stack, id: stackId(stack.facts, stack.files) });

describe("a stack from outside", () => {
  it("is stored whole and read again as it came", async () => {
    const host = await Host.make();
    const stack = fixtureStack();
    await acceptStack(host.paths, STACK, stack, []);
    expect(await readStack(host.paths, stack.id)).toEqual(stack);
  });

  it("is refused when its id is not the hash of its content", () => {
    const stack = fixtureStack();
    expect(() => verifyStack({ ...stack, files: stack.files.map((file) => ({ ...file, content: `${file.content} ` })) }, STACK)).toThrow(/hash of its content/);
  });

  it("is refused when it is for another stack", () => {
    expect(() => verifyStack(fixtureStack(), "acme-staging")).toThrow(/not for acme-staging/);
  });

  it("is refused when a path would leave its folder", () => {
    const stack = fixtureStack();
    expect(() => verifyStack({ ...stack, files: [...stack.files, { path: "edge/../../x", content: "" }] }, STACK)).toThrow(/STACK_INVALID|cannot be deployed/);
  });

  it("is refused when a file stands in the way of a folder, or comes twice", () => {
    const stack = fixtureStack(({ files }) => void (files["exporter/a"] = "x"));
    expect(() => verifyStack(stack, STACK)).toThrow(/both a file and a folder/);
    const twice = withId({ ...fixtureStack(), files: [...fixtureStack().files, ...fixtureStack().files.slice(0, 1)] });
    expect(() => verifyStack(twice, STACK)).toThrow(/twice/);
  });

  it("is refused by the host's own policy, whatever the sender's said", async () => {
    const host = await Host.make();
    const stack = fixtureStack(({ services }) => void Object.assign(services["edge"] ?? {}, { privileged: true }));
    await expect(acceptStack(host.paths, STACK, stack, [])).rejects.toMatchObject({ code: "STACK_REFUSED", details: [expect.stringContaining("privileged")] });
  });

  it("may name an image that it derives from one by digest, as what that is made of", async () => {
    const host = await Host.make();
    const stack = fixtureStack((made) => void derive(made));
    expect((await acceptStack(host.paths, STACK, stack, [])).id).toBe(stack.id);
  });

  it("is refused when it passes off another image as a derived one", async () => {
    const host = await Host.make();
    const forged = (say: Parameters<typeof derive>[1]): Stack => fixtureStack((made) => void derive(made, say));
    const verify = (stack: Stack): unknown => verifyStack(stack, STACK);
    expect(() => verify(forged((derived) => void (derived.image = "postgres:18")))).toThrow(/not what this host calls/);
    expect(() => verify(forged((derived) => void (derived.image = `millwright/database:${"0".repeat(16)}`)))).toThrow(/not what this host calls/);
    expect(() => verify(forged((derived) => void (derived.packages = ["netcat-openbsd"])))).toThrow(/not what this host calls/);
    expect(() => verify(forged((derived) => void (derived.base = image("elsewhere/postgres:18"))))).toThrow(/not what this host calls/);
    // Without a word of it in the facts it is a tag like any other.
    const silent = fixtureStack((made) => {
      derive(made);
      Object.assign(made.facts, { derived: [] });
    });
    await expect(acceptStack(host.paths, STACK, silent, [])).rejects.toMatchObject({
      code: "STACK_REFUSED",
      details: [expect.stringContaining("pinned-image") as string],
    });
  });

  it("is refused when the host would not have the base of a derived image, or would give apt more than names", () => {
    const unbased = fixtureStack((made) => {
      derive(made);
      Object.assign(made.facts, { images: [] });
    });
    expect(() => verifyStack(unbased, STACK)).toThrow(/not among its images/);
    for (const name of ["-o=APT::X", "pgbackrest-", "a b", "./x.deb", "$(reboot)", "pgbackrest=1", "pgbackrest/sid", ""]) {
      const stack = fixtureStack((made) => void derive(made));
      const derived = (stack.facts.derived ?? []).map((one) => ({ ...one, packages: [name] }));
      expect(() => verifyStack(withId({ ...stack, facts: { ...stack.facts, derived } }), STACK), name).toThrow(/must match pattern/);
    }
  });

  it("is refused with a waiver of its own, and taken with one of the host's", async () => {
    const host = await Host.make();
    const waiver = { rule: "privileged", service: "edge", reason: "Only the host's administrator may say so." };
    const stack = fixtureStack((made) => {
      Object.assign(made.services["edge"] ?? {}, { privileged: true });
      Object.assign(made.facts, { waived: [waiver] });
    });
    await expect(acceptStack(host.paths, STACK, stack, [])).rejects.toMatchObject({ code: "STACK_REFUSED", hint: expect.stringContaining("host bootstrap") });
    expect((await acceptStack(host.paths, STACK, stack, [waiver])).id).toBe(stack.id);
  });

  it("is refused when Compose would fill something in after the policy has looked", () => {
    const source = `/srv/millwright/${STACK}/data/\${X-..}/\${X-..}/\${X-..}/\${X-..}/etc`;
    const stack = fixtureStack(({ services }) => void Object.assign(services["edge"] ?? {}, { volumes: [`${source}:/x:ro`] }));
    expect(() => verifyStack(stack, STACK)).toThrow(/variable/);
  });

  it("is refused when it mounts another stack's data or makes folders outside its own", () => {
    const foreign = fixtureStack(
      ({ services }) => void Object.assign(services["edge"] ?? {}, { volumes: ["/srv/millwright/other-production/data/postgres:/x:ro"] }),
    );
    expect(() => verifyStack(foreign, STACK)).toThrow(/not this stack's/);
    const outside = fixtureStack((made) => Object.assign(made.facts, { directories: [{ path: "/etc/cron.d", uid: 0, gid: 0, mode: "0755" }] }));
    expect(() => verifyStack(outside, STACK)).toThrow(/right below/);
    const inside = fixtureStack((made) => Object.assign(made.facts, { directories: [{ path: "data/filestore/link", uid: 0, gid: 0, mode: "0755" }] }));
    expect(() => verifyStack(inside, STACK)).toThrow(/right below/);
  });

  it("is refused when a folder's path leads somewhere else than it reads: a link in a container's own folder could lead the agent anywhere", () => {
    const path = `/srv/millwright/${STACK}/data/filestore/link/../../cron.d`;
    const stack = fixtureStack((made) => Object.assign(made.facts, { directories: [{ path, uid: 1000, gid: 0, mode: "0777" }] }));
    expect(() => verifyStack(stack, STACK)).toThrow(/right below/);
  });

  it.each([
    ["traffic", { uid: 1000 }],
    ["traffic/stage", { mode: "0777" }],
    ["traffic/dynamic", { mode: "0775" }],
    ["data/agent-metrics", { uid: 1000 }],
  ])("is refused when it gives %s, which the agent writes to, to a container: %j", (path, over) => {
    const directories = [{ path: `/srv/millwright/${STACK}/${path}`, uid: 0, gid: 0, mode: "0755", ...over }];
    expect(() =>
      verifyStack(
        fixtureStack((made) => Object.assign(made.facts, { directories })),
        STACK,
      ),
    ).toThrow(/root's alone/);
  });

  it("is refused when it mounts another stack's data by a roundabout way", () => {
    const stack = fixtureStack(
      ({ services }) => void Object.assign(services["edge"] ?? {}, { volumes: [`/srv/millwright/${STACK}/../other-production/data/postgres:/x:ro`] }),
    );
    expect(() => verifyStack(stack, STACK)).toThrow(/not this stack's/);
  });

  it("is refused when a network is another stack's", () => {
    const made = fixtureStack();
    const files = made.files.map((file) => ({ ...file, content: file.content.replaceAll(`${STACK}_data`, "other-production_data") }));
    expect(() => verifyStack(withId({ ...made, files }), STACK)).toThrow(/network/);
  });

  it.each(["--build", "-d", "Web", "a.b"])("is refused when a service is called %s, which could be an option of Compose's", (name) => {
    const stack = fixtureStack(({ services }) => void (services[name] = services["exporter"] ?? {}));
    expect(() => verifyStack(stack, STACK)).toThrow(/name of a service/);
  });

  it("is refused, not stumbled over, when its YAML multiplies or refers to nothing", () => {
    for (const content of [
      "services: *nothing\n",
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(10)}]\nc: &c [${"*b,".repeat(10)}]\nservices: [${"*c,".repeat(10)}]\n`,
    ]) {
      const made = fixtureStack();
      const files = made.files.map((file) => (file.path === "platform/compose.yaml" ? { ...file, content } : file));
      expect(() => verifyStack(withId({ ...made, files }), STACK)).toThrow(expect.objectContaining({ code: "STACK_INVALID" }));
    }
  });

  it("is refused when the order of services and the services differ", () => {
    expect(() =>
      verifyStack(
        fixtureStack((made) => Object.assign(made.facts, { services: ["edge", "database"] })),
        STACK,
      ),
    ).toThrow(/exporter has no place/);
  });
});

describe("the stacks on the host", () => {
  it("come whole when two operators send the same one at once", async () => {
    const host = await Host.make();
    const stack = fixtureStack();
    await Promise.all(Array.from({ length: 8 }, () => storeStack(host.paths, stack)));
    expect(await readStack(host.paths, stack.id)).toEqual(stack);
    expect(await readdir(host.paths.stacks)).toEqual([stack.id]);
  });

  it("are brought anew when what describes one is damaged", async () => {
    const host = await Host.make();
    const stack = fixtureStack();
    await storeStack(host.paths, stack);
    const manifest = join(host.paths.stacks, stack.id, ".stack.json");
    for (const text of ["", "{", '{"version":1}']) {
      await chmod(manifest, 0o644);
      await writeFile(manifest, text);
      await expect(readStack(host.paths, stack.id)).rejects.toMatchObject({ code: "STACK_INVALID", hint: expect.stringContaining("deploy") });
      await storeStack(host.paths, stack);
      expect(await readStack(host.paths, stack.id)).toEqual(stack);
    }
  });

  it("are read when a version before continuous backups has left them: they are what a failed deploy goes back to", async () => {
    const host = await Host.make();
    const { facts, files } = fixtureStack();
    const dumper = { name: "backup", secret: "db_backup", purpose: "backup", connectionLimit: 3 };
    for (const backup of [{ at: "03:00" }, undefined]) {
      const old = { ...facts, backup, roles: [...facts.roles, dumper] } as unknown as StackFacts;
      const id = stackId(old, files);
      await storeStack(host.paths, { version: 1, id, facts: old, files });
      const read = await readStack(host.paths, id);
      expect(read).toMatchObject({ id, facts: { backup: { at: backup?.at ?? "02:30", full: 0, keepDays: 14 }, roles: facts.roles } });
    }
  });

  it("are not believed when a person changed a file", async () => {
    const host = await Host.make();
    const stack = fixtureStack();
    await storeStack(host.paths, stack);
    const path = join(host.paths.stacks, stack.id, "edge/traefik.yaml");
    await chmod(path, 0o644);
    await writeFile(path, "evil");
    await expect(readStack(host.paths, stack.id)).rejects.toMatchObject({ code: "STACK_INVALID" });
    await storeStack(host.paths, stack);
    expect(await readStack(host.paths, stack.id)).toEqual(stack);
  });

  it("are kept five deep, and those in use for longer", async () => {
    const host = await Host.make();
    const made = Array.from({ length: 8 }, (_, index) => fixtureStack(({ files }) => void (files["edge/traefik.yaml"] = `# ${index}\n`)));
    for (const stack of made) {
      await storeStack(host.paths, stack);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await setCurrentStack(host.paths, made[0]?.id);
    await removeOldStacks(host.paths, [made[0]?.id ?? ""]);
    expect(new Set(await readdir(host.paths.stacks))).toEqual(new Set([made[0], ...made.slice(3)].map((stack) => stack?.id)));
  });
});
