import { spawnSync } from 'node:child_process';

const MINIMUM = 17;

/** Java is missing or too old; the message is one sentence that says so and how to get it. */
export class JavaMissingError extends Error {
  constructor(finding: string) {
    super(
      `DynamoDB Local needs Java ${MINIMUM} or newer on the PATH, but ${finding}: install it with ` +
        `"apt-get install openjdk-17-jre-headless" (Debian, Ubuntu) or "brew install openjdk@17" (macOS, then add ` +
        `its bin directory to the PATH).`,
    );
    this.name = 'JavaMissingError';
  }
}

/** Throws JavaMissingError unless the `java` on the PATH runs and is new enough. */
export function requireJava(): void {
  const { status, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  // On macOS without Java, a `java` that only tells so exists and fails.
  if (status !== 0) throw new JavaMissingError('no working "java" was found');
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(stderr) ?? [];
  // Up to Java 8 the version was written 1.8.
  const major = Number(first === '1' ? second : first);
  if (!(major >= MINIMUM)) throw new JavaMissingError(`"java" is version ${major || 'unknown'}`);
}
