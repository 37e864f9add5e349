import { describe, expect, it } from "vitest";
import { installError, installScript } from "../../src/release/requirements.ts";

const wheels = { folder: "/tmp/wheels", hashes: {} };

describe("the installation of requirements", () => {
  it("insists on hashes when the file has them", () => {
    expect(installScript({ requirements: "barcode==1.0" })).not.toContain("--require-hashes");
    expect(installScript({ requirements: "barcode==1.0 --hash=sha256:0" })).toContain("--require-hashes");
  });

  it("looks at no index when the wheels are there", () => {
    expect(installScript({ requirements: "barcode==1.0" })).not.toContain("--no-index");
    expect(installScript({ requirements: "barcode==1.0", wheels })).toContain("--no-index --find-links /millwright/wheels");
  });

  it("takes nothing of the site into the words that are run", () => {
    expect(installScript({ requirements: "$(reboot)" })).not.toContain("reboot");
  });

  it("fails with pip's own reason, and names the wheels where a package was not to be had", () => {
    const error = installError(["Collecting barcode", "ERROR: No matching distribution found for barcode"]);
    expect(error).toMatchObject({ code: "BUILD_FAILED", subject: "requirements.txt", hint: expect.stringContaining("wheels/") as string });
    expect(error.message).toContain("No matching distribution found for barcode");
    expect(error.details).toEqual(["Collecting barcode", "ERROR: No matching distribution found for barcode"]);
    expect(installError(["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"]).hint).not.toContain("wheels/");
  });
});
