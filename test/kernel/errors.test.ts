import { describe, expect, it } from "vitest";
import { fromErrorRecord, isErrorCode, toErrorRecord } from "../../src/kernel/error-record.ts";
import { ERROR_CODES } from "../../src/kernel/error-codes.ts";
import { asMillwrightError, folderRefused, MillwrightError } from "../../src/kernel/errors.ts";
import { Secret } from "../../src/kernel/secret.ts";

describe("an error", () => {
  it("carries the exit status of its code", () => {
    expect(new MillwrightError("LOCK_HELD", "busy").exit).toBe(5);
  });

  it("keeps its cause", () => {
    const cause = new Error("socket");
    expect(new MillwrightError("LINK_LOST", "gone", { cause }).cause).toBe(cause);
  });

  it("travels as a record and comes back the same", () => {
    const error = new MillwrightError("PLAN_STALE", "changed", { subject: "acme-production", hint: "plan again", details: ["a", "b"] });
    const back = fromErrorRecord(JSON.parse(JSON.stringify(toErrorRecord(error))));
    const parts = ({ code, message, subject, hint, details }: MillwrightError): readonly unknown[] => [code, message, subject, hint, details];
    expect(parts(back)).toEqual(parts(error));
  });

  it("comes back as INTERNAL, with its words kept, when its code is not known here", () => {
    const back = fromErrorRecord({ code: "FROM_THE_FUTURE", message: "something new" });
    expect([back.code, back.message]).toEqual(["INTERNAL", "FROM_THE_FUTURE: something new"]);
  });

  it("travels without the secrets in its words", () => {
    const secret = new Secret("super-secret-value");
    const record = toErrorRecord(
      new MillwrightError("INTERNAL", `bad ${secret.reveal()}`, { details: [secret.reveal()], hint: secret.reveal(), subject: secret.reveal() }),
    );
    expect(JSON.stringify(record)).not.toContain("super-secret-value");
  });

  it("of another class becomes INTERNAL with its cause", () => {
    const cause = new TypeError("x is undefined");
    expect(asMillwrightError(cause)).toMatchObject({ code: "INTERNAL", message: "x is undefined", cause });
  });
});

describe("what the system says of a file", () => {
  const systemError = (code: string, path?: string): Error =>
    Object.assign(new Error(`${code}: words of the system`), { code, ...(path === undefined ? {} : { path }) });

  it("is no fault of ours when the account may not, or the file system is read-only", () => {
    for (const code of ["EACCES", "EPERM", "EROFS"]) {
      const error = asMillwrightError(systemError(code, "/srv/sites/acme/known_hosts"));
      expect([error.code, error.subject, error.exit]).toEqual(["FILE_REFUSED", "/srv/sites/acme/known_hosts", 1]);
      expect(error.hint).toBeDefined();
    }
  });

  it("names a full disk, also when the system does not say which", () => {
    expect(asMillwrightError(systemError("ENOSPC", "/srv/sites/acme/build"))).toMatchObject({ code: "DISK_FULL", subject: "/srv/sites/acme/build" });
    expect(asMillwrightError(systemError("ENOSPC"))).toMatchObject({ code: "DISK_FULL", message: "The disk is full." });
  });

  it("is told of the folder that was asked for, not of the one that was tried", () => {
    for (const code of ["EACCES", "EROFS", "ENOTDIR", "ENOENT"]) {
      expect(folderRefused("/srv/acme", systemError(code, "/srv/.acme.new-x1"))).toMatchObject({ code: "FILE_REFUSED", subject: "/srv/acme" });
    }
    const full = systemError("ENOSPC", "/srv/acme");
    expect(folderRefused("/srv/acme", full)).toBe(full);
  });

  it("stays a fault of ours otherwise, such as a socket that refuses", () => {
    expect(asMillwrightError(systemError("EACCES")).code).toBe("INTERNAL");
    expect(asMillwrightError(systemError("ENOENT", "/srv/millwright/x/state/lock")).code).toBe("INTERNAL");
  });
});

describe("the error codes", () => {
  it("use only the exit statuses that are documented", () => {
    const statuses = new Set<number>(Object.values(ERROR_CODES).map(({ exit }) => exit));
    expect([...statuses].filter((status) => ![1, 2, 3, 4, 5, 6, 7, 130, 143].includes(status))).toEqual([]);
  });

  it("each say what they mean in one sentence", () => {
    for (const { means } of Object.values(ERROR_CODES)) expect(means).toMatch(/^[^ ].*\.$/);
  });

  it("each say what to do next, which an error says that knows nothing better", () => {
    for (const { next } of Object.values(ERROR_CODES)) expect(next).toMatch(/^[^ ].*\.$/);
    expect(new MillwrightError("DOCKER_DOWN", "x").hint).toBe(ERROR_CODES.DOCKER_DOWN.next);
    expect(new MillwrightError("DOCKER_DOWN", "x", { hint: "Better." }).hint).toBe("Better.");
  });

  it("do not take names of Object's own for codes", () => {
    expect(isErrorCode("constructor")).toBe(false);
  });
});
