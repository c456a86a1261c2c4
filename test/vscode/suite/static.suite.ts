/** Without a session: the sidebar, hovers, listings and configurations, from the files alone. */
import * as vscode from 'vscode';
import { equal, find, hoverTexts, ok, openApi, rowNamed, rowsOf, waitFor, workspaceFile, type Api } from './support';

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
});
