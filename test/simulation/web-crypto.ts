/** What WebCrypto has under way. It verifies the signatures of access tokens, in threads that no scheduler sees. */
const underWay = new Set<Promise<unknown>>();

export function isWebCryptoBusy(): boolean {
  return underWay.size > 0;
}

/** Resolves once what is under way now is done. */
export async function webCryptoSettled(): Promise<void> {
  await Promise.allSettled(underWay);
}

type Work = (...values: never[]) => Promise<unknown>;

/** Keeps count of what WebCrypto has under way, until the function that this returns is called. */
export function watchWebCrypto(): () => void {
  const { subtle } = crypto;
  const { importKey, verify } = subtle;
  const replace = (first: Work, second: Work): void => {
    Object.defineProperties(subtle, {
      importKey: { configurable: true, value: first },
      verify: { configurable: true, value: second },
    });
  };
  replace(watched(importKey.bind(subtle)), watched(verify.bind(subtle)));
  return () => replace(importKey, verify);
}

function watched(work: Work): Work {
  return (...values) => {
    const result = work(...values);
    const forget = (): void => {
      underWay.delete(done);
    };
    const done = result.then(forget, forget);
    underWay.add(done);
    return result;
  };
}
