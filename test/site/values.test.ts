import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { parseRange, rangeHolds, rangesOverlap } from "../../src/site/address-range.ts";
import { didYouMean } from "../../src/site/did-you-mean.ts";
import { byteSize, domain, duration, publishAddress, text } from "../../src/site/site-values.ts";

describe("the values of site.yaml", () => {
  it.each([
    ["90s", 90],
    ["5min", 300],
    ["1h", 3600],
  ])("read the duration %s", (written, seconds) => expect(duration.decode(written)).toBe(seconds));

  it.each(["90", "1d", "-1s", "1.5h", " 1s"])("refuse the duration %j", (written) => expect(duration.safeDecode(written).success).toBe(false));

  it.each([
    ["16GiB", 16 * 1024 ** 3],
    ["512MiB", 512 * 1024 ** 2],
    ["3.5GiB", 3.5 * 1024 ** 3],
  ])("read the size %s", (written, bytes) => expect(byteSize.decode(written)).toBe(bytes));

  it.each(["16GB", "16", "GiB", "1e3MiB"])("refuse the size %j", (written) => expect(byteSize.safeDecode(written).success).toBe(false));

  it.each(["erp.acme.example", "erp", "a-b.c1.d"])("take %s as a domain", (name) => expect(domain.safeParse(name).success).toBe(true));

  it.each(["ERP.acme.example", "-a.b", "a..b", "10.0.0.1", "a.b:80", "https://a.b", "a_b.c", ""])("refuse %j as a domain", (name) =>
    expect(domain.safeParse(name).success).toBe(false),
  );

  it.each(["0.0.0.0", "192.0.2.7"])("publish on %s", (address) => expect(publishAddress.safeParse(address).success).toBe(true));

  it.each(["::", "2001:db8::7", "::ffff:192.0.2.7", "192.0.2", "192.0.2.256", "erp1", ""])("do not publish on %j", (address) =>
    expect(publishAddress.safeParse(address).success).toBe(false),
  );

  it("take no text that a line of any file could not carry", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), (value) => {
        if (!text(100).safeParse(value).success) return;
        expect(value).toBe(value.trim());
        expect(value).not.toMatch(/[\p{Cc}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(Buffer.from(value).toString()).toBe(value);
      }),
    );
  });
});

describe("address ranges", () => {
  const range = (written: string) => parseRange(written) ?? expect.fail(`${written} is no range`);

  it.each(["10.0.0.1/8", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/8/8", "x/8", "::1/64"])("refuse %s", (written) => expect(parseRange(written)).toBeUndefined());

  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["fd00::/8", "fd12:3456::1", true],
    ["fd00::/8", "fe80::1", false],
    ["::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true],
    ["10.0.0.0/8", "fd00::1", false],
    ["10.0.0.0/8", "host.example", false],
  ])("%s with %s: %s", (written, address, holds) => expect(rangeHolds(range(written), address)).toBe(holds));

  it("overlap when one lies in the other", () => {
    expect(rangesOverlap(range("10.0.0.0/8"), range("10.9.0.0/24"))).toBe(true);
    expect(rangesOverlap(range("10.9.0.0/24"), range("10.0.0.0/8"))).toBe(true);
    expect(rangesOverlap(range("10.8.0.0/24"), range("10.9.0.0/24"))).toBe(false);
  });
});

describe("did you mean", () => {
  it.each([
    ["sesions", "sessions"],
    ["odo", "odoo"],
    ["envrionments", "environments"],
    ["SWAP", "swap"],
    ["zzz", undefined],
  ])("takes %s for %s", (typed, meant) => expect(didYouMean(typed, ["sessions", "odoo", "environments", "swap"])).toBe(meant));
});
