import { isIP, isIPv4 } from "node:net";
import * as z from "zod";
import { parseRange } from "./address-range.ts";
import { hostKeyType } from "./host-key.ts";

/**
 * The scalars of site.yaml. Every text is kept to what arrives unharmed in a container, whatever file format carries it: quotes, `$`, `{{`
 * and `#` are for the renderer to quote, but no format can carry control characters, and `<<secret` is our own mark.
 */
const TEXT = /^(?!\s)(?!.*<<secret)[^\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u{FEFF}\u{202A}-\u{202E}\u{2066}-\u{2069}]*(?<!\s)$/u;

export function isPlainText(value: string): boolean {
  return TEXT.test(value);
}

export const TEXT_RULE = "must be one line of plain text: no control or private-use characters, no blanks at its ends, and not the mark `<<secret`";

export function text(maximum: number) {
  return z.string().min(1, "must not be empty").max(maximum, `must be at most ${maximum} characters long`).regex(TEXT, TEXT_RULE);
}

const UNITS = { s: 1, min: 60, h: 3600 } as const;
const DURATION = /^(\d{1,6})(s|min|h)$/;

/** `90s`, `5min`, `1h` → seconds. */
export const duration = z.codec(z.string().regex(DURATION, "must be a duration such as 90s, 5min or 1h"), z.number(), {
  decode: (written) => {
    const [, count, unit] = DURATION.exec(written) ?? [];
    return Number(count) * UNITS[unit as keyof typeof UNITS];
  },
  encode: (seconds) => `${seconds}s`,
});

/** `500ms`, `2s` → seconds: for times that a person only just notices. */
export const shortDuration = z.codec(z.string().regex(/^\d{1,5}(ms|s)$/, "must be a short time such as 500ms or 2s"), z.number(), {
  decode: (written) => (written.endsWith("ms") ? Number(written.slice(0, -2)) / 1000 : Number(written.slice(0, -1))),
  encode: (seconds) => `${Math.round(seconds * 1000)}ms`,
});

const MIB = 1024 ** 2;
const SIZE = /^(\d{1,7}(?:\.\d{1,3})?)(MiB|GiB)$/;

/** `16GiB`, `512MiB` → bytes. */
export const byteSize = z.codec(z.string().regex(SIZE, "must be a size such as 16GiB or 512MiB"), z.number(), {
  decode: (written) => {
    const [, count, unit] = SIZE.exec(written) ?? [];
    return Math.round(Number(count) * (unit === "GiB" ? 1024 * MIB : MIB));
  },
  encode: (bytes) => `${Math.round(bytes / MIB)}MiB`,
});

export const siteName = z
  .string()
  .max(30, "must be at most 30 characters long")
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "must be lower-case letters and digits, words joined by single hyphens, such as acme-pumps");

export const environmentName = z
  .string()
  .regex(/^(?!(?:blue|green)$)[a-z][a-z0-9]{0,15}$/, "must be up to 16 lower-case letters and digits, such as production; not blue or green");

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST_NAME = new RegExp(String.raw`^(?=.{1,253}$)(?!.*\.\d+$)(?!\d+$)${LABEL}(?:\.${LABEL})*$`);

export const domain = z.string().regex(HOST_NAME, "must be a host name in lower case, such as erp.acme.example");

export const hostAddress = z
  .string()
  .max(253)
  .regex(/^[a-z0-9.:-]+$/, "must be an IP address or a host name in lower case")
  .refine((value) => isIP(value) !== 0 || HOST_NAME.test(value), "must be an IP address or a host name in lower case");

/** The engine publishes ports of containers, which have IPv4 addresses only, on no other: it would leave one of IPv6 out without a word. */
export const publishAddress = z
  .string()
  .regex(/^[0-9.]+$/, { error: "must be an IPv4 address: the Docker engine publishes nothing on IPv6 here", abort: true })
  .refine(isIPv4, "must be an IPv4 address");

function isRange(value: string): boolean {
  const [address = "", bits = ""] = value.split("/");
  return isIP(address) !== 0 && Number(bits) <= (isIPv4(address) ? 32 : 128);
}

export const addressRange = z
  .string()
  .regex(/^[0-9a-fA-F.:]+\/\d{1,3}$/, "must be an address range such as 192.168.10.0/24")
  .refine(isRange, { error: "must be an IP address and how many of its bits are fixed, such as 192.168.10.0/24", abort: true })
  .refine((value) => parseRange(value) !== undefined, "must be an address range whose address is its first one, such as 192.168.10.0/24");

export const port = z.int().min(1).max(65535);

export const accountName = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be the name of a Linux account");

export const email = z.string().regex(/^[A-Za-z0-9._+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be an e-mail address");

/** A file of the site folder that holds a certificate. */
export const certificateFile = z
  .string()
  .regex(/^certificates\/[a-zA-Z0-9_-][a-zA-Z0-9_.-]*$/, "must be a file in the site's folder certificates/, such as certificates/production.pem");

/** A server by its name or IPv4 address, with its port when that is not the usual one. */
export const serverName = z
  .string()
  .max(260)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[1-9]\d{0,4})?$/, {
    error: "must be a server's name or address, with a port if need be, such as s3.example.com or 10.0.0.9:9000",
    abort: true,
  })
  .refine((value) => Number(value.split(":")[1] ?? 0) <= 65_535, "must have a port up to 65535");

/** A folder of a repository away from the host. */
export const folderPath = z
  .string()
  .max(200)
  .regex(/^\/([A-Za-z0-9_-][A-Za-z0-9_.-]*(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*)?$/, "must be a path such as /plant, without a slash at its end");

/** A server's key as `ssh-keyscan` prints it, without the server's name. */
export const hostKey = z
  .string()
  .max(4000)
  .regex(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/, {
    error: "must be a key as ssh-keyscan prints it, without the server's name, such as ssh-ed25519 AAAA…",
    abort: true,
  })
  .refine((value) => hostKeyType(Buffer.from(value.split(" ")[1] ?? "", "base64")) === value.split(" ")[0], "is a damaged key");

export const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and dashes");

export const moduleName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, "must be the technical name of an Odoo module, such as mrp");
