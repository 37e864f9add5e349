import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { dockerError } from "./docker-error.ts";

/**
 * A call that carries a stream to the engine; `send` ends when the engine has answered all. Whichever of the two fails first ends the other and is what is thrown: dockerode does not
 * look at the stream's errors, and the engine would wait for the rest of one that broke off.
 */
export async function upload(archive: Readable, subject: string, send: (stream: Readable, signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const stream = new PassThrough();
  const ended = new AbortController();
  const sent = send(stream, ended.signal).catch((error: unknown) => {
    throw dockerError(error, subject);
  });
  try {
    await Promise.all([sent, pipeline(archive, stream)]);
  } catch (error) {
    ended.abort();
    stream.destroy();
    throw error;
  }
}
