import { open } from "node:fs/promises";
import { isMissing } from "./durable-file.ts";

/** A part of a file, up to a limit, and the size of the whole; nothing when it is absent. */
export async function readPart(path: string, which: "first" | "last", limit: number): Promise<{ readonly bytes: Buffer; readonly size: number }> {
  let file;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return { bytes: Buffer.alloc(0), size: 0 };
    throw error;
  }
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, limit));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, which === "first" ? 0 : size - bytes.length);
    return { bytes: bytes.subarray(0, bytesRead), size };
  } finally {
    await file.close();
  }
}
