import { writeFile } from "node:fs/promises";
import { siteJsonSchema } from "./site-json-schema.ts";

// Run by `npm run schema`; a test keeps the file equal to what this writes.
await writeFile(new URL("../../docs/site.schema.json", import.meta.url), `${JSON.stringify(siteJsonSchema(), undefined, 2)}\n`);
