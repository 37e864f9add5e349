import { type DocumentOptions, parseDocument, type ParseOptions, type SchemaOptions } from "yaml";
import { messageOf } from "./errors.ts";

export type ParsedYaml = { readonly kind: "data"; readonly data: unknown } | { readonly kind: "fault"; readonly fault: string };

/**
 * Plain data from YAML, or in one line why it is none. `parseDocument` collects errors instead of throwing, but an alias that refers to nothing,
 * or multiplies without end, throws only when the data is made.
 */
export function parseYaml(text: string, options: ParseOptions & DocumentOptions & SchemaOptions = {}): ParsedYaml {
  const document = parseDocument(text, options);
  const wrong = document.errors[0] ?? document.warnings[0];
  if (wrong !== undefined) return { kind: "fault", fault: firstLine(wrong.message) };
  try {
    return { kind: "data", data: document.toJS() };
  } catch (error) {
    return { kind: "fault", fault: firstLine(messageOf(error)) };
  }
}

function firstLine(message: string): string {
  return message.split("\n")[0]?.replace(/:$/, "") ?? "not valid YAML";
}
