import { zipSync } from 'fflate';
import type { BundleFiles } from './bundle-files.ts';

/** The first time that a zip file can name: the files of a bundle state their own. */
const NO_TIME = new Date(1980, 0, 1);

/** The files as a zip file, the same bytes for the same files. */
export function zip(files: BundleFiles): Uint8Array {
  return zipSync(Object.fromEntries(files), { level: 6, mtime: NO_TIME });
}
