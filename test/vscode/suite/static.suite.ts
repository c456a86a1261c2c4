/**
 * Without a session: the sidebar, hovers, listings and configurations, from the files alone. Sizes and offsets are those
 * that arm-none-eabi-readelf shows for examples/hello; region rules are Zephyr's.
 */
import * as vscode from 'vscode';
import { equal, find, hoverTexts, openApi, rowNamed, rowsOf, workspaceFile, type Api } from './support';

/** A hover of ours: the declaration, then lines. */
const code = (declaration: string, ...lines: string[]) => [`\n\`\`\`c\n${declaration}\n\`\`\`\n${lines.join('  \n')}`];

suite('without a session', () => {
  let api: Api;

  suiteSetup(async () => {
    api = await openApi();
  });

  test('the sidebar lists the extension ELFs of the workspace', async () => {
    equal(
      (await rowsOf(api)).map(({ text }) => text),
      [
        'dep_base.llext | dependency',
        'dep_user.llext | dependency',
        'detached_fn.llext | detached',
        'endless.llext | endless',
        'faulting.llext | faulting',
        'hello.llext | hello',
        'init_fini.llext | init-fini',
        'missing.llext | missing-import',
        'hello.rv32imac.llext | riscv',
        'hello.rv64imac.llext | riscv',
        'sensor.rv32imac.llext | riscv',
        'sensor.rv64imac.llext | riscv',
        'sensor.llext | sensor',
        'with_base.llext | with-base',
      ],
    );
  });

  test('an extension shows regions, exports and imports', async () => {
    const hello = await rowNamed(api, 'hello.llext');
    equal(
      (await rowsOf(api, hello)).map(({ text }) => text),
      [
        'TEXT | 152 B',
        'RODATA | 86 B',
        'BSS | 4 B',
        'EXPORT | 8 B',
        'SYMTAB | 192 B',
        'STRTAB | 20 B',
        'SHSTRTAB | 103 B',
        'Exported Symbols | 1',
        'Imported Symbols | 1',
      ],
    );
    const below = async (name: string) => (await rowsOf(api, await rowNamed(api, name, hello))).map(({ text }) => text);
    equal(await below('TEXT'), ['.text | 152 B']);
    equal(await below('BSS'), ['.bss | 4 B']);
    equal(await below('Exported Symbols'), ['entry | .text+0x38 · 96 B']);
    equal(await below('Imported Symbols'), ['printk | base image · 0x08001000']);
  });

  test('an import that nothing provides is marked', async () => {
    const imports = await rowNamed(api, 'Imported Symbols', await rowNamed(api, 'missing.llext'));
    equal(imports.text, 'Imported Symbols | 3, 3 missing');
    equal(
      (await rowsOf(api, imports)).map(({ text }) => text),
      [
        'gpio_pin_toggle_by_name | nothing provides it',
        'memcopy | nothing provides it',
        'prinkt | nothing provides it',
      ],
    );
  });

  test('an import that another extension provides names it', async () => {
    const imports = await rowNamed(api, 'Imported Symbols', await rowNamed(api, 'dep_user.llext'));
    equal(imports.text, 'Imported Symbols | 3');
    equal(
      (await rowsOf(api, imports)).map(({ text }) => text),
      ['dep_base_add | dep_base', 'dep_base_total | dep_base', 'printk | base image · 0x08001000'],
    );
  });

  test('rows have stable ids, tooltips, and words for screen readers', async () => {
    const hello = await rowNamed(api, 'hello.llext');
    const again = await rowNamed(api, 'hello.llext');
    equal(hello.item.id, again.item.id);
    equal(hello.item.accessibilityInformation?.label, 'Extension file hello.llext, hello');
    const text = await rowNamed(api, 'TEXT', hello);
    equal(text.item.accessibilityInformation?.label, 'Region TEXT, 152 bytes, not loaded');
    equal(text.item.tooltip, 'Region TEXT: code; 152 bytes, not loaded');
  });

  test('a file that is no ELF is shown with the reason', async () => {
    const uri = workspaceFile('broken.llext');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode('not an ELF file at all'));
    try {
      equal(
        (await rowNamed(api, 'broken.llext')).text,
        'broken.llext | file+0x0: not an ELF file (no 7F 45 4C 46 at the start)',
      );
    } finally {
      await vscode.workspace.fs.delete(uri);
    }
  });

  test('a click on an export goes to its definition', async () => {
    const hello = await rowNamed(api, 'hello.llext');
    const exported = await rowNamed(api, 'entry', await rowNamed(api, 'Exported Symbols', hello));
    equal(exported.item.command?.command, 'llext.goToSource');
    await vscode.commands.executeCommand('llext.goToSource', exported.node);
    const editor = vscode.window.activeTextEditor;
    equal(editor?.document.lineAt(editor.selection.active).text, 'int entry(void)');
  });

  test('name and address are copied', async () => {
    const hello = await rowNamed(api, 'hello.llext');
    const printk = await rowNamed(api, 'printk', await rowNamed(api, 'Imported Symbols', hello));
    await vscode.commands.executeCommand('llext.copyName', printk.node);
    equal(await vscode.env.clipboard.readText(), 'printk');
    await vscode.commands.executeCommand('llext.copyAddress', printk.node);
    equal(await vscode.env.clipboard.readText(), '0x08001000');
  });

  test('hover of a function, variables, an import, a local', async () => {
    const document = await vscode.workspace.openTextDocument(workspaceFile('hello/hello.c'));
    const hover = (text: string) => hoverTexts(document, find(document, text));
    equal(
      await hover('greet(names'),
      code(
        'static int greet(const char *name, int number)',
        'Function of llext `hello`',
        'Section `.text+0x0` · region TEXT · 56 bytes',
      ),
    );
    equal(
      await hover('greetings++'),
      code('static int greetings', 'Variable of llext `hello`', 'Section `.bss+0x0` · region BSS · 4 bytes'),
    );
    equal(
      await hover('names[i]'),
      code(
        'static const char * const names[3]',
        'Variable of llext `hello`',
        'Section `.rodata+0x14` · region RODATA · 12 bytes',
      ),
    );
    equal(
      await hover('printk("Hello'),
      code(
        'void printk(const char *fmt, ...)',
        'Export of the base image · address `0x08001000`',
        'Prints formatted text on the console',
      ),
    );
    equal(await hover('total += greet'), []);
    equal(await hover('F5 in this file'), []);
  });

  test('hover of an import that nothing provides, and of one that another extension does', async () => {
    const missing = await vscode.workspace.openTextDocument(workspaceFile('missing-import/missing.c'));
    equal(
      await hoverTexts(missing, find(missing, 'memcopy(copy')),
      code(
        'memcopy',
        'Imported by `missing`, but neither the base image nor another extension exports it: loading fails.',
      ),
    );
    const user = await vscode.workspace.openTextDocument(workspaceFile('dependency/dep_user.c'));
    equal(
      await hoverTexts(user, find(user, 'dep_base_add(amount)')),
      code('dep_base_add', 'Imported by `dep_user`, exported by `dep_base`: load it first.'),
    );
  });

  test('disassembly with sources, relocations and data', async () => {
    const hello = await rowNamed(api, 'hello.llext');
    await vscode.commands.executeCommand('llext.showDisassembly', hello.node);
    const document = vscode.window.activeTextEditor?.document;
    equal(document?.languageId, 'llext-disassembly');
    const lines = document?.getText().split('\n') ?? [];
    equal(lines.slice(0, 6), [
      'Section .text of hello.llext, 152 bytes, not loaded: addresses are offsets',
      '',
      '00000000 <greet>:',
      '  hello.c:13 | {',
      '         0:  b580       push     {r7, lr}',
      '         2:  b082       sub      sp, #8',
    ]);
    const containing = (text: string) => lines.filter((line) => line.includes(text));
    equal(containing('<greet>'), ['00000000 <greet>:', '        58:  f7ff ffd2  bl       #0  ; <greet>']);
    equal(containing(' 34:'), ['        34:  00000000   .word    0x00000000  ; R_ARM_ABS32 printk']);
    equal(containing(' 1a:'), ['        1a:  4b06       ldr      r3, [pc, #0x18]  ; R_ARM_ABS32 printk']);
    equal(containing('hello.c:15'), [
      '  hello.c:15 | \tprintk("Hello %s, you are number %d\\n", name, number); // #BP1',
    ]);
  });

  test('F5 chooses the program by the file in front', async () => {
    const program = async (path: string) => {
      const found = await api.configurations.configurationFor(workspaceFile(path));
      return [found?.['program'], found?.['debugElf']].map((file: unknown) =>
        typeof file === 'string' ? file.split('/').at(-1) : file,
      );
    };
    equal(await program('hello/hello.c'), ['hello.llext', 'hello_ext_debug.elf']);
    equal(await program('hello/hello.llext'), ['hello.llext', undefined]);
    equal(await program('hello/hello_ext_debug.elf'), ['hello.llext', 'hello_ext_debug.elf']);
    equal(await program('sensor/sensor.c'), ['sensor.llext', undefined]);
    const dependent = await api.configurations.configurationFor(workspaceFile('dependency/dep_user.c'));
    const loaded = dependent?.['extensions'] as { program: string }[] | undefined;
    equal(
      loaded?.map(({ program }) => program.split('/').at(-1)),
      ['dep_base.llext', 'dep_user.llext'],
    );
  });

  test('each extension of the workspace is offered as a configuration', async () => {
    const offered = await api.configurations.provideDebugConfigurations();
    equal(
      offered.map(({ name }) => name),
      [
        'Debug dep_base.llext',
        'Debug dep_user.llext',
        'Debug detached_fn.llext',
        'Debug endless.llext',
        'Debug faulting.llext',
        'Debug hello.llext',
        'Debug init_fini.llext',
        'Debug missing.llext',
        'Debug hello.rv32imac.llext',
        'Debug hello.rv64imac.llext',
        'Debug sensor.rv32imac.llext',
        'Debug sensor.rv64imac.llext',
        'Debug sensor.llext',
        'Debug with_base.llext',
      ],
    );
  });
});
