const NAME = /^[A-Za-z0-9._-]{1,128}$/;

/** Names of namespaces and secrets: 1 to 128 of `A-Z a-z 0-9 . _ -`, but not `.` or `..`, which paths swallow. */
export function isName(text: string): boolean {
  return NAME.test(text) && text !== '.' && text !== '..';
}
