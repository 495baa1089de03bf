import { JavaMissingError, requireJava } from '../../local/java.ts';

/**
 * A `describe` whose tests need Java. Where it is missing they are skipped and the reason printed, so that tests which
 * need no store still run; under `CI` they fail instead.
 */
export function describeWithJava(name: string, define: () => void): void {
  const missing = findMissingJava();
  if (missing === undefined || process.env['CI']) {
    describe(name, define);
    return;
  }
  process.stderr.write(`Skipped "${name}": ${missing.message}\n`);
  describe.skip(name, define);
}

function findMissingJava(): JavaMissingError | undefined {
  try {
    requireJava();
    return undefined;
  } catch (error) {
    if (error instanceof JavaMissingError) return error;
    throw error;
  }
}
