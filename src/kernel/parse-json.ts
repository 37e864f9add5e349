/** Undefined for what is not JSON: for lines that may be something else, and texts whose parser's words would quote a secret. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
