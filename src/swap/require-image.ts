import type { Docker } from "../docker/docker.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Release } from "../release/release-file.ts";

/** Throws IMAGE_MISSING while a release's image is not on the host. */
export async function requireImage({ docker }: { readonly docker: Docker }, { id, image }: Release): Promise<void> {
  if ((await docker.image(image)) !== undefined) return;
  throw new MillwrightError("IMAGE_MISSING", `The host does not have the image of release ${id}.`, {
    subject: image,
    hint: `Bring it from the engine that built it, \`millwright release push ${id} --docker SOCKET\`, or from another host, \`--from ENV\`; or build it here: \`millwright release build\`.`,
  });
}
