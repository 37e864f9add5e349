/**
 * Why a value that a person chose cannot be a secret; undefined when it can. On the host it stands unquoted in odoo.conf, .pgpass, Redis's
 * ACL and JSON: only characters that none of them gives a meaning.
 */
export function secretProblem(value: string): string | undefined {
  // Shorter ones could not be masked in output without masking ordinary words with them.
  if (value.length < 8) return "it has fewer than 8 characters";
  if (value.length > 200) return "it has more than 200 characters";
  if (!/^[A-Za-z0-9]/.test(value)) return "it begins with neither a letter nor a digit";
  return /^[A-Za-z0-9!*+,./=@^_~-]+$/.test(value) ? undefined : "it holds something else than letters, digits and ! * + , - . / = @ ^ _ ~";
}
