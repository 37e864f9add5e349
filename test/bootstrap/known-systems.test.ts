import { describe, expect, it } from "vitest";
import { distributionOf } from "../../src/bootstrap/known-systems.ts";

describe("distributionOf", () => {
  it("reads the system's name and version, with quotes or without", () => {
    expect(distributionOf('PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nVERSION="13 (trixie)"\nID=debian\n')).toBe("debian 13");
    expect(distributionOf('NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n')).toBe("ubuntu 24.04");
    expect(distributionOf("ID='opensuse-leap'\nVERSION_ID='15.6'\n")).toBe("opensuse-leap 15.6");
  });

  it("makes do without a version, or without the file", () => {
    expect(distributionOf("ID=arch\n")).toBe("arch");
    expect(distributionOf("")).toBe("unknown");
  });
});
