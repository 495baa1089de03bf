import { Gunzip, gunzipSync } from 'node:zlib';

/** What is packed, by the stream that should unpack it. */
const packed = new WeakMap<object, Uint8Array>();

const atOnce = {
  end(bytes: Uint8Array) {
    packed.set(this, bytes);
    return this;
  },
  async *[Symbol.asyncIterator]() {
    yield gunzipSync(packed.get(this) ?? new Uint8Array());
  },
};

/**
 * Lets streams unzip at once, on the one thread whose turns a scheduler gives, until the function that this returns is
 * called: what zlib does in threads of its own ends when it likes, and a history would not depend on its seed alone.
 */
export function unzipAtOnce(): () => void {
  const prototype: Partial<typeof atOnce> = (Gunzip as unknown as { readonly prototype: object }).prototype;
  Object.assign(prototype, atOnce);
  return () => {
    // What they inherit comes to light again.
    delete prototype.end;
    delete prototype[Symbol.asyncIterator];
  };
}
