import { describe, expect, it } from "vitest";
import { type ImageFacts, imageConfig, imageId } from "../../src/release/image-config.ts";
import { releaseImage } from "../../src/release/release-image.ts";
import { DIGEST, layer } from "./fixtures.ts";

const base: ImageFacts = {
  layers: [layer("base 1"), layer("base 2")],
  created: "2026-11-01T00:00:00Z",
  os: "linux",
  architecture: "amd64",
  variant: "",
  config: { Env: ["PATH=/usr/bin:/bin", "LANG=C"], Cmd: ["odoo"], User: "odoo", Labels: { vendor: "x" }, Volumes: { "/var/lib/odoo": {} } },
};
const own = { baseDigest: DIGEST, requirements: undefined, addons: layer("addons") };
const withPackages = { ...own, requirements: { key: "k1", diffId: layer("packages") } };

describe("the image of a release", () => {
  it("is its base with the addons on top", () => {
    const image = releaseImage(base, own);
    expect(image.layers).toEqual([...base.layers, layer("addons")]);
    expect(image.config).toMatchObject({ Cmd: ["odoo"], User: "odoo", Labels: { vendor: "x", "org.opencontainers.image.base.digest": DIGEST } });
  });

  it("has the Python packages below the addons, and Python and the shell find them", () => {
    const image = releaseImage(base, withPackages);
    expect(image.layers.slice(2)).toEqual([layer("packages"), layer("addons")]);
    expect(image.config["Env"]).toEqual(["PATH=/usr/bin:/bin:/opt/millwright/python/bin", "LANG=C", "PYTHONUSERBASE=/opt/millwright/python"]);
  });

  it("is another one when base, packages or addons are", () => {
    const images = [
      releaseImage(base, own),
      releaseImage(base, withPackages),
      releaseImage(base, { ...withPackages, requirements: { key: "k1", diffId: layer("others") } }),
      releaseImage(base, { ...own, addons: layer("others") }),
      releaseImage({ ...base, layers: [layer("base 1")] }, own),
      releaseImage({ ...base, config: { ...base.config, Cmd: ["sh"] } }, own),
    ];
    expect(new Set(images.map((image) => imageId(imageConfig(image)))).size).toBe(images.length);
  });
});

describe("the configuration of an image", () => {
  it("is the same for all ways in which engines tell of it", () => {
    const image = releaseImage(base, withPackages);
    const told = { ...image, config: { Hostname: "", OnBuild: null, Entrypoint: null, WorkingDir: "", ExposedPorts: {}, ...image.config } };
    expect(imageConfig(told)).toBe(imageConfig(image));
  });

  it("tells each layer's origin, one line a layer", () => {
    const { history } = JSON.parse(imageConfig(releaseImage(base, withPackages))) as { history: { created_by: string }[] };
    expect(history.map((line) => line.created_by)).toEqual(["base image", "base image", "Python packages", "addons"]);
  });

  it("keeps its bytes from version to version of millwright, since they name the images of the releases there are", () => {
    expect(imageId(imageConfig(releaseImage(base, withPackages)))).toMatchInlineSnapshot(
      `"sha256:780ea6b376e735dda1cfb2227fee71cf7f29f1be6f5689f305e952ef9c7150e2"`,
    );
  });
});
