/** Findings of a check as diagnostics: on source lines and on ELFs, after a build, by command, and as pages. */
import * as vscode from 'vscode';
import { equal, ok, openApi, waitFor, workspaceFile } from './support';

function ownDiagnostics(uri: vscode.Uri): vscode.Diagnostic[] {
  return vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'llext');
}

async function diagnosticsOf(path: string, count: number): Promise<vscode.Diagnostic[]> {
  const uri = workspaceFile(path);
  return waitFor(`${count} diagnostics of ${path}`, () => {
    const found = ownDiagnostics(uri);
    return found.length === count ? found : undefined;
  });
}

const codeOf = ({ code }: vscode.Diagnostic): unknown => (typeof code === 'object' ? code.value : code);

suite('findings of a check', () => {
  suiteSetup(openApi);

  test('imports that nothing provides are errors on their lines', async () => {
    const found = await diagnosticsOf('missing-import/missing.c', 3);
    const document = await vscode.workspace.openTextDocument(workspaceFile('missing-import/missing.c'));
    equal(found.map(codeOf), ['undefined-symbol', 'undefined-symbol', 'undefined-symbol']);
    equal(
      found.map(({ range, severity }) => [document.lineAt(range.start).text.trim().split('(')[0], severity]),
      ['memcopy', 'prinkt', 'return gpio_pin_toggle_by_name'].map((name) => [name, vscode.DiagnosticSeverity.Error]),
    );
    ok(found[0].message.startsWith("nothing provides 'memcopy'; near: 'memcpy'"), found[0].message);
    ok(found[0].message.includes("To do: write 'memcpy'"), found[0].message);
  });

  test('an extension with what it imports from is clean', async () => {
    await diagnosticsOf('missing-import/missing.c', 3);
    const errors = ['hello/hello.c', 'dependency/dep_user.c', 'dependency/dep_base.c'].flatMap((path) =>
      ownDiagnostics(workspaceFile(path)).filter(({ severity }) => severity < vscode.DiagnosticSeverity.Hint),
    );
    equal(errors, []);
  });

  test('the code of a finding leads to its page', async () => {
    const [{ code }] = await diagnosticsOf('missing-import/missing.c', 3);
    ok(typeof code === 'object', 'a code with a target');
    const target = (code as { target: vscode.Uri }).target;
    const page = await vscode.workspace.openTextDocument(target);
    const [title] = page.getText().split('\n');
    equal(title, '# undefined-symbol: nothing provides an import');
  });

  test('an ELF that is built is checked, one that is unreadable has one error, one that is gone has none', async () => {
    const uri = workspaceFile('broken.llext');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode('not an ELF file at all'));
    try {
      const [broken] = await diagnosticsOf('broken.llext', 1);
      ok(broken.message.startsWith('This extension ELF cannot be read: file+0x0: not an ELF file'), broken.message);
      const working = await vscode.workspace.fs.readFile(workspaceFile('missing-import/missing.llext'));
      await vscode.workspace.fs.writeFile(uri, working.slice(0, working.length - 8));
      const cut = await waitFor('a finding of the file that was cut', () => {
        const found = ownDiagnostics(uri);
        return found.length === 1 && found[0].message !== broken.message ? found : undefined;
      });
      ok(cut[0].message.includes('section header table'), cut[0].message);
    } finally {
      await vscode.workspace.fs.delete(uri);
    }
    await diagnosticsOf('broken.llext', 0);
  });

  test('the setting switches it off, the command works all the same', async () => {
    const settings = vscode.workspace.getConfiguration('llext');
    await settings.update('check.enabled', false, vscode.ConfigurationTarget.Workspace);
    try {
      await diagnosticsOf('missing-import/missing.c', 0);
      await vscode.commands.executeCommand('llext.checkExtension', workspaceFile('missing-import/missing.c'));
      await diagnosticsOf('missing-import/missing.c', 3);
    } finally {
      await settings.update('check.enabled', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  test('a base image that cannot be read is said once, on its file', async () => {
    const settings = vscode.workspace.getConfiguration('llext');
    await settings.update('base', 'no-such/zephyr.elf', vscode.ConfigurationTarget.Workspace);
    try {
      const [error] = await diagnosticsOf('no-such/zephyr.elf', 1);
      ok(error.message.startsWith('The base image zephyr.elf of the setting llext.base cannot be used'), error.message);
    } finally {
      await settings.update('base', undefined, vscode.ConfigurationTarget.Workspace);
    }
    await diagnosticsOf('missing-import/missing.c', 3);
  });
});
