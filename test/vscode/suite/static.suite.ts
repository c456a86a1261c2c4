/** Without a session: the sidebar, hovers, listings and configurations, from the files alone. */
import * as vscode from 'vscode';
import { equal, find, hoverTexts, openApi, rowNamed, rowsOf, workspaceFile, type Api } from './support';

suite('without a session', () => {
  let api: Api;

  suiteSetup(async () => {
    api = await openApi();
  });

  test('the sidebar lists the extension ELFs of the workspace', async () => {
    equal(
      (await rowsOf(api)).map(({ text }) => text),
      [],
    );
  });

  test('an extension shows regions, exports and imports', async () => {
    const hello = await rowNamed(api, 'hello.llext');
    equal(
      (await rowsOf(api, hello)).map(({ text }) => text),
      [],
    );
  });

  test('hover of a function, a variable, an import', async () => {
    const document = await vscode.workspace.openTextDocument(workspaceFile('hello/hello.c'));
    console.log('>', await hoverTexts(document, find(document, 'greet(names')));
    console.log('>', await hoverTexts(document, find(document, 'greetings++')));
    console.log('>', await hoverTexts(document, find(document, 'names[i]')));
    console.log('>', await hoverTexts(document, find(document, 'printk("Hello')));
    console.log('>', await hoverTexts(document, find(document, 'total')));
  });

  test('disassembly', async () => {
    const hello = await rowNamed(api, 'hello.llext');
    await vscode.commands.executeCommand('llext.showDisassembly', hello.node);
    console.log('>', vscode.window.activeTextEditor?.document.languageId, 'llext-disassembly');
    console.log('>', vscode.window.activeTextEditor?.document.getText().split('\n').slice(0, 60).join('\n'));
  });
});
