/** Never read into the database by a module update. `static/` and `tests/` are served or run as they are; templates of translations are not loaded. */
const NEVER = [
  /^static\//,
  /^tests\//,
  /^docs?\//,
  /^(README|LICENSE|LICENCE|COPYING|COPYRIGHT|CHANGELOG|CHANGES|HISTORY|AUTHORS|CONTRIBUTORS)(\.[a-z]+)?$/i,
  /^readme\//,
  /\.pot$/,
  /(^|\/)\.[^/]+$/,
];

/** Python folders and files whose whole purpose is the database, whatever their text says. */
const ALWAYS = /(^|\/)(models?|wizards?|reports?|migrations|upgrades)\/|(^|\/)(__init__|__manifest__|__openerp__|hooks?|post_install|pre_init|post_init)\.py$/;

/** Words without which Python code cannot define a model, a field or a constraint, hook into the registry, or write SQL. */
const TOUCHES_DATABASE =
  /\b(models|fields|api|registry|Registry|_inherits?|_name|_table|_auto|_order|_rec_name|_sql_constraints|_constraints|_register_hook|_auto_init|init_models|cr|cursor)\b/;

/**
 * Whether a change of this file can change what a module update would do to the database. When in doubt, yes: the price of a wrong yes
 * is an update that was not needed; of a wrong no, workers that fail with UndefinedColumn on live data. So data files of every kind
 * count, and a Python file is passed over only when nothing in its text can reach a model definition (a plain controller, a client of
 * some web service).
 */
export function isSchemaRelevant(path: string, text: () => string): boolean {
  if (NEVER.some((pattern) => pattern.test(path))) return false;
  if (!path.endsWith(".py")) return true;
  return ALWAYS.test(path) || TOUCHES_DATABASE.test(text());
}
