import type { AnswerKey } from "./answers.ts";
import { QUESTIONS } from "./questions.ts";

export interface QuestionRow {
  readonly key: AnswerKey;
  readonly question: string;
  /** What it takes: the choices, or the kind of value. */
  readonly takes: string;
  /** Taken without a terminal; empty when it must be given. */
  readonly assumed: string;
  readonly explanation: string;
}

const TAKES = { input: "text", number: "number", confirm: "yes or no", select: "" } as const;

/** The wizard's questions for `new --list` and the documentation. */
export function describeQuestions(): readonly QuestionRow[] {
  return QUESTIONS.map((question) => {
    const proposal = question.propose?.({ company: "Acme Pumps", domain: "erp.acme.example" });
    const assumed = proposal === "" ? "none" : typeof proposal === "boolean" ? (proposal ? "yes" : "no") : String(proposal ?? "");
    return {
      key: question.key,
      question: question.message,
      takes: question.choices?.map(({ value }) => value).join(", ") ?? TAKES[question.kind],
      assumed: question.assumed === true ? assumed : "",
      explanation: question.explanation,
    };
  });
}
