/** The scenarios of ui.cjs: a title, the workspace, and what is done and must be seen. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { project, sleep } = require('./runtime.cjs');

const sidebar = '.customview-tree';

/** Line number of `// #BP1` and the like. */
function markedLine(file, marker) {
  const lines = fs.readFileSync(path.join(project, 'examples', file), 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(`#${marker}`)) + 1;
}

/** Addresses depend on the loader and the heap, which have tests of their own. */
const withoutAddresses = (rows) => rows.map((row) => row.replace(/0x[0-9a-f]{8}/g, 'ADDRESS'));

async function openSidebar(workbench) {
  await workbench.view('LLEXT', sidebar);
}

function sidebarRow(workbench, label) {
  const name = workbench.page
    .locator('.label-name')
    .filter({ hasText: new RegExp(`^${label.replaceAll('.', '\\.')}$`) });
  return workbench.page.locator(`${sidebar} .monaco-list-row`).filter({ has: name }).first();
}

async function expand(workbench, label) {
  const row = sidebarRow(workbench, label);
  await row.waitFor();
  if ((await row.getAttribute('aria-expanded')) === 'false') await row.locator('.monaco-tl-twistie').click();
  await row.and(workbench.page.locator('[aria-expanded="true"]')).waitFor();
  await sleep(300);
}

/** hello.c stopped at the printk in greet(). */
async function stopInGreet(workbench) {
  await workbench.openFile('hello/hello.c');
  await workbench.toggleBreakpoint('#BP1');
  await workbench.focusEditor('greetings++');
  await workbench.startDebugging();
  await workbench.waitForStop();
}

/** printk's lines with the place of the call, and the end in words. */
const helloOutput = [
  ...['Ada', 'Grace', 'Edsger'].map(
    (name, i) => `Hello ${name}, you are number ${i + 1} hello.c:${markedLine('hello/hello.c', 'BP1')}`,
  ),
  `3 greetings hello.c:${markedLine('hello/hello.c', 'BP4') - 1}`,
  "entry 'entry' of llext 'hello' returned 6 (0x00000006) after N instructions",
];

const scenarios = [
  {
    title: 'the sidebar without a session shows files, regions, exports, imports',
    run: async (workbench) => {
      await openSidebar(workbench);
      await workbench.waitForRow(sidebar, 'sensor.llext');
      for (const label of ['hello.llext', 'TEXT', 'Exported Symbols', 'Imported Symbols'])
        await expand(workbench, label);
      await workbench.waitForRow(sidebar, 'printk');
      assert.deepEqual((await workbench.rows(sidebar)).slice(5, 18), [
        'hello.llext | hello',
        'TEXT | 152 B',
        '.text | 152 B',
        'RODATA | 86 B',
        'BSS | 4 B',
        'EXPORT | 8 B',
        'SYMTAB | 192 B',
        'STRTAB | 20 B',
        'SHSTRTAB | 103 B',
        'Exported Symbols | 1',
        'entry | .text+0x38 · 96 B',
        'Imported Symbols | 1',
        'printk | base image · 0x08001000',
      ]);
      await sidebarRow(workbench, 'entry').hover();
      await workbench.page.locator('.monaco-hover:visible', { hasText: 'int entry(void)' }).first().waitFor();
      await workbench.shot('sidebar-files');
      await sidebarRow(workbench, 'entry').click();
      await workbench.line('int entry(void)').waitFor();
    },
  },
  {
    title: 'hovers of a variable, of an import and of one that nothing provides',
    run: async (workbench) => {
      await workbench.openFile('hello/hello.c');
      assert.equal(
        await workbench.hover('greetings++', 'greetings', 'Variable of llext'),
        'static int greetings\nVariable of llext hello\nSection .bss+0x0 · region BSS · 4 bytes',
      );
      await workbench.shot('hover-variable');
      await workbench.page.keyboard.press('Escape');
      assert.equal(
        await workbench.hover('Hello', 'printk', 'base image'),
        'void printk(const char *fmt, ...)\nExport of the base image · address 0x08001000\nPrints formatted text on the console',
      );
      await workbench.openFile('missing-import/missing.c');
      // The finding of the check is above, with what to do.
      const missing = await workbench.hover('memcopy(copy', 'memcopy', 'neither');
      assert.match(missing, /nothing provides 'memcopy'; near: 'memcpy'/);
      assert.match(
        missing,
        /memcopy\nImported by missing, but neither the base image nor another extension exports it: loading fails\./,
      );
      await workbench.shot('hover-missing');
    },
  },
  {
    title: 'F5 in a C file: stop, variables, step, disassembly, output, end',
    run: async (workbench) => {
      await stopInGreet(workbench);
      const line = markedLine('hello/hello.c', 'BP1');
      assert.equal(await workbench.stoppedLine(), line);
      assert.deepEqual(await workbench.callStack(), [
        `greet hello.c ${line}:2`,
        `entry hello.c ${markedLine('hello/hello.c', 'BP3')}:12`,
        'llext_call_fn Unknown Source 0',
      ]);
      const variables = (await workbench.variables('Locals', 'number')).map((row) =>
        row.replace(/0x[0-9a-f]{8}/, 'ADDRESS'),
      );
      assert.deepEqual(variables, ['Locals', 'name = ADDRESS "Ada"', 'number = 1', 'Globals of hello.c', 'Registers']);
      await workbench.shot('stopped');
      await workbench.focusEditor('greetings++');
      assert.equal(await workbench.hover('greetings++', 'greetings', '1'), '1');
      await workbench.shot('hover-value');
      await workbench.page.keyboard.press('Escape');
      await workbench.focusEditor('greetings++');
      await workbench.page.keyboard.press('F10');
      await workbench.waitForConsole('Hello Ada, you are number 1');
      await sleep(500);
      assert.equal(await workbench.stoppedLine(), line + 1);
      await workbench.shot('stepped');
      await workbench.palette('Open Disassembly View');
      await workbench.page.getByText(/blx/).first().waitFor();
      await sleep(700);
      await workbench.shot('disassembly-view');
      await workbench.palette('Remove All Breakpoints');
      await workbench.palette('Continue');
      await workbench.waitForEnd();
      const output = await workbench.console();
      assert.deepEqual(
        output.map((line) => line.replace(/\d+ instructions$/, 'N instructions')),
        helloOutput,
      );
      await workbench.shot('ended');
    },
  },
  {
    title: 'the sidebar in a session: regions, memory, code',
    theme: 'light',
    run: async (workbench) => {
      await stopInGreet(workbench);
      await openSidebar(workbench);
      await workbench.waitForRow(sidebar, 'BSS');
      const rows = withoutAddresses(await workbench.rows(sidebar));
      assert.deepEqual(
        rows.map((row) => row.replace(/\d+ exports$/, 'N exports')),
        [
          'hello | use count 1 · heap 573 B',
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
          'Base Image | N exports',
          'Checkpoints | none set',
        ],
      );
      for (const label of ['BSS', 'TEXT', 'Exported Symbols', 'Imported Symbols']) await expand(workbench, label);
      await workbench.shot('sidebar-session');
      await sidebarRow(workbench, '.bss').click();
      await workbench.page.locator('.tabs-container .tab.active', { hasText: '.bss at' }).waitFor();
      await sleep(500);
      await workbench.shot('memory-document');
      await sidebarRow(workbench, '.text').click({ button: 'right' });
      await workbench.page.locator('.monaco-menu .action-label', { hasText: 'Show Disassembly' }).first().waitFor();
      await workbench.shot('sidebar-menu');
      await workbench.page.locator('.monaco-menu .action-label', { hasText: 'Show Disassembly' }).first().click();
      await workbench.line('<greet>:').waitFor();
      await sleep(500);
      await workbench.shot('disassembly-document');
    },
  },
  {
    title: 'an extension ELF opens as an overview, and F5 debugs it',
    run: async (workbench) => {
      await workbench.openFile('hello/hello.llext');
      const overview = await workbench.webview('h1');
      const text = (await overview.locator('body').innerText()).split(/\s*\n\s*/).filter(Boolean);
      assert.deepEqual(text, [
        'hello.llext',
        'ELF32, little-endian, Arm, relocatable · 1356 bytes · in hello · debug information in hello_ext_debug.elf',
        'Debug This LLEXT',
        'Show Disassembly',
        'Regions',
        'Region\tBytes\tSections\tHolds',
        'TEXT\t152\t.text (152)\tcode',
        'RODATA\t86\t.rodata (86)\tconstants',
        'BSS\t4\t.bss (4)\tvariables that start as zero',
        'EXPORT\t8\t.exported_sym (8)\ttable of exported symbols',
        'SYMTAB\t192\t.symtab (192)\tsymbol table of the file',
        'STRTAB\t20\t.strtab (20)\tnames of the symbols',
        'SHSTRTAB\t103\t.shstrtab (103)\tnames of the sections',
        'Exported Symbols',
        'Symbol\tPlace\tBytes',
        'int entry(void)\t.text+0x38\t96',
        'Imported Symbols',
        'Symbol\tProvided by',
        'void printk(const char *fmt, ...)\tbase image',
      ]);
      await workbench.shot('overview');
      await workbench.page.keyboard.press('F5');
      await workbench.waitForConsole('returned 6');
      const output = await workbench.console();
      assert.deepEqual(
        output.map((line) => line.replace(/\d+ instructions$/, 'N instructions')),
        helloOutput,
      );
      await workbench.shot('f5-on-elf');
    },
  },
  {
    title: "the scenario of Zephyr's debugging page: a function in a section of its own",
    run: async (workbench) => {
      await workbench.openFile('detached/detached_fn.c');
      await workbench.toggleBreakpoint('#BP1');
      await workbench.startDebugging();
      await workbench.waitForStop();
      const line = (marker) => markedLine('detached/detached_fn.c', marker);
      assert.deepEqual(await workbench.callStack(), [
        `detached_fn detached_fn.c ${line('BP1')}:9`,
        `test_entry detached_fn.c ${line('BP4')}:2`,
        'llext_call_fn Unknown Source 0',
      ]);
      const variables = await workbench.variables('Globals of detached_fn.c', 'bss_cnt');
      assert.deepEqual(variables.slice(0, 4), ['Locals', 'Globals of detached_fn.c', 'bss_cnt = 1', 'data_cnt = 2']);
      await workbench.toggleSection('Watch', false);
      await workbench.toggleSection('LLEXT Extensions', true);
      await workbench.waitForRow(sidebar, 'detached_fn');
      assert.deepEqual(withoutAddresses(await workbench.rows(sidebar)).slice(0, 5), [
        'detached_fn | use count 1 · heap 587 B',
        'TEXT | ADDRESS · 104 B · heap',
        'DATA | ADDRESS · 4 B · heap',
        'RODATA | ADDRESS · 55 B · heap',
        'BSS | ADDRESS · 4 B · heap',
      ]);
      await workbench.shot('detached');
    },
  },
  {
    title: 'structures in the Variables view',
    run: async (workbench) => {
      await workbench.openFile('sensor/sensor.c');
      await workbench.goToLine(markedLine('sensor/sensor.c', 'BP1'));
      await workbench.toggleBreakpoint('#BP1');
      await workbench.startDebugging();
      await workbench.waitForStop();
      await workbench.toggleSection('Watch', false);
      await workbench.toggleSection('LLEXT Extensions', true);
      await workbench.toggleSection('Breakpoints', false);
      await workbench.variables('Locals', 'channel');
      await workbench.expandVariable('channel');
      assert.deepEqual(withoutAddresses(await workbench.rows('.debug-variables')).slice(0, 9), [
        'Locals',
        'channel = ADDRESS <channel>',
        'label = "outside"',
        'status = {ready = 0, alarms = 0, drift = -3, quality = QUALITY_UNKNOWN}',
        'options = (OPTION_SMOOTH | OPTION_REPORT)',
        'history = {1200, 1210, 1190, 1205}',
        "next = 0 '\\000'",
        'last_filter = 0x0',
        'sum = 0',
      ]);
      await workbench.shot('structures');
    },
  },
  {
    title: 'a breakpoint of another program says why it waits',
    run: async (workbench) => {
      await workbench.openFile('endless/endless.c');
      await workbench.toggleBreakpoint('#BP1');
      await stopInGreet(workbench);
      const rows = await workbench.page
        .locator('.debug-breakpoints .monaco-list-row')
        .evaluateAll((all) => all.map((row) => row.getAttribute('aria-label')));
      assert.deepEqual(rows.slice(0, 8), [
        'Faults',
        'Aborts',
        'Memory: access outside of the extension',
        "Memory: another extension's data",
        'Memory: write to TEXT or RODATA',
        'Memory: execution outside of TEXT',
        'Memory: use of a value that was never written',
        'Memory: misaligned access',
      ]);
      // The view shows nine rows at most.
      await workbench.page.locator('.debug-breakpoints .monaco-list').hover();
      await workbench.page.mouse.wheel(0, 400);
      const why = `endless.c ${markedLine('endless/endless.c', 'BP1')}, endless.c is no source of llext 'hello': its debug information does not name this file`;
      await workbench.page.locator(`.debug-breakpoints .monaco-list-row[aria-label="${why}"]`).waitFor();
      await workbench.shot('pending');
    },
  },
  {
    title: 'missing imports are all told',
    run: async (workbench) => {
      await openSidebar(workbench);
      await expand(workbench, 'missing.llext');
      await expand(workbench, 'Imported Symbols');
      await workbench.openFile('missing-import/missing.c');
      await workbench.focusEditor('char copy');
      await workbench.page.keyboard.press('F5');
      const dialog = workbench.page.locator('.monaco-dialog-box, .notification-toast').first();
      await dialog.waitFor();
      const text = (await dialog.innerText()).split('\n');
      assert.deepEqual(text.slice(text.findIndex((line) => line.startsWith('llext'))), [
        "llext 'missing' cannot be loaded: 3 symbols that it imports are exported neither by the base image nor by an extension loaded before it:",
        '  gpio_pin_toggle_by_name',
        '  memcopy (known names near it: memcpy, memcmp, mempcpy)',
        '  prinkt (known names near it: printk, printf, vprintk)',
        'Load the extension that exports them first ("extensions"), or remove the use.',
      ]);
      await workbench.shot('missing-imports');
    },
  },
  {
    title: 'an empty folder is welcomed',
    workspace: 'empty',
    run: async (workbench) => {
      await openSidebar(workbench);
      const welcome = workbench.page.locator('.welcome-view-content').first();
      await welcome.waitFor();
      assert.equal(
        await welcome.innerText(),
        'No extension ELF was found in this workspace.\n\nBuild one with add_llext_target() in Zephyr, or with ' +
          'arm-none-eabi-gcc -g -c -mcpu=cortex-m3 -mthumb -mlong-calls. It appears here as soon as the file exists.\n\n' +
          "Search Again\n\nMore in Zephyr's documentation of LLEXT",
      );
      await workbench.shot('empty');
    },
  },
];

module.exports = { expand, markedLine, openSidebar, scenarios, sidebar, sidebarRow };
