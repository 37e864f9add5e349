import { describe, expect, it } from "vitest";
import { lockedReference, readImageLock, writeImageLock } from "../../src/blueprint/image-lock.ts";

const digest = `sha256:${"a".repeat(64)}`;
const lock = {
  version: 1 as const,
  images: { redis: { source: "redis:8", digest, lockedAt: "2026-11-24" }, odoo: { source: "odoo:19", digest, lockedAt: "2026-11-24" } },
};

describe("image lock", () => {
  it("reads back what it wrote, dates as text", () => {
    expect(readImageLock(writeImageLock(lock))).toEqual(lock);
  });

  it("writes the same bytes whatever the order of the images", () => {
    expect(writeImageLock({ version: 1, images: { odoo: lock.images.odoo, redis: lock.images.redis } })).toBe(writeImageLock(lock));
  });

  it("names an image by tag and digest", () => {
    expect(lockedReference(lock, "odoo", "odoo:19")).toBe(`odoo:19@${digest}`);
  });

  it.each([
    ["an image that is not in the lock", "traefik", "traefik:v3.7"],
    ["an image that was locked for another tag", "odoo", "odoo:18"],
    ["a name of the prototype", "constructor", undefined],
  ])("refuses %s with the command that mends it", (_, name, source) => {
    expect(() => lockedReference(lock, name, source)).toThrow(expect.objectContaining({ code: "IMAGE_NOT_LOCKED", hint: "millwright lock" }));
  });

  it("says in which line of a mistyped file is what", () => {
    const text = writeImageLock(lock).replace("source: odoo:19", "sorce: odoo").replace(digest, "sha256:00");
    const details = [
      "images.lock.yaml:6:5  images.odoo.digest: must be sha256: and 64 digits of 0-9 and a-f",
      "images.lock.yaml:4:3  images.odoo.source: is missing",
      'images.lock.yaml:5:5  images.odoo.sorce: is not a key that is known here (did you mean "source"?)',
    ];
    expect(() => readImageLock(text)).toThrow(
      expect.objectContaining({ details: expect.arrayContaining(details), hint: expect.stringContaining("remove it and run `millwright lock`") }),
    );
  });

  it.each(["version: 2\nimages: {}\n", "images: [", `version: 1\nimages: {a: {source: "a:1", digest: "sha256:00", lockedAt: x}}\n`, "images: *nothing\n"])(
    "refuses a file of another form: %j",
    (text) => {
      expect(() => readImageLock(text)).toThrow(expect.objectContaining({ code: "SITE_INVALID" }));
    },
  );
});
