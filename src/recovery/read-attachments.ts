import type { Psql } from "../swap/psql.ts";
import type { Attachment } from "./check-attachments.ts";

const COLUMNS = `store_fname, file_size, to_char(write_date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
/** By the first digit of the hash, and whatever does not begin with one. */
const PARTS = [..."0123456789abcdef".split("").map((digit) => `LIKE '${digit}%'`), "!~ '^[0-9a-f]'"];

/** Every file that Odoo's rows name, once each, in parts: all of a big plant at once would not fit into a run's memory. */
export async function* readAttachments(psql: Psql, database: string): AsyncGenerator<readonly Attachment[]> {
  for (const part of PARTS) {
    const sql = `SELECT DISTINCT ON (store_fname) ${COLUMNS} FROM ir_attachment WHERE store_fname ${part} ORDER BY store_fname, write_date;`;
    yield (await psql.query(database, sql)).map(([file = "", bytes = "0", at = ""]) => ({ file, size: Number(bytes), at }));
  }
}
