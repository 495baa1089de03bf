/** Milliseconds of processor time that this process has used, collection of garbage included: others do not count. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
