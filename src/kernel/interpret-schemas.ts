import { config } from "zod";

// zod compiles each schema to code before its first use, which pays for a server. A process here checks most of its schemas once.
// Imported before any schema is made: it is then that zod looks.
config({ jitless: true });
