/** Knows whether something is under way. */
export interface UnderWay {
  /** Counts a piece of work until it has ended, well or not. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves while nothing is under way: at once, or when the last piece has ended. */
  none(): Promise<void>;
}

export function countUnderWay(): UnderWay {
  const pieces = new Set<Promise<unknown>>();
  return {
    during(work) {
      const piece = work();
      const ended: Promise<unknown> = piece.catch(() => undefined).then(() => pieces.delete(ended));
      pieces.add(ended);
      return piece;
    },
    async none() {
      while (pieces.size > 0) await Promise.all(pieces);
    },
  };
}
