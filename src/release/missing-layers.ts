/**
 * The layers of an image that a host lacks. A layer store keeps layers as chains from the base up, so a layer is there only if
 * everything below it is too: what counts is the longest chain that some image of the host shares with this one.
 */
export function missingLayers(layers: readonly string[], imagesOnHost: readonly (readonly string[])[]): readonly string[] {
  let shared = 0;
  for (const other of imagesOnHost) {
    let length = 0;
    while (length < layers.length && layers[length] === other[length]) length += 1;
    shared = Math.max(shared, length);
  }
  return layers.slice(shared);
}
