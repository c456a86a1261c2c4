/**
 * Files by reverse requests, for an adapter that runs where it can read none: 'llext/readFile' {path} -> {data: base64},
 * 'llext/listFolder' {path} -> {names}, 'llext/capstoneWasm' -> {data: base64}.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { AdapterServices } from './services';

export type SendRequest = (
  command: string,
  args: Readonly<Record<string, string>>,
  answer: (response: DebugProtocol.Response) => void,
) => void;

interface FileResponse {
  readonly data?: string;
  readonly names?: readonly string[];
}

export function remoteServices(send: SendRequest): AdapterServices {
  const ask = (command: string, args: Readonly<Record<string, string>>): Promise<FileResponse> =>
    new Promise((resolve, reject) =>
      send(command, args, (response) => {
        if (response.success) resolve((response.body ?? {}) as FileResponse);
        else reject(new Error(response.message ?? `${command} failed`));
      }),
    );
  const bytes = async (command: string, args: Readonly<Record<string, string>>): Promise<Uint8Array> => {
    const { data } = await ask(command, args);
    return Uint8Array.from(atob(data ?? ''), (char) => char.charCodeAt(0));
  };
  return {
    files: {
      read: (path) => bytes('llext/readFile', { path }),
      // A page that says why there is no such folder says that there is none.
      list: async (path) => (await ask('llext/listFolder', { path }).catch((): FileResponse => ({}))).names ?? [],
    },
    capstoneWasm: () => bytes('llext/capstoneWasm', {}),
  };
}
