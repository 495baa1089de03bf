/** What was true of something, and from which step on. */
export class Timeline<T> {
  readonly #moments = new Map<string, { readonly step: number; readonly value: T | undefined }[]>();

  /** From this step on it is like this; `undefined` says that it is gone. Steps never fall. */
  set(key: string, step: number, value: T | undefined): void {
    const moments = this.#moments.get(key) ?? [];
    moments.push({ step, value });
    this.#moments.set(key, moments);
  }

  /** How it is after all that was told so far. */
  last(key: string): T | undefined {
    return this.#moments.get(key)?.at(-1)?.value;
  }

  /** How it was when this step was over. */
  at(key: string, step: number): T | undefined {
    return this.#moments.get(key)?.findLast((moment) => moment.step <= step)?.value;
  }

  /** All that it was between two steps: how it stood at the first, and each change up to the last. */
  during(key: string, start: number, end: number): (T | undefined)[] {
    const later = (this.#moments.get(key) ?? []).filter(({ step }) => step > start && step <= end);
    return [this.at(key, start), ...later.map(({ value }) => value)];
  }

  keys(): string[] {
    return [...this.#moments.keys()];
  }
}
