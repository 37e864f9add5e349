/** Asking a person. The wizard and the commands ask through this; tests answer through it. */
export interface Ask {
  /** False without a terminal: then every method throws ANSWER_MISSING. */
  readonly interactive: boolean;
  input(question: InputQuestion): Promise<string>;
  number(question: NumberQuestion): Promise<number>;
  confirm(question: ConfirmQuestion): Promise<boolean>;
  select(question: SelectQuestion): Promise<string>;
  /** Shows nothing of what is typed. */
  secret(question: AskedQuestion): Promise<string>;
}

export interface AskedQuestion {
  /** Key in the answers file. */
  readonly key: string;
  /** What to type on the command line instead, such as `--yes` or `--set domain=…`. */
  readonly flag: string;
  readonly message: string;
  /** One line above the question; empty for none. */
  readonly explanation: string;
}

export interface InputQuestion extends AskedQuestion {
  readonly default?: string;
  /** True, or what is wrong. */
  readonly validate?: (value: string) => true | string;
}

export interface NumberQuestion extends AskedQuestion {
  readonly default?: number;
  readonly validate?: (value: number) => true | string;
}

export interface ConfirmQuestion extends AskedQuestion {
  readonly default?: boolean;
}

export interface SelectQuestion extends AskedQuestion {
  readonly default?: string;
  readonly choices: readonly Choice[];
}

export interface Choice {
  readonly value: string;
  readonly name: string;
}
