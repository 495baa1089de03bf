import { unzipSync, zipSync } from 'fflate';
import type { BundleFiles } from './bundle-files.ts';

/** The first time that a zip file can name: the files of a bundle state their own. */
const NO_TIME = new Date(1980, 0, 1);

/** The files as a zip file, the same bytes for the same files. */
export function zip(files: BundleFiles): Uint8Array {
  return zipSync(Object.fromEntries(files), { level: 6, mtime: NO_TIME });
}

/** Whether a zip file holds these files and no other, whatever version of the compressor made it. */
export function holdsFiles(bytes: Uint8Array, files: BundleFiles): boolean {
  let entries = 0;
  try {
    const found = unzipSync(bytes, {
      // Nothing is unpacked that is longer than what it should be.
      filter: ({ name, originalSize }) => {
        entries += 1;
        return files.get(name)?.length === originalSize;
      },
    });
    const isSame = ([name, content]: readonly [string, Uint8Array]) =>
      found[name] !== undefined && Buffer.compare(found[name], content) === 0;
    return entries === files.size && [...files].every(isSame);
  } catch {
    return false;
  }
}
