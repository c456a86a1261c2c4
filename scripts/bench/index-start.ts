/** Starts index-time.ts as the product starts the adapter: from compiled code of an earlier start, where LLEXT_CODE_CACHE has some. */
import { join } from 'node:path';
import { codeCacheFolder, runBundle } from '../../debug-adapter/code-cache';

runBundle(join(__dirname, 'index-time.cjs'), codeCacheFolder(process.env, process.platform));
