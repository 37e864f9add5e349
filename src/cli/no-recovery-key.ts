/** Said by whatever looks at the site folder, while there is none. */
export const NO_RECOVERY_KEY =
  "No recovery key: when the laptops of all operators are lost, nobody can open the backups. Run `millwright secrets recovery-key`.";
