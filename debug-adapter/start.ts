/** The adapter's program: the bundle beside it, which has main.ts and all that it needs, from compiled code where there is some. */
import { join } from 'node:path';
import { codeCacheFolder, runBundle } from './code-cache';

runBundle(join(__dirname, 'debug-adapter-main.js'), codeCacheFolder(process.env, process.platform));
