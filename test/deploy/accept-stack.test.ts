import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Stack, stackId } from "../../src/blueprint/stack.ts";
import { acceptStack, verifyStack } from "../../src/deploy/accept-stack.ts";
import { readStack, removeOldStacks, setCurrentStack, storeStack } from "../../src/deploy/stack-store.ts";
import { fixtureStack, STACK } from "./fixture-stack.ts";
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
