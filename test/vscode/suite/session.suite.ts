/** In a session, in the same way on both hosts: in the worker the adapter runs inside of the extension host. */
import * as vscode from 'vscode';
import { equal, find, hoverTexts, ok, openApi, rowNamed, rowsOf, waitFor, workspaceFile, type Api } from './support';

interface Message {
  readonly type: string;
  readonly event?: string;
  readonly command?: string;
  readonly body?: Record<string, unknown>;
}

interface Breakpoint {
  readonly verified: boolean;
  readonly reason?: string;
  readonly message?: string;
}

interface Frame {
  readonly name: string;
  readonly line: number;
  readonly source?: { readonly name?: string };
}

/** Everything that the adapter sent since the last start. */
const messages: Message[] = [];
const threadId = 1;

function events(name: string): Message[] {
  return messages.filter((message) => message.type === 'event' && message.event === name);
}

function output(): string {
  return events('output')
    .map(({ body }) => String(body?.['output']))
    .join('');
}

async function breakAt(document: vscode.TextDocument, text: string): Promise<number> {
  const position = find(document, text);
  vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(new vscode.Location(document.uri, position))]);
  return position.line + 1;
}

/** Until the adapter knows: a continue that overtakes the request stops at them once more. */
async function clearBreakpoints(): Promise<void> {
  const answers = () => messages.filter(({ command }) => command === 'setBreakpoints').length;
  const before = answers();
  vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
  await waitFor('the breakpoints to be cleared', () => (answers() > before ? true : undefined));
}

async function stopped(count = 1): Promise<vscode.DebugSession> {
  await waitFor(`stop ${count}`, () => (events('stopped').length >= count ? true : undefined));
  return waitFor('a session in front', () => vscode.debug.activeDebugSession);
}

async function frames(session: vscode.DebugSession): Promise<string[]> {
  const reply = (await session.customRequest('stackTrace', { threadId })) as { stackFrames: Frame[] };
  return reply.stackFrames.map(({ name, line, source }) => `${name} ${source?.name ?? ''}:${line}`);
}

async function ended(): Promise<void> {
  await waitFor('the end of the session', () => (vscode.debug.activeDebugSession === undefined ? true : undefined));
}

suite('in a session', () => {
  let api: Api;

  suiteSetup(async () => {
    api = await openApi();
    vscode.debug.registerDebugAdapterTrackerFactory('llext', {
      createDebugAdapterTracker: () => ({ onDidSendMessage: (message: Message) => void messages.push(message) }),
    });
  });

  setup(() => {
    messages.length = 0;
  });

  teardown(async () => {
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    if (vscode.debug.activeDebugSession !== undefined) await vscode.debug.stopDebugging();
    await ended();
  });

  test('F5 in a C file without launch.json: stop, stack, sidebar, hover, memory, code, end', async () => {
    const document = await vscode.workspace.openTextDocument(workspaceFile('hello/hello.c'));
    await vscode.window.showTextDocument(document);
    const line = await breakAt(document, 'printk("Hello');
    await vscode.commands.executeCommand('workbench.action.debug.start');
    const session = await stopped();
    equal((await frames(session)).slice(0, 2), [`greet hello.c:${line}`, `entry hello.c:${line + 9}`]);

    const hello = await waitFor('hello in the sidebar', async () =>
      (await rowsOf(api)).find(({ text }) => text.startsWith('hello | use count 1')),
    );
    const regions = (await rowsOf(api, hello)).map(({ text }) => text.replace(/0x[0-9a-f]{8}/, 'ADDRESS'));
    equal(regions, [
      'TEXT | ADDRESS · 152 B · heap',
      'RODATA | ADDRESS · 86 B · heap',
      'BSS | ADDRESS · 4 B · heap',
      'EXPORT | ADDRESS · 8 B · heap',
      'SYMTAB | ADDRESS · 192 B · heap',
      'STRTAB | ADDRESS · 20 B · heap',
      'SHSTRTAB | ADDRESS · 103 B · heap',
      'Exported Symbols | 1',
      'Imported Symbols | 1',
      'Dependencies | 0',
    ]);

    const bss = await rowNamed(api, '.bss', await rowNamed(api, 'BSS', hello));
    const address = /0x[0-9a-f]{8}/.exec(bss.text)?.[0] ?? '';
    equal(await hoverTexts(document, find(document, 'greetings++')), [
      `\n\`\`\`c\nstatic int greetings\n\`\`\`\nValue: \`1\`  \nVariable of llext \`hello\`  \n` +
        `Address \`${address}\` · section \`.bss+0x0\` · region BSS · 4 bytes`,
    ]);

    await vscode.commands.executeCommand('llext.showMemory', bss.node);
    equal(vscode.window.activeTextEditor?.document.getText(), `${address.slice(2)}  01 00 00 00  ....\n`);

    const text = await rowNamed(api, '.text', await rowNamed(api, 'TEXT', hello));
    await vscode.commands.executeCommand('llext.showDisassembly', text.node);
    const listing = vscode.window.activeTextEditor?.document.getText() ?? '';
    const base = /0x[0-9a-f]{8}/.exec(text.text)?.[0] ?? '';
    ok(listing.startsWith(`Section .text of hello.llext, 152 bytes, loaded at ${base}\n`), listing.slice(0, 200));
    ok(listing.includes('; 0x8001001 <printk>'), listing);

    await clearBreakpoints();
    await session.customRequest('continue', { threadId });
    await ended();
    ok(output().includes('Hello Ada, you are number 1\n'), output());
    ok(output().includes('3 greetings\n'), output());
    ok(/entry 'entry' of llext 'hello' returned 6 \(0x00000006\)/.test(output()), output());
    ok(/^hello\.llext \| hello$/.test((await rowNamed(api, 'hello.llext')).text), 'the sidebar shows files again');
  });

  test('a breakpoint is pending until its extension is loaded, then verified', async () => {
    const document = await vscode.workspace.openTextDocument(workspaceFile('hello/hello.c'));
    await breakAt(document, 'int total');
    await vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], {
      type: 'llext',
      request: 'launch',
      name: 'hello',
      program: 'hello/hello.llext',
    });
    await stopped();
    const answers = messages.filter((message) => message.command === 'setBreakpoints');
    const answered = answers.flatMap(({ body }) => (body?.['breakpoints'] ?? []) as Breakpoint[]);
    const changed = events('breakpoint').map(({ body }) => body?.['breakpoint'] as Breakpoint);
    const states = [...answered, ...changed].map(({ verified, reason, message }) =>
      verified ? 'verified' : `${reason}: ${message}`,
    );
    const pending = states.indexOf("pending: waits for llext 'hello' to load");
    ok(pending >= 0 && states.indexOf('verified') > pending, JSON.stringify(states));
  });

  test('two extensions: what one exports the other uses', async () => {
    await vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], {
      type: 'llext',
      request: 'launch',
      name: 'dependency',
      extensions: [{ program: 'dependency/dep_base.llext' }, 'dependency/dep_user.llext'],
      args: [5],
      stopOnEntry: true,
    });
    await stopped();
    const rows = await waitFor('both extensions', async () => {
      const found = (await rowsOf(api)).map(({ text }) => text.replace(/ · heap.*/, ''));
      return found.length === 4 ? found : undefined;
    });
    equal(rows.slice(0, 2).sort(), ['dep_base | use count 2', 'dep_user | use count 1']);
    const user = await rowNamed(api, 'dep_user');
    const dependencies = await rowNamed(api, 'Dependencies', user);
    equal(
      (await rowsOf(api, dependencies)).map(({ text }) => text),
      ['dep_base'],
    );
  });

  test('pause of an endless loop', async () => {
    await vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], {
      type: 'llext',
      request: 'launch',
      name: 'endless',
      program: 'endless/endless.llext',
    });
    const session = await waitFor('the session', () => vscode.debug.activeDebugSession);
    await waitFor('the loop', () =>
      events('continued').length + events('llext/changed').length > 0 ? true : undefined,
    );
    const begin = Date.now();
    await session.customRequest('pause', { threadId });
    await stopped();
    ok(Date.now() - begin < 1000, `the pause took ${Date.now() - begin} ms`);
    equal(events('stopped')[0].body?.['reason'], 'pause');
  });
});
